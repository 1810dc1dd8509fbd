// Why a model could not be fetched, each with what would help.

/// What can go wrong with a hub.
public enum HubError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An address that is none.
    case badAddress(String)
    /// The hub is not there.
    case unreachable(url: String, reason: String)
    /// https, in a build without it.
    case noTLS(url: String)
    /// No such model or revision.
    case notFound(model: String)
    /// The model is not for everybody.
    case forbidden(model: String, hasToken: Bool)
    /// Another answer than was hoped for.
    case status(url: String, code: Int)
    /// The listing is not a hub's.
    case badListing(url: String, reason: String)
    /// A file's name leads out of the folder.
    case unsafePath(String)
    /// No file was chosen.
    case nothingChosen(model: String)
    /// An answer that ended early, again and again.
    case short(file: String, found: Int, expected: Int)
    /// Other bytes than the hub names.
    case damaged(file: String, expected: String, found: String)
    /// Offline, and not everything is there.
    case incomplete(model: String, folder: String)
    /// Waited for another process in vain.
    case waited(seconds: Int, folder: String)
    /// A disk that does not take it.
    case unwritable(path: String, reason: String)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .badAddress(let url): "\"\(url)\" is no address. Write http://HOST:PORT or https://HOST in HF_ENDPOINT."
        case .unreachable(let url, let reason): "\(url) cannot be reached: \(reason). Check the network or HF_ENDPOINT."
        case .noTLS(let url):
            "\(url) needs https, which this build lacks. Build with --traits TLS, or name a mirror by http in HF_ENDPOINT."
        case .notFound(let model): "The hub has no \(model). Check owner, name and revision."
        case .forbidden(let model, let hasToken):
            hasToken
                ? "The token does not open \(model). Accept the model's terms on its page, or use another token."
                : "\(model) needs a token. Write it to a file and name that with --token-file, or set HF_TOKEN."
        case .status(let url, let code): "\(url) answered \(code). Try again later."
        case .badListing(let url, let reason): "\(url) is no hub's answer: \(reason). Check HF_ENDPOINT."
        case .unsafePath(let path):
            "The hub names a file \"\(path)\", which leads out of the folder. Nothing was written."
        case .nothingChosen(let model): "No file of \(model) is chosen. Widen --include."
        default: storageDescription
        }
    }

    private var storageDescription: String {
        switch self {
        case .short(let file, let found, let expected):
            "\(file) ended after \(found) of \(expected) bytes, again and again. Run the command again: it goes on there."
        case .damaged(let file, let expected, let found):
            "\(file) has digest \(found), but the hub names \(expected). It was removed; run the command again."
        case .incomplete(let model, let folder):
            "\(model) is not complete in \(folder), and nothing may be fetched offline. Run cserve fetch \(model) online."
        case .waited(let seconds, let folder):
            "After \(seconds) s \(folder) is still not complete. See what fetches it."
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        default: ""
        }
    }

    /// The command's exit code: 2 the model cannot be had, 3 no hub, 4 damaged bytes, 5 offline and incomplete, 1 the rest.
    public var exitCode: Int32 {
        switch self {
        case .notFound, .forbidden, .nothingChosen: 2
        case .unreachable, .noTLS, .status, .badListing, .short, .badAddress: 3
        case .damaged, .unsafePath: 4
        case .incomplete, .waited: 5
        case .unwritable: 1
        }
    }
}
