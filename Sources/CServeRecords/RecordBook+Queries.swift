// Finding records: by filters, by the beginning of an id, and documents by digest.

import CServeCore
import Foundation
import GRDB

/// Which records are wanted; every condition must hold.
public struct RecordFilter: Hashable, Sendable {
    /// Of these kinds; empty for all.
    public var kinds: [RecordKind] = []
    /// How far they came; empty for all.
    public var statuses: [RecordStatus] = []
    /// A part of the model's name, in any case.
    public var model: String?
    /// Begun at or after, in milliseconds since 1970.
    public var since: Int?
    /// With all of these tags.
    public var tags: [String] = []
    /// The newest so many; nil for all.
    public var limit: Int?

    /// All records.
    public init() {}
}

extension RecordBook {
    /// The records that a filter takes, newest first.
    /// - Throws: ``RecordBookError``.
    public func records(_ filter: RecordFilter = RecordFilter()) throws(RecordBookError) -> [Record] {
        let query: (sql: String, arguments: StatementArguments) = Self.query(filter)
        return try read { database in
            var found: [Record] = []
            let rows: RowCursor = try Row.fetchCursor(database, sql: query.sql, arguments: query.arguments)
            while let row = try rows.next(), found.count < filter.limit ?? Int.max {
                let record: Record = try Self.current(row, database)
                if filter.statuses.isEmpty || filter.statuses.contains(record.status) { found.append(record) }
            }
            return found
        }
    }

    /// The record that a text names: an id, its beginning, the beginning of its digits, `last` or `last~2`.
    /// - Throws: ``RecordBookError``, ``RecordBookError/unknown(reference:path:)`` and
    ///   ``RecordBookError/ambiguous(reference:candidates:)`` among them.
    public func record(_ reference: String) throws(RecordBookError) -> Record {
        try read { database in
            let ids: [String] = try self.candidates(reference, database)
            guard let id = ids.first, let row = try Self.row(id, database) else {
                throw RecordBookError.unknown(reference: reference, path: self.path)
            }
            guard ids.count == 1 else { throw RecordBookError.ambiguous(reference: reference, candidates: ids) }
            return try Self.current(row, database)
        }
    }

    /// Every id, oldest first.
    public func ids() throws(RecordBookError) -> [String] {
        try read { try String.fetchAll($0, sql: "SELECT id FROM records ORDER BY began_ms, id") }
    }

    /// The bytes of a document; nil where the book does not hold them.
    public func bytes(_ digest: String) throws(RecordBookError) -> [UInt8]? {
        try read { database in
            try Data.fetchOne(database, sql: "SELECT bytes FROM documents WHERE digest = ?", arguments: [digest])
                .map { [UInt8]($0) }
        }
    }

    private func candidates(_ reference: String, _ database: Database) throws -> [String] {
        if let steps = Self.stepsBack(reference) {
            let sql: String = "SELECT id FROM records ORDER BY began_ms DESC, id DESC LIMIT 1 OFFSET ?"
            return try String.fetchAll(database, sql: sql, arguments: [steps])
        }
        let text: String = reference.lowercased()
        guard RecordID.canBegin(text) else { return [] }
        let sql: String = """
            SELECT id FROM records WHERE substr(id, 1, ?) = ? OR substr(id, ?, ?) = ? ORDER BY id DESC LIMIT 6
            """
        return try String.fetchAll(
            database, sql: sql, arguments: [text.utf8.count, text, RecordID.timeLength + 1, text.utf8.count, text])
    }

    /// 0 for `last`, 2 for `last~2`, nil for an id.
    private static func stepsBack(_ reference: String) -> Int? {
        if reference == "last" { return 0 }
        guard reference.hasPrefix("last~"), let steps = Int(reference.dropFirst(5)), steps >= 0 else { return nil }
        return steps
    }

    private static func query(_ filter: RecordFilter) -> (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
        if !filter.kinds.isEmpty {
            conditions.append("kind IN (\(filter.kinds.map { _ in "?" }.joined(separator: ", ")))")
            arguments += filter.kinds.map(\.rawValue)
        }
        if let model = filter.model {
            conditions.append("instr(lower(model), lower(?)) > 0")
            arguments.append(model)
        }
        if let since = filter.since {
            conditions.append("began_ms >= ?")
            arguments.append(since)
        }
        for tag in filter.tags {
            conditions.append("EXISTS (SELECT 1 FROM tags t WHERE t.record = records.id AND t.tag = ?)")
            arguments.append(tag)
        }
        let condition: String = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return (
            "SELECT * FROM records\(condition) ORDER BY began_ms DESC, id DESC", StatementArguments(arguments)
        )
    }
}
