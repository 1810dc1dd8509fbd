// The book's tables, version by version: a step once published is never edited, only followed by another.

import GRDB

/// Tables and their history.
enum RecordSchema {
    /// Marks the file as ours: "CSRB" in SQLite's header (PRAGMA application_id).
    static let applicationID: Int = 0x4353_5242

    /// The version that this build writes; in SQLite's header (PRAGMA user_version).
    static var version: Int { steps.count }

    /// `steps[n]` leads from version n to n + 1.
    static let steps: [String] = [first, second]

    /// What a file is.
    enum State {
        case empty
        case book(version: Int)
        case foreign
    }

    static func state(_ database: Database) throws -> State {
        let id: Int = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version: Int = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if id == applicationID { return .book(version: version) }
        let tables: Int = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        return tables == 0 && id == 0 && version == 0 ? .empty : .foreign
    }

    /// Brings a file to this version in one transaction, so that two processes may try it at once.
    static func migrate(_ database: Database, to last: Int = version) throws {
        try database.inTransaction(.immediate) {
            var reached: Int = 0
            if case .book(let version) = try state(database) { reached = version }
            for step in steps[min(reached, last)..<last] { try database.execute(sql: step) }
            if reached < last {
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(last)")
            }
            return .commit
        }
    }

    private static let first: String = """
        CREATE TABLE records (
            id TEXT NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            title TEXT NOT NULL,
            model TEXT,
            arguments TEXT NOT NULL,
            seed TEXT,
            version TEXT NOT NULL,
            build TEXT NOT NULL,
            machine TEXT NOT NULL,
            process TEXT NOT NULL,
            began_ms INTEGER NOT NULL,
            ended_ms INTEGER,
            failure TEXT,
            results TEXT
        ) STRICT;
        CREATE INDEX records_by_time ON records (began_ms, id);
        CREATE TABLE documents (
            digest TEXT NOT NULL PRIMARY KEY,
            bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE record_documents (
            record TEXT NOT NULL REFERENCES records (id) ON DELETE CASCADE,
            role TEXT NOT NULL,
            name TEXT NOT NULL,
            digest TEXT,
            size INTEGER NOT NULL,
            PRIMARY KEY (record, role, name)
        ) STRICT;
        CREATE INDEX record_documents_by_digest ON record_documents (digest);
        """

    private static let second: String = """
        ALTER TABLE records ADD COLUMN rerun_of TEXT;
        CREATE TABLE tags (
            record TEXT NOT NULL REFERENCES records (id) ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (record, tag)
        ) STRICT;
        CREATE INDEX tags_by_tag ON tags (tag);
        """
}
