// Why a server could not start.

/// A failure before the first request.
public enum ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address cannot be listened on.
    case cannotListen(host: String, port: Int, reason: String)
    /// The build has no TLS.
    case transportSecurityNotBuilt
    /// Only one of the two files was named.
    case incompleteCertificate(missing: String)
    /// The certificate or key cannot be used.
    case unusableCertificate(file: String, reason: String)

    /// What happened and what to do next.
    public var description: String {
        switch self {
        case .cannotListen(let host, let port, let reason):
            "Cannot listen on \(host):\(port): \(reason). Choose another --port (0 takes a free one) or --host."
        case .transportSecurityNotBuilt:
            "This build has no TLS. Build with `swift build --traits TLS`, or put a proxy with TLS in front."
        case .incompleteCertificate(let missing): "TLS needs both files: \(missing) is missing."
        case .unusableCertificate(let file, let reason): "\(file) cannot be used for TLS: \(reason)."
        }
    }
}
