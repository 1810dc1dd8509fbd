// Fetches a model: what is there is kept, what began goes on, what is damaged is fetched anew, and nothing counts before its
// digest is right.

import CServeCore
import Foundation

/// How far a fetch is.
public struct HubProgress: Hashable, Sendable {
    /// Bytes that are there.
    public var bytes: Int
    /// Bytes in all.
    public var total: Int
    /// Files that are complete.
    public var files: Int
    /// Files in all.
    public var allFiles: Int
}

/// Fetches one model from one hub to one place.
public struct HubFetch: Sendable {
    let hub: Hub
    let place: HubPlace
    let selection: HubSelection
    /// Files at once.
    let workers: Int
    /// Waits between attempts.
    let pause: @Sendable (Int) async throws -> Void
    let report: @Sendable (HubProgress) -> Void

    /// Attempts at one file without a new byte.
    static let attempts: Int = 5

    /// Prepares a fetch.
    public init(
        hub: Hub, place: HubPlace, selection: HubSelection = HubSelection(), workers: Int = 4,
        pause: @escaping @Sendable (Int) async throws -> Void = { try await Task.sleep(for: .seconds($0)) },
        report: @escaping @Sendable (HubProgress) -> Void = { _ in }
    ) {
        self.hub = hub
        self.place = place
        self.selection = selection
        self.workers = max(1, workers)
        self.pause = pause
        self.report = report
    }

    /// Fetches, and returns the folder that the model is used from.
    /// - Throws: ``HubError``.
    public func run(_ model: HubModel) async throws -> String {
        let listing: HubListing = try await patiently { try await hub.listing(model) }
        let files: [HubFile] = selection.choose(listing.files)
        guard !files.isEmpty else { throw HubError.nothingChosen(model: model.description) }
        let wanted: [HubFile] = distinct(files, model)
        let meter = ProgressMeter(wanted, report)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, file) in wanted.enumerated() {
                if index >= workers { try await group.next() }
                group.addTask { try await fetch(file, model, listing.commit, meter) }
            }
            try await group.waitForAll()
        }
        let folder: String = place.snapshot(model, commit: listing.commit)
        try written(folder) { try place.publish(listing, files, model) }
        return folder
    }

    /// Files of the same bytes share a blob in a cache: it is fetched once.
    private func distinct(_ files: [HubFile], _ model: HubModel) -> [HubFile] {
        var seen: Set<String> = []
        return files.filter { seen.insert(place.blob($0, model)).inserted }
    }

    /// One file: attempts go on while bytes come.
    private func fetch(_ file: HubFile, _ model: HubModel, _ commit: String, _ meter: ProgressMeter) async throws {
        let path: String = place.blob(file, model)
        try written(path) {
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        }
        if try isThere(file, path) { return meter.finished(file) }
        let partial = try PartialFile(file, path + ".incomplete")
        meter.set(file, partial.length)
        var (failures, damages): (Int, Int) = (0, 0)
        while true {
            let before: Int = partial.length
            do {
                try await attempt(file, model, commit, partial, meter)
                break
            } catch HubError.damaged(let name, let expected, let found) {
                // Once more from its beginning: what is wrong twice is wrong at the hub.
                damages += 1
                guard damages < 2 else { throw HubError.damaged(file: name, expected: expected, found: found) }
            } catch let error where Self.passes(error) {
                failures = partial.length > before ? 1 : failures + 1
                guard failures < Self.attempts else { throw error }
                try await pause(1 << (failures - 1))
            }
        }
        try partial.publish(path)
        meter.finished(file)
    }

    private func attempt(
        _ file: HubFile, _ model: HubModel, _ commit: String, _ partial: PartialFile, _ meter: ProgressMeter
    ) async throws {
        if partial.length < file.size || file.size == 0 {
            try await hub.file(file, of: model, commit: commit, from: partial.length) { continues in
                if !continues { try partial.restart() }
            } body: { piece in
                try partial.append(piece)
                meter.set(file, partial.length)
            }
        }
        guard partial.length == file.size else {
            if partial.length > file.size { try partial.restart() }
            throw HubError.short(file: file.path, found: partial.length, expected: file.size)
        }
        try partial.check()
    }

    /// A file of a folder is checked by its digest; a blob of a cache has its digest as its name, and was checked before
    /// it got that.
    private func isThere(_ file: HubFile, _ path: String) throws -> Bool {
        let size: Int? = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue
        guard size == file.size else { return false }
        if case .cache = place { return true }
        var digest = FileDigest(file)
        _ = try? digest.take(path)
        return digest.finish() == file.digest
    }

    private func patiently<Value>(_ work: () async throws -> Value) async throws -> Value {
        var failures: Int = 0
        while true {
            do {
                return try await work()
            } catch let error where Self.passes(error) {
                failures += 1
                guard failures < Self.attempts else { throw error }
                try await pause(1 << (failures - 1))
            }
        }
    }

    /// Whether trouble may pass: a hub that is busy or gone for a moment, an answer cut short.
    private static func passes(_ error: any Error) -> Bool {
        switch error as? HubError {
        case .unreachable, .short: true
        case .status(_, let code): code == 429 || code == 408 || code >= 500
        default: false
        }
    }

    private func written(_ path: String, _ work: () throws -> Void) throws {
        do { try work() } catch let error as HubError { throw error } catch {
            throw HubError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
