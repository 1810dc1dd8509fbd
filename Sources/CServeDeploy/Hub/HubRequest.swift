// One question to a hub: redirects followed, the token kept to the hub's own host, trouble that passes waited out.

import Foundation

/// The head of an answer.
public struct HubHead: Sendable {
    /// The status.
    public var status: Int
    /// Header fields.
    public var headers: [(name: String, value: String)]

    /// A head.
    public init(status: Int, headers: [(name: String, value: String)] = []) {
        self.status = status
        self.headers = headers
    }

    /// A field's value, whatever its case.
    public subscript(name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

/// A hub and how it is asked.
public struct Hub: Sendable {
    /// Where it is: `https://huggingface.co`.
    public var endpoint: String
    /// What opens models that are not for everybody.
    public var token: String?
    let transport: any HubTransport

    /// The hub where HF_ENDPOINT names none.
    public static let standard: String = "https://huggingface.co"
    /// Redirects that are followed.
    static let redirects: Int = 6

    /// A hub behind a transport.
    public init(endpoint: String = Hub.standard, token: String? = nil, transport: any HubTransport) {
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.token = token
        self.transport = transport
    }

    /// What a revision holds.
    /// - Throws: ``HubError``.
    func listing(_ model: HubModel) async throws -> HubListing {
        let url: String =
            "\(endpoint)/api/models/\(model.repository)/revision/\(Self.escaped(model.revision, slashes: false))?blobs=true"
        var body: [UInt8] = []
        try await get(url, model) { piece in
            body.append(contentsOf: piece)
            guard body.count <= 64 << 20 else { throw HubError.badListing(url: url, reason: "it has over 64 MiB") }
        }
        return try HubListing(parsing: body, url: url)
    }

    /// Asks for a file from an offset on.
    /// - Parameter start: told first, whether the answer begins at the offset (true) or at the file's beginning.
    func file(
        _ file: HubFile, of model: HubModel, commit: String, from offset: Int, start: (Bool) throws -> Void,
        body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        let url: String = "\(endpoint)/\(model.repository)/resolve/\(commit)/\(Self.escaped(file.path, slashes: true))"
        let range: [(name: String, value: String)] = offset > 0 ? [("Range", "bytes=\(offset)-")] : []
        try await get(url, model, range, start: { try start($0.status == 206) }, body: body)
    }

    private func get(
        _ url: String, _ model: HubModel, _ headers: [(name: String, value: String)] = [],
        start: (HubHead) throws -> Void = { _ in }, body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        var address: String = url
        for _ in 0...Self.redirects {
            var next: String?
            try await transport.get(address, headers: headers + fields(for: address)) { head in
                switch head.status {
                case 200, 206: try start(head)
                case 301, 302, 303, 307, 308:
                    guard let place = head["Location"] else { throw HubError.status(url: address, code: head.status) }
                    next = Self.resolved(place, against: address)
                case 401, 403: throw HubError.forbidden(model: model.description, hasToken: token != nil)
                case 404: throw HubError.notFound(model: model.description)
                default: throw HubError.status(url: address, code: head.status)
                }
            } body: { piece in
                if next == nil { try body(piece) }
            }
            guard let next else { return }
            address = next
        }
        throw HubError.status(url: url, code: 310)
    }

    /// The token goes to the hub's own host alone: files lie on others, which have no business with it.
    private func fields(for address: String) -> [(name: String, value: String)] {
        let own: [(name: String, value: String)] = [("User-Agent", "cserve"), ("Accept", "*/*")]
        guard let token, let host = Self.origin(address), host == Self.origin(endpoint) else { return own }
        return own + [("Authorization", "Bearer " + token)]
    }

    private static func origin(_ address: String) -> String? {
        URLComponents(string: address).flatMap { parts in
            parts.host.map { "\(parts.scheme ?? "")://\($0.lowercased()):\(parts.port ?? 0)" }
        }
    }

    private static func resolved(_ place: String, against address: String) -> String {
        URL(string: place, relativeTo: URL(string: address))?.absoluteString ?? place
    }

    private static func escaped(_ text: String, slashes: Bool) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: slashes ? "-._~/" : "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}

/// Sends GET requests. A seam: the command line brings sockets, tests bring a hub in memory.
public protocol HubTransport: Sendable {
    /// Sends one request and hands over its answer, first the head, then the body piece by piece.
    /// - Throws: ``HubError``, or what the closures throw.
    func get(
        _ url: String, headers: [(name: String, value: String)], head: (HubHead) throws -> Void,
        body: (ArraySlice<UInt8>) throws -> Void
    ) async throws
}
