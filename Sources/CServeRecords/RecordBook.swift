// The record book: every plan, simulation, benchmark and profile in one SQLite file, written in two phases.

import CServeCore
import Foundation
import GRDB

/// An open book. Several processes may have the same one open and write to it.
///
/// A run is written as `running` before it begins and completed with its results in one transaction, so that whatever
/// ends a process leaves either the whole result or a run that is shown as interrupted.
public final class RecordBook: Sendable {
    /// Documents up to this length are held; of longer ones the book keeps digest and length.
    public static let largestDocument: Int = 32 << 20

    /// How a book is opened.
    public struct Options: Hashable, Sendable {
        /// Whether a book is begun where there is none.
        public var mayCreate: Bool = true
        /// How long another process's lock is waited for, in seconds.
        public var busySeconds: Int = 10
        /// The most pages (of 4 KiB) that the file may have; nil for as many as the disk holds.
        public var maxPages: Int?

        /// The defaults.
        public init() {}
    }

    /// Where the book is.
    public let path: String
    let queue: DatabaseQueue
    private let options: Options

    /// Opens a book, begins one, or brings an older one to this version.
    /// - Throws: ``RecordBookError``.
    public init(path: String, options: Options = Options()) throws(RecordBookError) {
        self.path = path
        self.options = options
        do {
            queue = try Self.open(path, options)
        } catch {
            throw RecordBookError(error, path: path, seconds: options.busySeconds)
        }
    }

    /// Closes the file; a book is closed too when it is let go.
    public func close() { try? queue.close() }

    func read<Value>(_ body: (Database) throws -> Value) throws(RecordBookError) -> Value {
        try translated { try queue.read(body) }
    }

    /// Runs a body as one transaction that holds the write lock from its beginning, so that it never has to be repeated.
    func write<Value>(_ body: (Database) throws -> Value) throws(RecordBookError) -> Value {
        try translated {
            try queue.writeWithoutTransaction { database in
                var value: Value?
                try database.inTransaction(.immediate) {
                    value = try body(database)
                    return .commit
                }
                guard let value else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                return value
            }
        }
    }

    private func translated<Value>(_ body: () throws -> Value) throws(RecordBookError) -> Value {
        do { return try body() } catch {
            throw RecordBookError(error, path: path, seconds: options.busySeconds)
        }
    }
}

extension RecordBook {
    fileprivate static func open(_ path: String, _ options: Options) throws -> DatabaseQueue {
        if !FileManager.default.fileExists(atPath: path) {
            guard options.mayCreate else { throw RecordBookError.missing(path: path) }
            // Prompts and traces are nobody else's business.
            try FileManager.default.createDirectory(
                at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        let end: ContinuousClock.Instant = .now + .seconds(options.busySeconds)
        while true {
            do { return try opened(path, options) } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < end
            {
                // Turning a new file's journal into a log is the one step for which SQLite does not wait.
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
    }

    private static func opened(_ path: String, _ options: Options) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(TimeInterval(options.busySeconds))
        configuration.prepareDatabase { database in
            // Results must survive a power cut; a run writes twice, so the wait does not matter.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            if let pages = options.maxPages { try database.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
        let queue: DatabaseQueue = try DatabaseQueue(path: path, configuration: configuration)
        do {
            try prepare(queue, path)
        } catch {
            throw try diagnosed(error, queue, path)
        }
        return queue
    }

    private static func prepare(_ queue: DatabaseQueue, _ path: String) throws {
        try queue.writeWithoutTransaction { database in
            switch try RecordSchema.state(database) {
            case .foreign: throw RecordBookError.notABook(path: path)
            case .book(let version) where version > RecordSchema.version:
                throw RecordBookError.newer(path: path, schema: version, known: RecordSchema.version)
            case .book(let version) where version == RecordSchema.version: return
            case .empty:
                // What is deleted gives its room back; this can be set only before there is a table.
                try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            case .book: break
            }
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try RecordSchema.migrate(database)
        }
    }

    /// Adds to an error of damage what SQLite's own check finds.
    private static func diagnosed(_ error: any Error, _ queue: DatabaseQueue, _ path: String) throws -> any Error {
        guard let database = error as? DatabaseError, database.resultCode == .SQLITE_CORRUPT else { return error }
        let found: [String]? = try? queue.read { try String.fetchAll($0, sql: "PRAGMA quick_check(3)") }
        guard let found, !found.isEmpty else { return error }
        return RecordBookError.corrupt(path: path, reason: found.joined(separator: "; "))
    }
}
