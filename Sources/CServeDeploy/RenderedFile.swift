// What rendering gives: files in memory, so that it can be tested, compared and repeated without a disk.

import CServeCore

/// A file of a rendering.
public struct RenderedFile: Hashable, Sendable {
    /// Its path below the output folder.
    public var path: String
    /// Its text.
    public var text: String
    /// Whether it is a script.
    public var isExecutable: Bool

    /// A file.
    public init(path: String, text: String, isExecutable: Bool = false) {
        self.path = path
        self.text = text
        self.isExecutable = isExecutable
    }

    /// The text's SHA-256.
    public var digest: String { SHA256.hexadecimal(of: Array(text.utf8)) }
}

/// A rendering: its files, and what a reader has to know.
public struct Rendering: Hashable, Sendable {
    /// The files, by path.
    public var files: [RenderedFile]
    /// Sentences: what the rendering assumes, and what it costs in a rollout.
    public var notes: [String]

    /// The text of a file, or nil.
    public subscript(path: String) -> String? { files.first { $0.path == path }?.text }
}

extension JSONValue {
    /// An object without the members that are nil.
    static func members(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(JSONObject(members.compactMap { member in member.1.map { (member.0, $0) } }))
    }

    /// A list of strings.
    static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    /// A map of strings by key.
    static func map(_ texts: [(String, String)]) -> JSONValue {
        .object(JSONObject(texts.map { ($0.0, .string($0.1)) }))
    }
}
