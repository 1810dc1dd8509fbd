// One run in the book: what was asked, with what, on what, and what came of it.

import CServeCore

/// A run and its results.
public struct Record: Hashable, Codable, Sendable {
    /// Time and chance: `20261125-013205-7f3a2c`, see ``RecordID``.
    public var id: String
    /// What was run.
    public var kind: RecordKind
    /// How far it came.
    public var status: RecordStatus
    /// What a person calls it.
    public var title: String
    /// The model that it is about.
    public var model: String?
    /// A person's marks, sorted.
    public var tags: [String]
    /// The command line without the program's name.
    public var arguments: [String]
    /// What decided its draws.
    public var seed: UInt64?
    /// The version that ran it.
    public var version: String
    /// Which build of that version: mode, compiler, instruction set of its target.
    public var build: String
    /// Where it ran.
    public var machine: MachineFingerprint
    /// The process that ran it.
    public var process: ProcessMark
    /// When it began, in milliseconds since 1970.
    public var beganAt: Int
    /// When it ended, in milliseconds since 1970.
    public var endedAt: Int?
    /// Why it failed.
    public var failure: String?
    /// The run that this one repeats.
    public var rerunOf: String?
    /// What came of it, in short; null until it finished.
    public var results: JSONValue
    /// What went in and what came out, by digest.
    public var documents: [RecordDocument]

    private enum CodingKeys: String, CodingKey {
        case id, kind, status, title, model, tags, arguments, seed, version, build, machine, process
        case beganAt = "began_ms"
        case endedAt = "ended_ms"
        case failure
        case rerunOf = "rerun_of"
        case results, documents
    }

    /// A run that begins now, on this machine, in this process.
    public init(
        kind: RecordKind, title: String, model: String? = nil, tags: [String] = [], arguments: [String],
        seed: UInt64? = nil, version: String, build: String, machine: MachineFingerprint, rerunOf: String? = nil
    ) {
        let now: Int = RecordClock.milliseconds
        id = RecordID.make(at: now)
        self.kind = kind
        status = .running
        self.title = title
        self.model = model
        self.tags = Set(tags).sorted()
        self.arguments = arguments
        self.seed = seed
        self.version = version
        self.build = build
        self.machine = machine
        process = .current
        beganAt = now
        self.rerunOf = rerunOf
        results = .null
        documents = []
    }

    /// Decodes; absent results are null.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        kind = try fields.decode(RecordKind.self, forKey: .kind)
        status = try fields.decode(RecordStatus.self, forKey: .status)
        title = try fields.decode(String.self, forKey: .title)
        model = try fields.decodeIfPresent(String.self, forKey: .model)
        tags = try fields.decode([String].self, forKey: .tags)
        arguments = try fields.decode([String].self, forKey: .arguments)
        seed = try fields.decodeIfPresent(UInt64.self, forKey: .seed)
        version = try fields.decode(String.self, forKey: .version)
        build = try fields.decode(String.self, forKey: .build)
        machine = try fields.decode(MachineFingerprint.self, forKey: .machine)
        process = try fields.decode(ProcessMark.self, forKey: .process)
        beganAt = try fields.decode(Int.self, forKey: .beganAt)
        endedAt = try fields.decodeIfPresent(Int.self, forKey: .endedAt)
        failure = try fields.decodeIfPresent(String.self, forKey: .failure)
        rerunOf = try fields.decodeIfPresent(String.self, forKey: .rerunOf)
        results = try fields.decodeIfPresent(JSONValue.self, forKey: .results) ?? .null
        documents = try fields.decode([RecordDocument].self, forKey: .documents)
    }
}

/// A document of a run, by name and digest; its bytes are kept once, however many runs have it.
public struct RecordDocument: Hashable, Codable, Sendable {
    /// Went in or came out.
    public var role: DocumentRole
    /// The path by which the run read it, or the name that the run gave it.
    public var name: String
    /// SHA-256 of its bytes in hexadecimal; nil where it was too large to be read through (weights).
    public var digest: String?
    /// Its length in bytes.
    public var size: Int
    /// Whether the book holds its bytes: those of up to ``RecordBook/largestDocument``.
    public var isHeld: Bool

    private enum CodingKeys: String, CodingKey {
        case role, name, digest, size
        case isHeld = "held"
    }

    /// A document as the book lists it.
    public init(role: DocumentRole, name: String, digest: String?, size: Int, isHeld: Bool) {
        self.role = role
        self.name = name
        self.digest = digest
        self.size = size
        self.isHeld = isHeld
    }
}

/// A document on its way into the book.
public struct DocumentContent: Hashable, Sendable {
    /// Went in or came out.
    public var role: DocumentRole
    /// See ``RecordDocument/name``.
    public var name: String
    /// SHA-256; nil where it is unknown.
    public var digest: String?
    /// Length in bytes.
    public var size: Int
    /// The bytes, unless there are too many.
    public var bytes: [UInt8]?

    /// A document with its bytes, which are dropped beyond ``RecordBook/largestDocument``.
    public init(role: DocumentRole, name: String, bytes: [UInt8]) {
        self.init(role: role, name: name, digest: SHA256.hexadecimal(of: bytes), size: bytes.count, bytes: bytes)
    }

    /// A document whose digest is known.
    public init(role: DocumentRole, name: String, digest: String?, size: Int, bytes: [UInt8]?) {
        self.role = role
        self.name = name
        self.digest = digest
        self.size = size
        self.bytes = size > RecordBook.largestDocument ? nil : bytes
    }
}
