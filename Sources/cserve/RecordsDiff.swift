// `cserve records diff` and `rerun`: two runs side by side, and one repeated.

import ArgumentParser
import CServeCore
import CServeRecords
import Foundation

/// `cserve records diff`.
struct RecordsDiff: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what went into two runs differently, then what came out.",
        discussion: """
            EXIT STATUS
              0   the same results         2   results that differ         1   a record that cannot be read
            """)

    @Argument(help: "A record.")
    var first: String

    @Argument(help: "Another one.")
    var second: String

    @OptionGroup var shown: DifferenceOptions
    @OptionGroup var book: BookOptions

    func run() throws {
        try Failure.explained(asJSON: shown.json) {
            let book: RecordBook = try OpenBook.at(book)
            let records: [Record] = [try book.record(first), try book.record(second)]
            let comparison = try RecordComparison(records[0], records[1]) { try book.bytes($0) }
            let ids: [String] = try book.ids()
            try shown.say(comparison, names: records.map { RecordID.short($0.id, among: ids) })
        }
    }
}

/// How differences are shown.
struct DifferenceOptions: ParsableArguments {
    @Flag(help: "Show every difference (default: the first 40 of the results).")
    var all: Bool = false

    @Flag(help: "Print JSON.")
    var json: Bool = false

    /// Prints a comparison.
    /// - Throws: exit status 2 where the results differ.
    func say(_ comparison: RecordComparison, names: [String]) throws {
        let text = DifferenceText(comparison: comparison, names: names, most: all ? Int.max : 40)
        Console.say(json ? text.json.text(.pretty) : text.text)
        if !comparison.isEqual { throw ExitCode(2) }
    }
}

/// `cserve records rerun`.
struct RecordsRerun: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Repeat a run from its record alone, and say how the result differs.",
        discussion: """
            The command line, and every file and catalogue that the run read, are taken from the book: the files themselves
            may be gone. Of this build only the program is used.

            EXIT STATUS
              0   the same results         2   results that differ         1   it cannot be repeated
            """)

    @Argument(help: "A record of cserve plan, simulate, or bench against a server.")
    var record: String

    @Option(help: "The server that a benchmark is repeated against (default: the recorded one).")
    var url: String?

    @Option(help: "The server's key, which no record keeps.")
    var apiKey: String?

    @Option(name: .customLong("file"), help: "A document that the book does not hold: NAME=PATH (may be repeated).")
    var files: [String] = []

    @OptionGroup var shown: DifferenceOptions
    @OptionGroup(title: "Records") var recording: RecordingOptions

    func run() async throws {
        try await Failure.explained {
            let book: RecordBook = try OpenBook.at(recording.book)
            let original: Record = try book.record(record)
            guard original.status == .finished else {
                throw RecordsCommandError.noResults(id: original.id, status: original.status.rawValue)
            }
            let inputs = InputFiles(.record(try documents(original, book)))
            let arguments: [String] = try arguments(original)
            let command: any RepeatableCommand = try Self.command(arguments)
            let outcome: RunOutcome = try await Recording.of(
                original.kind, options(original), arguments: arguments, files: inputs, rerunOf: original.id
            ) { try await command.repeated($0) }
            try compare(original, arguments, outcome, inputs, book)
        }
    }

    /// The recorded command line, with another server and a key where they are given.
    private func arguments(_ original: Record) throws -> [String] {
        var arguments: [String] = original.arguments
        if let place = arguments.firstIndex(where: { $0.hasSuffix(Recording.hidden) }) {
            let flag: String = arguments[place].contains("=") ? arguments[place] : arguments[place - 1]
            guard let apiKey, flag.hasPrefix("--api-key") else {
                throw RecordsCommandError.needsSecret(flag: String(flag.prefix { $0 != "=" }))
            }
            arguments[place] = flag.contains("=") ? "--api-key=" + apiKey : apiKey
        } else if let apiKey {
            arguments += ["--api-key", apiKey]
        }
        // Of a flag that is given twice the last one counts.
        return arguments + (url.map { ["--url", $0] } ?? [])
    }

    /// The command of a command line.
    static func command(_ arguments: [String]) throws -> any RepeatableCommand {
        guard let command = try CServe.parseAsRoot(arguments) as? any RepeatableCommand else {
            throw RecordsCommandError.notRepeatable(
                command: arguments.prefix { !$0.hasPrefix("-") }.joined(separator: " "))
        }
        return command
    }

    /// The rerun is recorded under the original's title and tags besides its own.
    private func options(_ original: Record) -> RecordingOptions {
        var options: RecordingOptions = recording
        if options.recordTitle == nil { options.recordTitle = original.title }
        options.tags = Array(Set(options.tags + original.tags))
        return options
    }

    private func documents(_ record: Record, _ book: RecordBook) throws -> [String: [UInt8]?] {
        var documents: [String: [UInt8]?] = [:]
        for document in record.documents where document.role == .input {
            documents[document.name] = .some(try document.digest.flatMap { try book.bytes($0) })
        }
        for text in files {
            let parts: [Substring] = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw RecordsCommandError.badReplacement(text) }
            let (name, path): (String, String) = (String(parts[0]), String(parts[1]))
            guard let document = record.documents.first(where: { $0.name == name && $0.role == .input }) else {
                throw RecordsCommandError.noDocument(name, known: record.documents.map(\.name))
            }
            let bytes: [UInt8] = try PlanInputs.read(path)
            guard document.digest.map({ $0 == SHA256.hexadecimal(of: bytes) }) ?? (document.size == bytes.count) else {
                throw RecordInputError.otherFile(name: name, file: path)
            }
            documents[name] = bytes
        }
        return documents
    }

    private func compare(
        _ original: Record, _ arguments: [String], _ outcome: RunOutcome, _ inputs: InputFiles, _ book: RecordBook
    ) throws {
        var repeated = Record(
            kind: original.kind, title: original.title, model: original.model,
            arguments: Recording.withoutSecrets(arguments), seed: original.seed, version: Recording.version,
            build: BuildMark.text, machine: Recording.machine)
        repeated.results = outcome.json
        let contents: [DocumentContent] = inputs.documents + outcome.documents
        repeated.documents = contents.map {
            RecordDocument(role: $0.role, name: $0.name, digest: $0.digest, size: $0.size, isHeld: $0.bytes != nil)
        }
        var fresh: [String: [UInt8]] = [:]
        for one in contents { if let digest = one.digest { fresh[digest] = one.bytes } }
        let comparison = try RecordComparison(original, repeated) { try fresh[$0] ?? book.bytes($0) }
        try shown.say(comparison, names: [RecordID.short(original.id, among: try book.ids()), "now"])
    }
}
