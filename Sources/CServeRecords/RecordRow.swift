// Records as rows, and rows as records.

import CServeCore
import Foundation
import GRDB

/// Writes and reads single records inside a transaction.
enum RecordRow {
    static func insert(_ record: Record, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO records (id, kind, status, title, model, arguments, seed, version, build, machine, process,
                    began_ms, ended_ms, failure, results, rerun_of)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.id, record.kind.rawValue, record.status.rawValue, record.title, record.model,
                try JSONValue(encoding: record.arguments).text(), record.seed.map { "\($0)" }, record.version,
                record.build, try JSONValue(encoding: record.machine).text(),
                try JSONValue(encoding: record.process).text(), record.beganAt, record.endedAt, record.failure,
                results(record.results), record.rerunOf,
            ])
        for tag in record.tags {
            try database.execute(sql: "INSERT INTO tags (record, tag) VALUES (?, ?)", arguments: [record.id, tag])
        }
    }

    static func results(_ value: JSONValue) -> String? { value.isNull ? nil : value.text() }

    /// Lists a document for a record, and keeps its bytes unless they are there already.
    static func insert(_ document: DocumentContent, record: String, _ database: Database) throws {
        if let digest = document.digest, let bytes = document.bytes {
            try database.execute(
                sql: "INSERT OR IGNORE INTO documents (digest, bytes) VALUES (?, ?)", arguments: [digest, Data(bytes)])
        }
        try database.execute(
            sql: """
                INSERT INTO record_documents (record, role, name, digest, size) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (record, role, name) DO UPDATE SET digest = excluded.digest, size = excluded.size
                """,
            arguments: [record, document.role.rawValue, document.name, document.digest, document.size])
    }

    /// A record as its row has it, with its tags and documents.
    static func record(_ row: Row, _ database: Database) throws -> Record {
        let id: String = row["id"]
        var members: [(String, JSONValue)] = [
            ("id", .string(id)), ("kind", .string(row["kind"])), ("status", .string(row["status"])),
            ("title", .string(row["title"])), ("tags", .array(try tags(id, database).map { .string($0) })),
            ("arguments", try json(row["arguments"])), ("version", .string(row["version"])),
            ("build", .string(row["build"])), ("machine", try json(row["machine"])),
            ("process", try json(row["process"])), ("began_ms", .integer(row["began_ms"])),
            ("documents", try JSONValue(encoding: try documents(id, database))),
        ]
        for name in ["model", "failure", "rerun_of"] {
            if let text: String = row[name] { members.append((name, .string(text))) }
        }
        for name in ["results", "seed"] { if let text: String = row[name] { members.append((name, try json(text))) } }
        if let ended: Int = row["ended_ms"] { members.append(("ended_ms", .integer(ended))) }
        return try JSONValue.object(JSONObject(members)).decoded(file: "record \(id)")
    }

    private static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    private static func tags(_ id: String, _ database: Database) throws -> [String] {
        try String.fetchAll(database, sql: "SELECT tag FROM tags WHERE record = ? ORDER BY tag", arguments: [id])
    }

    private static func documents(_ id: String, _ database: Database) throws -> [RecordDocument] {
        let sql: String = """
            SELECT d.role, d.name, d.digest, d.size, h.digest IS NOT NULL AS held
            FROM record_documents d LEFT JOIN documents h ON h.digest = d.digest
            WHERE d.record = ? ORDER BY d.role, d.name
            """
        return try Row.fetchAll(database, sql: sql, arguments: [id]).map { row in
            RecordDocument(
                role: DocumentRole(rawValue: row["role"]) ?? .input, name: row["name"], digest: row["digest"],
                size: row["size"], isHeld: row["held"])
        }
    }
}
