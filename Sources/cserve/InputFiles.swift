// What a run reads goes through here, so that its record can hold the inputs and be repeated without the files.

import CServeCore
import CServeRecords
import Foundation
import Synchronization

/// The files that a run reads: the disk's, noted for its record, or a record's documents in their place.
///
/// Data inside the binary (catalogues, presets) counts as input too: a later build brings other numbers.
final class InputFiles: Sendable {
    /// The files of whatever runs now; nothing is noted where nothing is recorded.
    @TaskLocal static var current: InputFiles = InputFiles(.disk(notes: false))

    /// Where the bytes come from.
    enum Source: Sendable {
        case disk(notes: Bool)
        /// Documents by name; those that are not in the book have no bytes.
        case record([String: [UInt8]?])
    }

    /// What a path leads to.
    enum Kind: Hashable {
        case file
        case folder
    }

    private let source: Source
    private let noted: Mutex<[String: DocumentContent]> = Mutex([:])

    init(_ source: Source) {
        self.source = source
    }

    /// What was read so far, by name.
    var documents: [DocumentContent] {
        noted.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    /// What is at a path; nil for nothing.
    func kind(_ path: String) -> Kind? {
        switch source {
        case .disk:
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
            return isFolder.boolValue ? .folder : .file
        case .record(let documents):
            if documents[path] != nil { return .file }
            return documents.keys.contains { $0.hasPrefix(path + "/") } ? .folder : nil
        }
    }

    /// A file's bytes.
    func bytes(_ path: String) throws -> [UInt8] {
        switch source {
        case .disk: note(path, [UInt8](try Data(contentsOf: URL(filePath: path))))
        case .record(let documents): note(path, try Self.held(documents, path))
        }
    }

    /// A file's bytes; nil where it cannot be read.
    func contents(_ path: String) -> [UInt8]? { try? bytes(path) }

    /// Reads a file in pieces of up to a megabyte.
    /// - Throws: what opening and reading throws, and what `take` throws.
    func pieces(_ path: String, _ take: ([UInt8]) throws -> Void) throws {
        guard case .disk(let notes) = source else {
            let all: [UInt8] = try bytes(path)
            for start in stride(from: 0, to: all.count, by: 1 << 20) {
                try take(Array(all[start..<min(all.count, start + 1 << 20)]))
            }
            return
        }
        let handle: FileHandle = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? handle.close() }
        var digest: NotedStream? = notes ? NotedStream() : nil
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            let piece: [UInt8] = [UInt8](data)
            digest?.update(piece)
            try take(piece)
        }
        if let document = digest?.document(path) { keep(document) }
    }

    /// The first bytes of a file, which are not noted: whoever looks at them reads the file afterwards.
    func beginning(_ path: String, upTo count: Int) throws -> [UInt8] {
        guard case .disk = source else { return Array(try bytes(path).prefix(count)) }
        let handle: FileHandle = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? handle.close() }
        return [UInt8](try handle.read(upToCount: count) ?? Data())
    }

    /// Data inside the binary, or what a record had in its place.
    func builtIn(_ name: String, _ bytes: @autoclosure () -> [UInt8]) -> [UInt8] {
        let name: String = "built-in/" + name
        if case .record(let documents) = source, case .some(.some(let recorded)) = documents[name] {
            return note(name, recorded)
        }
        return note(name, bytes())
    }

    /// Pieces of data inside the binary that are numbered, as many as the record had.
    func builtIn(_ name: String, all: @autoclosure () -> [[UInt8]]) -> [[UInt8]] {
        if case .record(let documents) = source {
            let names: [String] = documents.keys.filter { $0.hasPrefix("built-in/\(name)/") }.sorted()
            if !names.isEmpty { return names.compactMap { name in (documents[name] ?? nil).map { note(name, $0) } } }
        }
        return all().enumerated().map { place, bytes in
            note("built-in/\(name)/\(place < 10 ? "0" : "")\(place).json", bytes)
        }
    }

    /// Notes a file that is too large to be read through: weights.
    func noteUnread(_ path: String) {
        let size: Any? = try? FileManager.default.attributesOfItem(atPath: path)[.size]
        keep(
            DocumentContent(
                role: .input, name: path, digest: nil, size: (size as? NSNumber)?.intValue ?? 0, bytes: nil))
    }

    /// Notes a table of measurements by its digest alone: hundreds of megabytes of them are no part of a book.
    func noteDigest(_ path: String, _ bytes: [UInt8]) {
        if case .disk(notes: false) = source { return }
        let digest: String = SHA256.hexadecimal(of: bytes)
        keep(DocumentContent(role: .input, name: path, digest: digest, size: bytes.count, bytes: nil))
    }

    @discardableResult
    private func note(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        if case .disk(notes: false) = source { return bytes }
        keep(DocumentContent(role: .input, name: name, bytes: bytes))
        return bytes
    }

    private func keep(_ document: DocumentContent) {
        if case .disk(notes: false) = source { return }
        noted.withLock { $0[document.name] = document }
    }

    private static func held(_ documents: [String: [UInt8]?], _ name: String) throws -> [UInt8] {
        guard let document = documents[name] else { throw RecordInputError.notRecorded(name) }
        guard let bytes = document else { throw RecordInputError.notHeld(name) }
        return bytes
    }
}

/// A file's digest, and its bytes while there are few enough.
private struct NotedStream {
    private var digest: SHA256 = SHA256()
    private var bytes: [UInt8]? = []
    private var size: Int = 0

    mutating func update(_ piece: [UInt8]) {
        digest.update(piece[...])
        size += piece.count
        if size > RecordBook.largestDocument { bytes = nil }
        bytes?.append(contentsOf: piece)
    }

    mutating func document(_ name: String) -> DocumentContent {
        DocumentContent(role: .input, name: name, digest: digest.finish(), size: size, bytes: bytes)
    }
}

/// Why a record cannot stand for the files.
enum RecordInputError: Error, Hashable, CustomStringConvertible {
    /// The run did not read that file.
    case notRecorded(String)
    /// The file was longer than what the book keeps.
    case notHeld(String)
    /// A file given in place of a document is another.
    case otherFile(name: String, file: String)

    var description: String {
        switch self {
        case .notRecorded(let name):
            "The record has no document \(name): the run did not read it. Run the command itself."
        case .notHeld(let name):
            "The book has only the digest of \(name), which is too long to be kept. Name the file: --file \(name)=PATH"
        case .otherFile(let name, let file):
            "\(file) is not \(name) as it was: the digests differ. Name the file that was read then."
        }
    }
}
