// One run on its way into the record book. A book that fails never fails the run: it is complained about once.

import ArgumentParser
import CServeCore
import CServeEngine
import CServeRecords
import CServeServer
import Foundation
import Synchronization

/// What a run came to, as far as its record is concerned.
struct RunOutcome {
    /// One line for lists.
    var summary: String
    /// The figures.
    var results: JSONValue
    /// What was made: name and bytes.
    var outputs: [(name: String, bytes: [UInt8])] = []

    /// The results as the book has them.
    var json: JSONValue { .object(JSONObject([("summary", .string(summary)), ("results", results)])) }

    /// The outputs as documents.
    var documents: [DocumentContent] {
        outputs.map { DocumentContent(role: .output, name: $0.name, bytes: $0.bytes) }
    }
}

/// A run that is being recorded, or not.
///
/// A command calls ``begin(title:model:seed:)`` once its inputs are read and the work is about to start, and
/// ``finish(_:)`` with what came of it; an error in between is recorded as the run's failure.
final class Recording: Sendable {
    private let kind: RecordKind
    private let options: RecordingOptions
    private let arguments: [String]
    private let rerunOf: String?
    private let state: Mutex<State> = Mutex(State())

    private struct State {
        var book: RecordBook?
        var id: String?
    }

    private init(_ kind: RecordKind, _ options: RecordingOptions, arguments: [String], rerunOf: String?) {
        self.kind = kind
        self.options = options
        self.arguments = Self.withoutSecrets(arguments)
        self.rerunOf = rerunOf
    }

    /// Runs work that is recorded as the flags say.
    static func of<Value>(
        _ kind: RecordKind, _ options: RecordingOptions, arguments: [String] = own, files: InputFiles? = nil,
        rerunOf: String? = nil, _ work: (Recording) throws -> Value
    ) throws -> Value {
        let recording = Recording(kind, options, arguments: arguments, rerunOf: rerunOf)
        return try InputFiles.$current.withValue(files ?? recording.files) {
            do { return try work(recording) } catch {
                recording.fail(error)
                throw error
            }
        }
    }

    /// The same for asynchronous work.
    static func of<Value>(
        _ kind: RecordKind, _ options: RecordingOptions, arguments: [String] = own, files: InputFiles? = nil,
        rerunOf: String? = nil, _ work: (Recording) async throws -> Value
    ) async throws -> Value {
        let recording = Recording(kind, options, arguments: arguments, rerunOf: rerunOf)
        return try await InputFiles.$current.withValue(files ?? recording.files) {
            do { return try await work(recording) } catch {
                recording.fail(error)
                throw error
            }
        }
    }

    /// This process's command line, without the program's name.
    static var own: [String] { Array(CommandLine.arguments.dropFirst()) }

    /// What runs, for records.
    static var version: String { ServerVersion.number }

    /// Where it runs, for records.
    static var machine: MachineFingerprint { .current(instructionSet: CPUInstructionSet.best.rawValue) }

    private var place: BookPlace { options.record ? BookPlace.find(options.book.records) : .off }

    private var files: InputFiles { InputFiles(.disk(notes: place != .off)) }

    /// Writes the run down as running, with what it has read so far.
    func begin(title: String, model: String? = nil, seed: UInt64? = nil) {
        guard let path = path() else { return }
        attempt {
            let book: RecordBook = try RecordBook(path: path)
            let draft = Record(
                kind: kind, title: options.recordTitle ?? title, model: model, tags: options.tags,
                arguments: arguments, seed: seed, version: Self.version, build: BuildMark.text, machine: Self.machine,
                rerunOf: rerunOf)
            let record: Record = try book.begin(draft, inputs: InputFiles.current.documents)
            state.withLock { $0 = State(book: book, id: record.id) }
        }
    }

    /// Completes the record, and says under which name it is found.
    func finish(_ outcome: RunOutcome) {
        complete { book, id in
            try book.finish(
                id, results: outcome.json, documents: InputFiles.current.documents + outcome.documents)
            let short: String = RecordID.short(id, among: try book.ids())
            Console.complain("Recorded as \(short) (cserve records show \(short)).")
        }
    }

    private func fail(_ error: any Error) {
        complete { book, id in
            try book.finish(id, failure: "\(error)", documents: InputFiles.current.documents)
        }
    }

    private func complete(_ body: (RecordBook, String) throws -> Void) {
        let (book, id): (RecordBook?, String?) = state.withLock { state in
            defer { state = State() }
            return (state.book, state.id)
        }
        guard let book, let id else { return }
        attempt { try body(book, id) }
        book.close()
    }

    private func path() -> String? {
        switch place {
        case .off: return nil
        case .path(let path): return path
        case .homeless:
            Console.complain("Not recorded: there is no home folder. Use --records FILE or --no-record.")
            return nil
        }
    }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { Console.complain("Not recorded: \(error)") }
    }

    /// Keys do not go into a book.
    static func withoutSecrets(_ arguments: [String]) -> [String] {
        var result: [String] = []
        for argument in arguments {
            let parts: [Substring] = argument.split(separator: "=", maxSplits: 1)
            if parts.count == 2, isSecret(String(parts[0]), String(parts[1])) {
                result.append(parts[0] + "=" + hidden)
            } else if let flag = result.last, isSecret(flag, argument) {
                result.append(hidden)
            } else {
                result.append(argument)
            }
        }
        return result
    }

    /// Keys, and headers that carry one.
    private static func isSecret(_ flag: String, _ value: String) -> Bool {
        guard flag == "--header" else { return flag == "--api-key" }
        let name: String = value.prefix { $0 != ":" && $0 != "=" }.lowercased()
        return ["auth", "key", "token", "cookie", "secret"].contains { name.contains($0) }
    }

    /// What stands for a secret.
    static let hidden: String = "***"
}

/// Which build this is.
enum BuildMark {
    static var text: String { [mode, architecture, system].joined(separator: " ") }

    private static var mode: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "other"
        #endif
    }

    private static var system: String {
        #if os(Linux)
            "linux"
        #else
            "macos"
        #endif
    }
}

/// A command whose run can be repeated from its record.
protocol RepeatableCommand: ParsableCommand {
    /// Does the work and records it; prints nothing but progress.
    func repeated(_ recording: Recording) async throws -> RunOutcome
}
