// What a hub says of a revision: its commit and its files, with the digest of each.

import CServeCore

/// A file of a repository.
public struct HubFile: Hashable, Sendable {
    /// Its path in the repository.
    public var path: String
    /// Its bytes.
    public var size: Int
    /// The SHA-256 of a large file (its LFS object id).
    public var sha256: String?
    /// Git's id of a small file: SHA-1 over a header and its bytes.
    public var gitID: String?

    /// Describes a file.
    public init(path: String, size: Int, sha256: String? = nil, gitID: String? = nil) {
        self.path = path
        self.size = size
        self.sha256 = sha256
        self.gitID = gitID
    }

    /// The digest by which it is checked, and named in a cache.
    public var digest: String { sha256 ?? gitID ?? "" }
}

/// The files of a commit.
public struct HubListing: Hashable, Sendable {
    /// The commit that the revision names now.
    public var commit: String
    /// Its files in the hub's order.
    public var files: [HubFile]

    /// Reads `GET /api/models/{repository}/revision/{revision}?blobs=true`. Source: Hugging Face's hub API.
    /// - Throws: ``HubError``.
    public init(parsing bytes: [UInt8], url: String) throws(HubError) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch { throw .badListing(url: url, reason: "\(error)") }
        guard let commit = value["sha"]?.stringValue, let siblings = value["siblings"]?.arrayValue,
            commit.utf8.count <= 64, !commit.isEmpty, commit.allSatisfy({ $0.isHexDigit })
        else { throw .badListing(url: url, reason: "it lacks \"sha\" or \"siblings\"") }
        self.commit = commit
        files = []
        for sibling in siblings { files.append(try Self.file(sibling, url)) }
    }

    private static func file(_ value: JSONValue, _ url: String) throws(HubError) -> HubFile {
        guard let path = value["rfilename"]?.stringValue else {
            throw .badListing(url: url, reason: "a file has no name")
        }
        guard isSafe(path) else { throw .unsafePath(path) }
        let large: JSONValue? = value["lfs"].flatMap { $0.isNull ? nil : $0 }
        guard let size = (large?["size"] ?? value["size"])?.intValue, size >= 0 else {
            throw .badListing(url: url, reason: "\(path) has no size")
        }
        let file = HubFile(
            path: path, size: size, sha256: large?["sha256"]?.stringValue,
            gitID: large == nil ? value["blobId"]?.stringValue : nil)
        guard [40, 64].contains(file.digest.utf8.count), file.digest.allSatisfy({ $0.isHexDigit }) else {
            throw .badListing(url: url, reason: "\(path) has no digest")
        }
        return file
    }

    /// Whether a path stays in its folder.
    static func isSafe(_ path: String) -> Bool {
        let parts: [Substring] = path.split(separator: "/", omittingEmptySubsequences: false)
        return !parts.isEmpty && path.utf8.count < 1024
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.contains("\\") && !$0.utf8.contains(0) }
    }
}

/// Which files of a repository are wanted.
public struct HubSelection: Hashable, Sendable {
    /// Patterns that a file must match one of; none: all but other formats of the same weights.
    public var include: [String]
    /// Patterns that no file may match.
    public var exclude: [String]

    /// Chooses by patterns with `*` and `?`.
    public init(include: [String] = [], exclude: [String] = []) {
        self.include = include
        self.exclude = exclude
    }

    /// Weights in formats that a checkpoint with safetensors does not need.
    static let otherFormats: [String] = [
        "*.bin", "*.pt", "*.pth", "*.h5", "*.msgpack", "*.onnx", "*.onnx_data", "*.gguf", "*.ot", "*.tflite",
        "original/*",
        "consolidated*.safetensors", "onnx/*",
    ]

    /// The chosen files.
    public func choose(_ files: [HubFile]) -> [HubFile] {
        let hasSafetensors: Bool = files.contains { $0.path.hasSuffix(".safetensors") && !$0.path.contains("/") }
        return files.filter { file in
            guard !exclude.contains(where: { Self.matches($0, file.path) }) else { return false }
            guard include.isEmpty else { return include.contains { Self.matches($0, file.path) } }
            return !hasSafetensors || !Self.otherFormats.contains { Self.matches($0, file.path) }
        }
    }

    /// Whether a text matches a pattern; `*` matches slashes too, as Python's fnmatch.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text): ([UInt8], [UInt8]) = (Array(pattern.utf8), Array(text.utf8))
        var (p, t, star, mark): (Int, Int, Int?, Int) = (0, 0, nil, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                (star, mark, p) = (p, t, p + 1)
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if let back = star {
                (p, mark) = (back + 1, mark + 1)
                t = mark
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
