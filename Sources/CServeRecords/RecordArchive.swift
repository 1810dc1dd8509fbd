// Records in one file with all their documents: to keep, to send, and to take in elsewhere with every digest verified.

import CServeCore
import Foundation
import GRDB

/// Records and documents outside a book, one JSON value per line.
///
/// The first line names format and version, then every document stands before the records:
/// `{"format": "cserve-records", "version": 1}`, `{"document": {"digest", "text" or "base64"}}`, `{"record": {...}}`.
/// The same values in one JSON object (`format`, `version`, `documents`, `records`) are read and written too.
public struct RecordArchive: Hashable, Sendable {
    /// The version of the format that this build writes, and the latest that it reads.
    public static let version: Int = 1

    /// The records.
    public var records: [Record]
    /// Bytes by digest.
    public var documents: [String: [UInt8]]

    /// Puts an archive together.
    public init(records: [Record], documents: [String: [UInt8]]) {
        self.records = records
        self.documents = documents
    }

    /// One value per line.
    public func lines() throws -> [UInt8] {
        var bytes: [UInt8] = JSONValue.object(Self.head).serialized() + [UInt8(ascii: "\n")]
        for (digest, document) in sorted {
            bytes +=
                JSONValue.object(JSONObject([("document", Self.json(digest, document))])).serialized() + Self.newLine
        }
        for record in records {
            let value: JSONValue = try JSONValue(encoding: record)
            bytes += JSONValue.object(JSONObject([("record", value)])).serialized() + Self.newLine
        }
        return bytes
    }

    /// One object.
    public func object() throws -> [UInt8] {
        var whole: JSONObject = Self.head
        whole["records"] = try JSONValue(encoding: records)
        whole["documents"] = .array(sorted.map { Self.json($0.0, $0.1) })
        return JSONValue.object(whole).serialized(.pretty)
    }

    /// Reads either form and verifies every digest.
    /// - Throws: ``RecordBookError/notAnArchive(file:reason:)``, ``RecordBookError/newerArchive(file:version:known:)``,
    ///   ``RecordBookError/wrongDigest(file:digest:found:)``.
    public init(parsing bytes: [UInt8], file: String) throws(RecordBookError) {
        do {
            try self.init(values: Self.values(bytes), file: file)
        } catch let error as RecordBookError {
            throw error
        } catch {
            throw .notAnArchive(file: file, reason: "\(error)")
        }
    }

    private static let newLine: [UInt8] = [UInt8(ascii: "\n")]

    private static var head: JSONObject {
        JSONObject([("format", "cserve-records"), ("version", .integer(version))])
    }

    private var sorted: [(String, [UInt8])] { documents.sorted { $0.key < $1.key } }

    private init(values: [JSONValue], file: String) throws {
        guard let head = values.first, head["format"]?.stringValue == "cserve-records" else {
            throw RecordBookError.notAnArchive(file: file, reason: "its first value has no format cserve-records.")
        }
        if let version = head["version"]?.intValue, version > Self.version {
            throw RecordBookError.newerArchive(file: file, version: version, known: Self.version)
        }
        (records, documents) = ([], [:])
        for value in values {
            let single: [JSONValue] = [value["document"], value["record"]].compactMap { $0 }
            for document in (value["documents"]?.arrayValue ?? []) + (value["record"] == nil ? single : []) {
                try add(document, file)
            }
            for record in (value["records"]?.arrayValue ?? []) + (value["record"] != nil ? single : []) {
                records.append(try record.decoded(file: file))
            }
        }
    }

    private mutating func add(_ document: JSONValue, _ file: String) throws {
        let text: [UInt8]? = document["text"]?.stringValue.map { Array($0.utf8) }
        let coded: [UInt8]? = document["base64"]?.stringValue.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
        guard let digest = document["digest"]?.stringValue, let bytes = text ?? coded else {
            throw RecordBookError.notAnArchive(file: file, reason: "a document lacks its digest or its bytes.")
        }
        let found: String = SHA256.hexadecimal(of: bytes)
        guard found == digest else {
            throw RecordBookError.wrongDigest(file: file, digest: digest, found: found)
        }
        documents[digest] = bytes
    }

    /// Text stays legible; whatever is no UTF-8 is coded.
    private static func json(_ digest: String, _ bytes: [UInt8]) -> JSONValue {
        let text: String? = String(validating: bytes, as: UTF8.self)
        let body: (String, JSONValue) =
            text.map { ("text", .string($0)) } ?? ("base64", .string(Data(bytes).base64EncodedString()))
        return .object(JSONObject([("digest", .string(digest)), body]))
    }

    private static func values(_ bytes: [UInt8]) throws -> [JSONValue] {
        let first: ArraySlice<UInt8> = bytes.prefix { $0 != UInt8(ascii: "\n") }
        if let head = try? JSONValue(parsing: Array(first)), head["records"] == nil {
            return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
        }
        return [try JSONValue(parsing: bytes)]
    }
}

extension RecordBook {
    /// Records with all of their documents that the book holds.
    /// - Throws: ``RecordBookError``.
    public func archive(_ records: [Record]) throws(RecordBookError) -> RecordArchive {
        var documents: [String: [UInt8]] = [:]
        for digest in Set(records.flatMap(\.documents).compactMap(\.digest)) {
            documents[digest] = try bytes(digest)
        }
        return RecordArchive(records: records, documents: documents)
    }

    /// Takes an archive in, whole or not at all.
    /// - Parameters:
    ///   - archive: What was read.
    ///   - file: Where from, for messages.
    /// - Returns: the records that are new; those that the book has already are passed over.
    /// - Throws: ``RecordBookError``, ``RecordBookError/conflict(file:id:)`` among them.
    public func add(_ archive: RecordArchive, file: String) throws(RecordBookError) -> [Record] {
        try write { database in
            var added: [Record] = []
            for record in archive.records {
                if let row = try Self.row(record.id, database) {
                    guard try Self.isSame(try Self.current(row, database), record) else {
                        throw RecordBookError.conflict(file: file, id: record.id)
                    }
                    continue
                }
                // A run that is under way elsewhere will not be completed here.
                var copy: Record = record
                if copy.status == .running { copy.status = .interrupted }
                try RecordRow.insert(copy, database)
                for document in copy.documents {
                    let bytes: [UInt8]? = document.digest.flatMap { archive.documents[$0] }
                    let content = DocumentContent(
                        role: document.role, name: document.name, digest: document.digest, size: document.size,
                        bytes: bytes)
                    try RecordRow.insert(content, record: copy.id, database)
                }
                added.append(copy)
            }
            return added
        }
    }

    /// The same run, however many of its documents are held and whether its process was seen to end.
    private static func isSame(_ own: Record, _ other: Record) throws -> Bool {
        func bare(_ record: Record) -> Record {
            var copy: Record = record
            copy.documents = copy.documents.map { document in
                var plain: RecordDocument = document
                plain.isHeld = false
                return plain
            }
            if copy.status == .running { copy.status = .interrupted }
            return copy
        }
        return bare(own) == bare(other)
    }
}
