// Where the measured server answers, read from what people type.

/// An HTTP server and the path below which its API stands.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Name or number of the machine, without brackets.
    public var host: String
    /// TCP port.
    public var port: Int
    /// What stands before `/v1`; empty for most servers.
    public var prefix: String

    /// Reads `http://127.0.0.1:8000`, `localhost:8000`, `http://[::1]:8000/v1`.
    /// - Throws: ``BenchSetupError/badURL(_:)``, ``BenchSetupError/needsTLS(_:)``.
    public init(parsing text: String) throws(BenchSetupError) {
        guard !text.lowercased().hasPrefix("https://") else { throw .needsTLS(text) }
        var rest: Substring = text[...]
        if text.lowercased().hasPrefix("http://") { rest = rest.dropFirst(7) }
        let authority: Substring = rest.prefix { $0 != "/" }
        let path: Substring = rest.dropFirst(authority.count)
        guard let (host, port) = Self.split(authority), !path.contains(where: { "?# ".contains($0) }) else {
            throw .badURL(text)
        }
        self.host = host
        self.port = port
        var trimmed: Substring = path
        while trimmed.last == "/" { trimmed.removeLast() }
        if trimmed.hasSuffix("/v1") { trimmed.removeLast(3) }
        prefix = String(trimmed)
    }

    private static func split(_ authority: Substring) -> (String, Int)? {
        guard !authority.contains(where: { "@ ".contains($0) }) else { return nil }
        var host: Substring = authority
        var port: Substring = "80"
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest: Substring = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, let number = Int(port), (1...65_535).contains(number) else { return nil }
        return (String(host), number)
    }

    /// What the Host header says.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// The address, without `/v1`.
    public var description: String { "http://\(authority)\(prefix)" }
}
