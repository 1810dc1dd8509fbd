// `cserve records`: the book of plans, simulations, benchmarks and profiles.

import ArgumentParser
import CServeCore
import CServeRecords
import Foundation

/// Shows and keeps the book.
struct RecordsCommand: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "records",
        abstract: "Find, compare, repeat and share what was planned, simulated and measured.",
        discussion: """
            EXAMPLES
              cserve records                                         the newest records
              cserve records list --kind simulation --since 7d --model llama
              cserve records show 7f3a                               inputs, machine, results
              cserve records show last --document plan.json > plan.json
              cserve records diff last~1 last                        what went in differently, and what came out
              cserve records rerun 7f3a                              again, from the record alone
              cserve records export --tag paper -o paper.jsonl       with all documents; import takes it in elsewhere

            A record is named by the beginning of its id or of the id's last six digits, as git names commits; last is the
            newest, last~2 the second before it. cserve plan, simulate, calibrate and bench record by themselves unless
            --no-record or CSERVE_RECORDS=off says otherwise.
            """,
        subcommands: [
            RecordsList.self, RecordsShow.self, RecordsDiff.self, RecordsRerun.self, RecordsExport.self,
            RecordsImport.self, RecordsDelete.self,
        ],
        defaultSubcommand: RecordsList.self)
}

/// Which records.
struct RecordFilterOptions: ParsableArguments {
    @Option(help: "Only these kinds: plan, simulation, bench, profile, deployment (may be repeated).")
    var kind: [RecordKind] = []

    @Option(help: "Only these: running, finished, failed, interrupted (may be repeated).")
    var status: [RecordStatus] = []

    @Option(help: "Only with this in the model's name.")
    var model: String?

    @Option(help: "Only since a time or for a span: 2026-11-25, 2026-11-25T14:30 (UTC), 12h, 7d.")
    var since: String?

    @Option(name: .customLong("tag"), help: "Only with this tag (may be repeated).")
    var tags: [String] = []

    @Option(help: "The newest so many.")
    var limit: Int?

    /// The filter that the flags ask for.
    func filter() throws -> RecordFilter {
        var filter = RecordFilter()
        (filter.kinds, filter.statuses, filter.model, filter.tags) = (kind, status, model, tags)
        filter.since = try since.map { try SinceText.milliseconds($0, now: RecordClock.milliseconds) }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit). Use 1 or more.") }
        filter.limit = limit
        return filter
    }
}

extension RecordKind: ExpressibleByArgument {}
extension RecordStatus: ExpressibleByArgument {}

/// Times after which records are wanted.
enum SinceText {
    /// Milliseconds since 1970 of a date, a minute in UTC, or a span before now.
    static func milliseconds(_ text: String, now: Int) throws -> Int {
        if let span = SpanText.nanoseconds(text) { return now - Int(span / 1_000_000) }
        let whole: String = text.contains("T") ? text + (text.count == 16 ? ":00Z" : "Z") : text + "T00:00:00Z"
        guard let date = try? Date(whole, strategy: .iso8601) else {
            throw ValidationError("--since is \(text). Write 2026-11-25, 2026-11-25T14:30 (UTC), 12h or 7d.")
        }
        return Int(date.timeIntervalSince1970 * 1000)
    }
}

/// Opens the book that is there.
enum OpenBook {
    static func at(_ options: BookOptions, mayCreate: Bool = false) throws -> RecordBook {
        var choices = RecordBook.Options()
        choices.mayCreate = mayCreate
        return try RecordBook(path: try options.path(), options: choices)
    }
}

/// `cserve records list`.
struct RecordsList: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "list", abstract: "List records, newest first (20 unless --limit says otherwise).")

    @OptionGroup var filter: RecordFilterOptions
    @OptionGroup var book: BookOptions

    @Flag(help: "Print a JSON array of whole records.")
    var json: Bool = false

    func run() throws {
        try Failure.explained(asJSON: json) {
            var wanted: RecordFilter = try filter.filter()
            if wanted.limit == nil { wanted.limit = 20 }
            let book: RecordBook = try OpenBook.at(book)
            let records: [Record] = try book.records(wanted)
            if json { return Console.say(try JSONValue(encoding: records).text(.pretty)) }
            Console.say(
                records.isEmpty
                    ? "No record fits in \(book.path)." : RecordText.table(records, ids: try book.ids()))
        }
    }
}

