// The two phases of a run in the book, and what becomes of runs whose process is gone.

import CServeCore
import Foundation
import GRDB

extension RecordBook {
    /// Writes a run that begins, with what it reads.
    /// - Returns: the record as it stands in the book: its id is another where a run of the same second had it.
    /// - Throws: ``RecordBookError``.
    public func begin(_ draft: Record, inputs: [DocumentContent]) throws(RecordBookError) -> Record {
        try write { database in
            try Self.markInterrupted(database)
            var record: Record = draft
            while try Self.row(record.id, database) != nil { record.id = RecordID.make(at: record.beganAt) }
            try RecordRow.insert(record, database)
            for input in inputs { try RecordRow.insert(input, record: record.id, database) }
            return record
        }
    }

    /// Completes a run: results, documents and status in one transaction.
    /// - Parameters:
    ///   - id: The whole id.
    ///   - failure: Why it failed; nil for a run that finished.
    ///   - results: What came of it, in short.
    ///   - documents: What else it read, and what it made.
    /// - Throws: ``RecordBookError``, ``RecordBookError/notRunning(id:)`` among them.
    public func finish(
        _ id: String, failure: String? = nil, results: JSONValue = .null, documents: [DocumentContent] = []
    ) throws(RecordBookError) {
        try write { database in
            let status: RecordStatus = failure == nil ? .finished : .failed
            try database.execute(
                sql: """
                    UPDATE records SET status = ?, ended_ms = ?, failure = ?, results = ?
                    WHERE id = ? AND status = 'running'
                    """,
                arguments: [
                    status.rawValue, RecordClock.milliseconds, failure, RecordRow.results(results), id,
                ])
            guard database.changesCount == 1 else { throw RecordBookError.notRunning(id: id) }
            for document in documents { try RecordRow.insert(document, record: id, database) }
        }
    }

    /// Removes records, and the documents that no other record has.
    /// - Throws: ``RecordBookError``, ``RecordBookError/stillRunning(id:process:)`` among them: then none is removed.
    public func delete(_ ids: [String]) throws(RecordBookError) {
        try write { database in
            for id in ids {
                guard let row = try Self.row(id, database) else {
                    throw RecordBookError.unknown(reference: id, path: self.path)
                }
                let record: Record = try Self.current(row, database)
                if record.status == .running, record.process.state == .alive {
                    throw RecordBookError.stillRunning(id: id, process: record.process.id)
                }
                try database.execute(sql: "DELETE FROM records WHERE id = ?", arguments: [id])
            }
            try database.execute(
                sql: """
                    DELETE FROM documents WHERE NOT EXISTS
                        (SELECT 1 FROM record_documents d WHERE d.digest = documents.digest)
                    """)
        }
        // Gives the room back; best left to another time when others are at work.
        try? queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
    }

    /// Runs whose process is gone are interrupted: written down by whoever writes next, shown so by every reader.
    private static func markInterrupted(_ database: Database) throws {
        let rows: [Row] = try Row.fetchAll(database, sql: "SELECT id, process FROM records WHERE status = 'running'")
        for row in rows where try process(row).state == .gone {
            try database.execute(
                sql: "UPDATE records SET status = 'interrupted' WHERE id = ?", arguments: [row["id"] as String])
        }
    }

    private static func process(_ row: Row) throws -> ProcessMark {
        try JSONValue(parsing: row["process"] as String).decoded(file: "process")
    }

    static func row(_ id: String, _ database: Database) throws -> Row? {
        try Row.fetchOne(database, sql: "SELECT * FROM records WHERE id = ?", arguments: [id])
    }

    /// A record as it is now.
    static func current(_ row: Row, _ database: Database) throws -> Record {
        var record: Record = try RecordRow.record(row, database)
        if record.status == .running, record.process.state == .gone { record.status = .interrupted }
        return record
    }
}
