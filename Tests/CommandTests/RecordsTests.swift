// `cserve records` end to end: runs are kept, found, compared, repeated, sent, deleted; whatever ends a process.

import CServeCore
import CServeRecords
import Foundation
import Testing

@testable import cserve

/// A book in a folder of its own, and commands that use it.
private final class CommandBook: Sendable {
    let folder: URL = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var path: String { folder.appending(path: "book.sqlite").path }

    var environment: [String: String] { ["CSERVE_RECORDS": path] }

    /// Milliseconds of work: few requests, one seed.
    func simulate(_ more: [String] = []) throws -> CommandResult {
        try run(
            ["simulate", "--model", "cserve-demo", "--on", "l4", "--final-requests", "20", "--final-seeds", "1"] + more)
    }

    func run(_ arguments: [String]) throws -> CommandResult { try Command.run(arguments, environment: environment) }

    func records() throws -> [Record] { try RecordBook(path: path).records() }

    func file(_ name: String, _ text: String) throws -> String {
        let place = folder.appending(path: name)
        try Data(text.utf8).write(to: place)
        return place.path
    }
}

@Suite("cserve records", .serialized)
struct RecordsTests {
    @Test("a simulation of files is repeated to the nanosecond after the files are gone")
    func rerun() throws {
        let book = try CommandBook()
        let trace = try book.file("t.csv", "arrival_s,prompt_tokens,output_tokens\n0,64,8\n0.1,32,4\n0.2,128,16\n")
        let load = try book.file(
            "w.json", #"{"name": "mine", "trace": {"file": "t.csv"}}"#)
        let price = try book.file("p.json", #"{"schema": "cserve-hardware/1", "accelerators": []}"#)
        var run = try book.simulate(["--workload", trace, "--hardware", price, "--tag", "a"])
        #expect(run.status == 0 && run.errors.hasPrefix("Recorded as "), "\(run.errors)")
        run = try book.simulate(["--workload", load])
        #expect(run.status == 0, "\(run.errors)")
        for path in [trace, load, price] { try FileManager.default.removeItem(atPath: path) }
        let first = try #require(try book.records().last)
        #expect(first.documents.contains { $0.name == trace && $0.isHeld })
        let again = try book.run(["records", "rerun", first.id])
        #expect(again.status == 0, "\(again.errors)\(again.output)")
        #expect(again.output == "The same went in.\n\nThe same came out, to the last digit.\n")
        let records = try book.records()
        #expect(records[0].rerunOf == first.id && records[0].results == first.results)
        #expect(records[0].tags == ["a"] && records[0].arguments == first.arguments)
        // The description and the trace beside it.
        let described = try book.run(["records", "rerun", records[1].id, "--no-record"])
        #expect(described.status == 0, "\(described.errors)\(described.output)")
        #expect(try book.records().count == records.count)
    }

    @Test("a plan is kept whole, compared and repeated")
    func plan() throws {
        let book = try CommandBook()
        let small: [String] = [
            "plan", "--model", "cserve-demo", "--workload", "128/16", "--gpus", "l4", "--max-gpus", "1", "--tp", "1",
            "--pp", "1", "--max-num-seqs", "32", "--max-num-batched-tokens", "512", "--final-requests", "20",
            "--final-seeds", "1", "--search-requests", "20", "--refine-requests", "20",
        ]
        let output = book.folder.appending(path: "plan.json").path
        #expect(try book.run(small + ["--rate", "10", "-o", output]).status == 0)
        #expect(try book.run(small + ["--rate", "20"]).status == 0)
        let document = try book.run(["records", "show", "last~1", "--document", "plan.json"])
        #expect(try document.output == String(contentsOfFile: output, encoding: .utf8))
        let different = try book.run(["records", "diff", "last~1", "last"])
        #expect(different.status == 2 && different.output.contains("arguments.--rate"), "\(different.output)")
        #expect(different.output.contains("second / first"))
        #expect(try book.run(["records", "diff", "last", "last"]).status == 0)
        try FileManager.default.removeItem(atPath: output)
        let again = try book.run(["records", "rerun", "last~1", "--json"])
        #expect(again.status == 0, "\(again.errors)\(again.output)")
        #expect(try JSONValue(parsing: again.output)["equal"] == true)
        // A repeated plan writes no files.
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    @Test("records are listed, shown, sent to another book and deleted")
    func wholeWay() throws {
        let (book, other) = (try CommandBook(), try CommandBook())
        #expect(try book.simulate(["--rate", "5", "--tag", "x", "--record-title", "first"]).status == 0)
        #expect(try book.simulate(["--rate", "6", "--seed", "9"]).status == 0)
        let all = try book.run(["records"])
        #expect(all.status == 0 && all.output.split(separator: "\n").count == 3 && all.output.contains("first [x]"))
        let tagged = try JSONValue(parsing: try book.run(["records", "list", "--tag", "x", "--json"]).output)
        #expect(tagged.arrayValue?.count == 1 && tagged[0]?["title"] == "first")
        let none = try book.run(["records", "list", "--kind", "bench"])
        #expect(none.status == 0 && none.output.hasPrefix("No record fits"))
        let shown = try book.run(["records", "show", "last"]).output
        for part in ["simulation", "--seed 9", "built-in/accelerators.json", "0.1.0", "prediction"] {
            #expect(shown.contains(part), "\(part) is missing in\n\(shown)")
        }
        for name in ["all.jsonl", "all.json"] {
            let file = book.folder.appending(path: name).path
            #expect(try book.run(["records", "export", "-o", file]).status == 0)
            let taken = try other.run(["records", "import", file])
            #expect(taken.output.contains(name.hasSuffix("l") ? "2 records imported, 0" : "0 records imported, 2"))
        }
        #expect(try other.records() == book.records())
        #expect(try other.run(["records", "rerun", "last", "--no-record"]).status == 0)
        let unasked = try book.run(["records", "delete", "last"])
        #expect(unasked.status == 1 && unasked.errors.contains("Add --yes"))
        #expect(try book.run(["records", "delete", "last", "last~1", "--yes"]).output == "Deleted 2 records.\n")
        #expect(try book.records().isEmpty)
    }

    @Test("a process that is killed leaves a book with all finished runs, and its own as interrupted")
    func killed() async throws {
        let book = try CommandBook()
        #expect(try book.simulate().status == 0)
        for round in 0..<3 {
            // Minutes of work, of which it gets to do little.
            let long = try RunningCommand(
                [
                    "simulate", "--model", "cserve-demo", "--on", "l4", "--rates", "1,2,3,4,5,6,7,8",
                    "--final-requests", "2000000", "--final-seeds", "5",
                ], environment: book.environment)
            for _ in 0..<6000 where try book.records().count == round + 1 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try book.records().first?.status == .running)
            long.signal(SIGKILL)
            _ = long.wait()
        }
        let records = try book.records()
        #expect(records.map(\.status) == [.interrupted, .interrupted, .interrupted, .finished])
        let listed = try book.run(["records", "list", "--status", "interrupted", "--json"])
        #expect(try JSONValue(parsing: listed.output).arrayValue?.count == 3)
        #expect(try book.run(["records", "rerun", "last"]).errors.contains("is interrupted and has no results"))
        #expect(try book.simulate().status == 0)
        #expect(try book.run(["records", "delete", "last~1", "-y"]).status == 0)
    }

    @Test("a process that is killed while it writes leaves whole records only")
    func killedWhileWriting() async throws {
        let book = try CommandBook()
        _ = try RecordBook(path: book.path)
        for round in 0..<12 {
            let run = try RunningCommand(
                [
                    "simulate", "--model", "cserve-demo", "--on", "l4", "--final-requests", "20", "--final-seeds", "1",
                ], environment: book.environment)
            // From before the first row to after the last.
            try await Task.sleep(for: .milliseconds(100 + 60 * round))
            run.signal(SIGKILL)
            _ = run.wait()
        }
        for record in try book.records() {
            #expect([.finished, .interrupted].contains(record.status))
            #expect((record.status == .finished) == (record.results["results"] != nil))
            for document in record.documents where document.isHeld {
                let bytes = try #require(try RecordBook(path: book.path).bytes(document.digest ?? ""))
                #expect(SHA256.hexadecimal(of: bytes) == document.digest)
            }
        }
        #expect(try book.simulate().errors.hasPrefix("Recorded as "))
    }

    @Test("several processes write to a new book at once")
    func concurrentProcesses() throws {
        let book = try CommandBook()
        let running = try (0..<6).map { number in
            try RunningCommand(
                [
                    "simulate", "--model", "cserve-demo", "--on", "l4", "--final-requests", "20", "--final-seeds", "1",
                    "--seed", "\(number)",
                ], environment: book.environment)
        }
        for command in running {
            let result = command.wait()
            #expect(result.status == 0 && result.errors.hasPrefix("Recorded as "), "\(result.errors)")
        }
        let records = try book.records()
        #expect(Set(records.compactMap(\.seed)) == Set(0..<6) && records.allSatisfy { $0.status == .finished })
    }

    @Test("a book that fails never fails the run, and recording can be turned off")
    func warnings() throws {
        let book = try CommandBook()
        let broken = try book.file("broken.sqlite", String(repeating: "no database ", count: 100))
        let warned = try book.simulate(["--records", broken])
        #expect(warned.status == 0 && warned.output.contains("served/s"))
        #expect(warned.errors.contains("Not recorded: The record book \(broken) is damaged"))
        #expect(try book.simulate(["--records", "/dev/null/x"]).errors.hasPrefix("Not recorded: "))
        #expect(try book.simulate(["--no-record"]).errors.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: book.path))
        #expect(try book.run(["simulate", "--model", "cserve-demo"]).status == 1)
        #expect(!FileManager.default.fileExists(atPath: book.path))
        let failed = try book.run(["bench", "--url", "http://127.0.0.1:1", "--requests", "1"])
        #expect(failed.status == 1)
    }

    @Test(
        "input that cannot be used is refused with what to do",
        arguments: [
            (["records", "show", "7f3a"], 1, "no record 7f3a"),
            (["records", "show", "last", "--document", "x"], 1, "It has: built-in/accelerators.json"),
            (["records", "list", "--since", "yesterday"], 64, "2026-11-25"),
            (["records", "list", "--kind", "dream"], 64, "plan"),
            (["records", "list", "--limit", "0"], 64, "Use 1 or more"),
            (["records", "import", "/nowhere"], 1, "/nowhere cannot be read"),
            (["records", "list", "--records", "/nowhere/b"], 1, "no record book at /nowhere/b"),
            (["records", "rerun", "last", "--file", "x"], 1, "Write NAME=PATH"),
        ])
    func refusals(arguments: [String], status: Int32, hint: String) throws {
        let book = try CommandBook()
        #expect(try book.simulate().status == 0)
        let result = try book.run(arguments)
        #expect(result.status == status && result.errors.contains(hint), "\(result.status) \(result.errors)")
    }

    @Test("the book is where flag, environment and the desktop's rules say")
    func places() {
        func place(_ flag: String?, _ environment: [String: String]) -> BookPlace {
            BookPlace.find(flag, environment: environment)
        }
        #expect(place("a", ["CSERVE_RECORDS": "off"]) == .path("a"))
        #expect(place(nil, ["CSERVE_RECORDS": "b", "HOME": "/h"]) == .path("b"))
        #expect(place(nil, ["CSERVE_RECORDS": "OFF", "HOME": "/h"]) == .off)
        #expect(place(nil, ["XDG_DATA_HOME": "/d", "HOME": "/h"]) == .path("/d/cserve/records.sqlite"))
        #expect(place(nil, ["XDG_DATA_HOME": "d", "HOME": "/h"]) == .path("/h/.local/share/cserve/records.sqlite"))
        #expect(place(nil, [:]) == .homeless)
    }

    @Test("keys do not go into a book")
    func secrets() {
        let given = [
            "bench", "--api-key", "k", "--api-key=k", "--header", "X-Api-Key: k", "--header=a:b", "--rate", "k",
        ]
        let kept = ["bench", "--api-key", "***", "--api-key=***", "--header", "***", "--header=a:b", "--rate", "k"]
        #expect(Recording.withoutSecrets(given) == kept)
    }

    @Test("times after which records are wanted are dates, minutes and spans")
    func since() throws {
        // date -u -d '2025-11-25 01:32' +%s says 1764034320.
        #expect(try SinceText.milliseconds("2025-11-25T01:32", now: 0) == 1_764_034_320_000)
        #expect(try SinceText.milliseconds("2025-11-25", now: 0) == 1_764_028_800_000)
        #expect(try SinceText.milliseconds("2d", now: 172_800_001) == 1)
        #expect(throws: (any Error).self) { try SinceText.milliseconds("soon", now: 0) }
    }
}

@Test("Every refusal about records says what to do")
func recordsCommandErrorMessages() {
    let messages: [(any Error, String)] = [
        (RecordsCommandError.notAsked(2), "2 records would be deleted, and there is nobody to ask. Add --yes."),
        (RecordsCommandError.kept, "Nothing was deleted."),
        (RecordsCommandError.noDocument("a", known: ["b"]), "The record has no document a. It has: b."),
        (
            RecordsCommandError.notRepeatable(command: "bench offline"),
            "cserve bench offline cannot be repeated from its record: it measures what is here. Run it again and use "
                + "cserve records diff."
        ),
        (
            RecordsCommandError.noResults(id: "7f", status: "failed"),
            "7f is failed and has no results, so that there is nothing to compare with."
        ),
        (
            RecordsCommandError.needsSecret(flag: "--api-key"),
            "The run had --api-key with a secret, which no record keeps. Give --api-key again, or run the command itself."
        ),
        (RecordsCommandError.badReplacement("x"), "--file is x. Write NAME=PATH, with a document's name."),
        (
            RecordInputError.notRecorded("a"),
            "The record has no document a: the run did not read it. Run the command itself."
        ),
        (
            RecordInputError.notHeld("a"),
            "The book has only the digest of a, which is too long to be kept. Name the file: --file a=PATH"
        ),
        (
            RecordInputError.otherFile(name: "a", file: "b"),
            "b is not a as it was: the digests differ. Name the file that was read then."
        ),
    ]
    for (error, message) in messages { #expect("\(error)" == message) }
}
