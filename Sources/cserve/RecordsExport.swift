// `cserve records export` and `import`: records with all their documents in one file.

import ArgumentParser
import CServeCore
import CServeRecords
import Foundation

/// `cserve records export`.
struct RecordsExport: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "export",
        abstract: "Write records with all their documents to one file.",
        discussion: """
            EXAMPLES
              cserve records export 7f3a 91b0 -o two.json     one JSON object
              cserve records export --since 30d > month.jsonl  one JSON value per line
            """)

    @Argument(help: "Records (default: all that the filters take).")
    var records: [String] = []

    @OptionGroup var filter: RecordFilterOptions
    @OptionGroup var book: BookOptions

    @Option(name: [.customShort("o"), .long], help: "A .jsonl or .json file (default: lines on standard output).")
    var output: String?

    func run() throws {
        try Failure.explained {
            let book: RecordBook = try OpenBook.at(book)
            let filter: RecordFilter = try filter.filter()
            let found: [Record] = try records.isEmpty ? book.records(filter) : records.map { try book.record($0) }
            let archive: RecordArchive = try book.archive(found)
            guard let output else { return try FileHandle.standardOutput.write(contentsOf: Data(archive.lines())) }
            let isObject: Bool = output.lowercased().hasSuffix(".json")
            try PlanInputs.write(isObject ? archive.object() : archive.lines(), to: output)
            let missing: Int = found.flatMap(\.documents).count { !$0.isHeld }
            Console.say("\(RecordText.count(found.count)), \(archive.documents.count) documents -> \(output)")
            if missing > 0 { Console.say("\(missing) documents are too long to be kept; their digests are there.") }
        }
    }
}

/// `cserve records import`.
struct RecordsImport: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "import", abstract: "Take exported records in, after verifying every digest.")

    @Argument(help: "Files that cserve records export wrote.", completion: .file())
    var files: [String]

    @OptionGroup var book: BookOptions

    func run() throws {
        try Failure.explained {
            let archives: [(String, RecordArchive)] = try files.map { file in
                (file, try RecordArchive(parsing: try PlanInputs.read(file), file: file))
            }
            let book: RecordBook = try OpenBook.at(book, mayCreate: true)
            for (file, archive) in archives {
                let added: [Record] = try book.add(archive, file: file)
                let known: Int = archive.records.count - added.count
                Console.say("\(file): \(RecordText.count(added.count)) imported, \(known) there already.")
            }
        }
    }
}
