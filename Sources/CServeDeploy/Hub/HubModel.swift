// A model as hubs name it: a repository and the revision that pins it.

/// A repository at a revision: `meta-llama/Llama-3.1-8B@0e9e39f2…`.
public struct HubModel: Hashable, Sendable, CustomStringConvertible {
    /// Owner and name, or a name alone.
    public var repository: String
    /// A commit, a branch or a tag.
    public var revision: String

    /// The revision where none is given.
    public static let defaultRevision: String = "main"

    /// Reads `REPOSITORY` or `REPOSITORY@REVISION`.
    /// - Throws: ``DeployError/badModel(_:)``.
    public init(parsing text: String) throws(DeployError) {
        let parts: [Substring] = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        repository = String(parts[0])
        revision = parts.count == 2 ? String(parts[1]) : Self.defaultRevision
        let words: [Substring] = repository.split(separator: "/", omittingEmptySubsequences: false)
        guard words.count <= 2, words.allSatisfy({ Self.isName($0) }), Self.isRevision(revision) else {
            throw .badModel(text)
        }
    }

    /// Whether the revision is a commit: it names the same bytes for ever.
    public var isPinned: Bool { revision.utf8.count == 40 && revision.utf8.allSatisfy(Self.isHexadecimal) }

    /// The repository's last word and the revision's beginning: a folder that another revision does not share.
    public var folder: String {
        let name: Substring = repository.split(separator: "/").last ?? ""
        return "\(name)-\(isPinned ? String(revision.prefix(12)) : revision.replacing("/", with: "-"))"
    }

    /// As it is written.
    public var description: String { "\(repository)@\(revision)" }

    /// The hub's rule for names: letters, digits, `-`, `_`, `.`, no `..` and no `--` (huggingface_hub validate_repo_id).
    private static func isName(_ word: Substring) -> Bool {
        let ends: Set<Character> = ["-", "."]
        guard let first = word.first, let last = word.last, word.utf8.count <= 96 else { return false }
        guard !ends.contains(first), !ends.contains(last), !word.contains(".."), !word.contains("--") else {
            return false
        }
        return word.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    /// A revision may have slashes (`refs/pr/1`), but no step upwards: it becomes part of a path.
    private static func isRevision(_ text: String) -> Bool {
        let parts: [Substring] = text.split(separator: "/", omittingEmptySubsequences: false)
        return !text.isEmpty && text.utf8.count <= 255
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
            }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
