// What can go wrong with a book, told with its place and what to do next.

import Foundation
import GRDB

/// Why the book cannot do what it is asked.
public enum RecordBookError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No book at the place.
    case missing(path: String)
    /// A file that is no record book.
    case notABook(path: String)
    /// A book of a later version.
    case newer(path: String, schema: Int, known: Int)
    /// A damaged book.
    case corrupt(path: String, reason: String)
    /// No room on the disk.
    case full(path: String)
    /// Another process kept the book locked.
    case busy(path: String, seconds: Int)
    /// The book or its folder may not be written.
    case readOnly(path: String)
    /// The system refuses the file.
    case unusable(path: String, reason: String)
    /// No record of that name.
    case unknown(reference: String, path: String)
    /// Several records of that name.
    case ambiguous(reference: String, candidates: [String])
    /// A record that is written still.
    case stillRunning(id: String, process: Int32)
    /// A record that has ended, or is gone, and cannot be finished.
    case notRunning(id: String)
    /// A file to import that is not one of ours.
    case notAnArchive(file: String, reason: String)
    /// An archive of a later version.
    case newerArchive(file: String, version: Int, known: Int)
    /// A document in an archive whose bytes are not those of its digest.
    case wrongDigest(file: String, digest: String, found: String)
    /// A record in an archive whose id another record has.
    case conflict(file: String, id: String)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .missing(let path):
            "There is no record book at \(path). cserve plan, simulate and bench begin one; --records names another."
        case .notABook(let path): "\(path) is an SQLite database, but not a record book. Name another with --records."
        case .newer(let path, let schema, let known):
            "The record book \(path) has schema \(schema), this cserve knows \(known) at most. Use the newer cserve that "
                + "wrote it, or another book with --records."
        case .corrupt(let path, let reason):
            "The record book \(path) is damaged: \(reason). Nothing was changed. Move it away, save what can be read with "
                + "sqlite3 \(path) .recover, and begin anew; cserve records import takes earlier exports in."
        case .full(let path):
            "There is no room left for the record book \(path). Nothing was half written. Make room (cserve records "
                + "delete), or use another place with --records."
        case .busy(let path, let seconds):
            "The record book \(path) was locked by another process for \(seconds) s. Try again when it is done."
        case .readOnly(let path):
            "The record book \(path) may not be written. Check the permissions of the file and of its folder, or use "
                + "another place with --records."
        case .unusable(let path, let reason):
            "The record book \(path) cannot be used: \(reason). Check its folder, or use another place with --records."
        default: aboutRecords
        }
    }

    private var aboutRecords: String {
        switch self {
        case .unknown(let reference, let path):
            "There is no record \(reference) in \(path). cserve records list shows what there is."
        case .ambiguous(let reference, let candidates):
            "\(reference) begins several records: \(candidates.joined(separator: ", ")). Write more of it."
        case .stillRunning(let id, let process):
            "\(id) is still running (process \(process)). Wait until it ends, or stop it first."
        case .notRunning(let id): "\(id) is not running any more, so that no results can be added to it."
        case .notAnArchive(let file, let reason):
            "\(file) is no export of records: \(reason) Make one with cserve records export."
        case .newerArchive(let file, let version, let known):
            "\(file) has version \(version) of the export format, this cserve knows \(known) at most. Use a newer one."
        case .wrongDigest(let file, let digest, let found):
            "\(file): the document \(digest.prefix(12)) has bytes with the digest \(found.prefix(12)), so that they were "
                + "changed. Nothing was imported; export them again."
        case .conflict(let file, let id):
            "\(file): \(id) is in the book already with other contents. Nothing was imported; delete one of the two."
        default: "The record book cannot be used."
        }
    }

    /// SQLite's errors in the book's words.
    init(_ error: any Error, path: String, seconds: Int) {
        if let own = error as? RecordBookError {
            self = own
            return
        }
        guard let error = error as? DatabaseError else {
            self = .unusable(path: path, reason: error.localizedDescription)
            return
        }
        switch error.resultCode {
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_IOERR where Self.hasNoRoom(path): self = .full(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path, seconds: seconds)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .corrupt(path: path, reason: error.message ?? "SQLite says \(error.resultCode)")
        case .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(path: path)
        default: self = .unusable(path: path, reason: error.message ?? "SQLite says \(error.resultCode)")
        }
    }

    /// Less than a page is free: input and output errors of a full disk do not always say so.
    private static func hasNoRoom(_ path: String) -> Bool {
        let folder: String = URL(filePath: path).deletingLastPathComponent().path
        let free: Any? = try? FileManager.default.attributesOfFileSystem(forPath: folder)[.systemFreeSize]
        return ((free as? NSNumber)?.intValue ?? Int.max) < 65_536
    }
}