/// `cserve records show`.
struct RecordsShow: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "show", abstract: "Show a record, or print one of its documents.")

    @Argument(help: "A record: the beginning of its id, last, last~1.")
    var record: String

    @Option(help: "Print this document's bytes, and nothing else.")
    var document: String?

    @OptionGroup var book: BookOptions

    @Flag(help: "Print JSON.")
    var json: Bool = false

    func run() throws {
        try Failure.explained(asJSON: json) {
            let book: RecordBook = try OpenBook.at(book)
            let found: Record = try book.record(record)
            if let document {
                let bytes: [UInt8] = try RecordDocuments.bytes(document, of: found, in: book)
                return try FileHandle.standardOutput.write(contentsOf: Data(bytes))
            }
            Console.say(json ? try JSONValue(encoding: found).text(.pretty) : RecordText.whole(found))
        }
    }
}

/// `cserve records delete`.
struct RecordsDelete: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "delete", abstract: "Delete records, and the documents that no other record has.")

    @Argument(help: "Records: the beginnings of their ids.")
    var records: [String]

    @Flag(name: [.long, .customShort("y")], help: "Do not ask.")
    var yes: Bool = false

    @OptionGroup var book: BookOptions

    func run() throws {
        try Failure.explained {
            let book: RecordBook = try OpenBook.at(book)
            let found: [Record] = try records.map { try book.record($0) }
            if !yes {
                guard isatty(STDIN_FILENO) == 1 else { throw RecordsCommandError.notAsked(found.count) }
                Console.say(RecordText.table(found, ids: try book.ids()))
                Console.say("Delete \(RecordText.count(found.count))? [y/N] ", end: "")
                guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else { throw RecordsCommandError.kept }
            }
            try book.delete(Array(Set(found.map(\.id))))
            Console.say("Deleted \(RecordText.count(found.count)).")
        }
    }
}

/// Documents by name.
enum RecordDocuments {
    static func bytes(_ name: String, of record: Record, in book: RecordBook) throws -> [UInt8] {
        guard let document = record.documents.first(where: { $0.name == name }) else {
            throw RecordsCommandError.noDocument(name, known: record.documents.map(\.name))
        }
        guard let digest = document.digest, let bytes = try book.bytes(digest) else {
            throw RecordInputError.notHeld(name)
        }
        return bytes
    }
}

/// Why a command about records cannot be done.
enum RecordsCommandError: Error, Hashable, CustomStringConvertible {
    /// Deleting without a person who could be asked.
    case notAsked(Int)
    /// The person said no.
    case kept
    /// A document that the record does not have.
    case noDocument(String, known: [String])
    /// A kind of run that cannot be repeated from its record.
    case notRepeatable(command: String)
    /// A run that ended without results.
    case noResults(id: String, status: String)
    /// A command line that needs what the book does not keep.
    case needsSecret(flag: String)
    /// A replacement for a document that is not `NAME=PATH`.
    case badReplacement(String)

    var description: String {
        switch self {
        case .notAsked(let count):
            "\(RecordText.count(count)) would be deleted, and there is nobody to ask. Add --yes."
        case .kept: "Nothing was deleted."
        case .noDocument(let name, let known):
            "The record has no document \(name). It has: \(known.isEmpty ? "none" : known.joined(separator: ", "))."
        case .notRepeatable(let command):
            "cserve \(command) cannot be repeated from its record: it measures what is here. Run it again and use "
                + "cserve records diff."
        case .noResults(let id, let status):
            "\(id) is \(status) and has no results, so that there is nothing to compare with."
        case .needsSecret(let flag):
            "The run had \(flag) with a secret, which no record keeps. Give --api-key again, or run the command itself."
        case .badReplacement(let text): "--file is \(text). Write NAME=PATH, with a document's name."
        }
    }
}
