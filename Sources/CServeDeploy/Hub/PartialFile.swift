// A file that is being fetched: written beside its place, and moved there when its digest is right.

import Foundation
import Synchronization

/// The bytes so far. Used by one task at a time.
final class PartialFile: Sendable {
    private struct State {
        var digest: FileDigest
        var length: Int
    }

    private let file: HubFile
    private let path: String
    private let handle: FileHandle
    private let state: Mutex<State>

    /// Opens what an earlier run left, or begins.
    init(_ file: HubFile, _ path: String) throws {
        self.file = file
        self.path = path
        var digest = FileDigest(file)
        var length: Int = 0
        do {
            if FileManager.default.fileExists(atPath: path) {
                length = try digest.take(path)
            } else {
                try Data().write(to: URL(fileURLWithPath: path))
            }
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            _ = try handle.seekToEnd()
        } catch {
            throw HubError.unwritable(path: path, reason: error.localizedDescription)
        }
        state = Mutex(State(digest: digest, length: length))
    }

    deinit { try? handle.close() }

    /// Bytes so far.
    var length: Int { state.withLock { $0.length } }

    /// Forgets what is there.
    func restart() throws {
        try written {
            try handle.truncate(atOffset: 0)
            state.withLock { $0 = State(digest: FileDigest(file), length: 0) }
        }
    }

    /// Takes the next bytes; more than the file has are not written.
    func append(_ piece: ArraySlice<UInt8>) throws {
        guard length + piece.count <= file.size else {
            throw HubError.short(file: file.path, found: length + piece.count, expected: file.size)
        }
        try written { try handle.write(contentsOf: Data(piece)) }
        state.withLock { state in
            state.digest.update(piece)
            state.length += piece.count
        }
    }

    /// Compares with the hub's digest; what is wrong is emptied, so that the next attempt begins anew.
    func check() throws {
        let found: String = state.withLock { state in
            var digest: FileDigest = state.digest
            return digest.finish()
        }
        guard found != file.digest else { return }
        try restart()
        throw HubError.damaged(file: file.path, expected: file.digest, found: found)
    }

    /// Moves the file to its place.
    func publish(_ final: String) throws {
        try written {
            try handle.synchronize()
            guard rename(path, final) == 0 else {
                throw HubError.unwritable(path: final, reason: String(cString: strerror(errno)))
            }
        }
    }

    private func written(_ work: () throws -> Void) throws {
        do { try work() } catch let error as HubError { throw error } catch {
            throw HubError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}

/// Adds up how far all files are.
final class ProgressMeter: Sendable {
    private struct State {
        var bytes: [String: Int] = [:]
        var done: Set<String> = []
    }

    private let total: Int
    private let files: Int
    private let state: Mutex<State> = Mutex(State())
    private let report: @Sendable (HubProgress) -> Void

    init(_ files: [HubFile], _ report: @escaping @Sendable (HubProgress) -> Void) {
        total = files.reduce(0) { $0 + $1.size }
        self.files = files.count
        self.report = report
    }

    func set(_ file: HubFile, _ bytes: Int) {
        tell { $0.bytes[file.path] = bytes }
    }

    func finished(_ file: HubFile) {
        tell { state in
            state.bytes[file.path] = file.size
            state.done.insert(file.path)
        }
    }

    private func tell(_ change: (inout State) -> Void) {
        let progress: HubProgress = state.withLock { state in
            change(&state)
            return HubProgress(
                bytes: state.bytes.values.reduce(0, +), total: total, files: state.done.count, allFiles: files)
        }
        report(progress)
    }
}
