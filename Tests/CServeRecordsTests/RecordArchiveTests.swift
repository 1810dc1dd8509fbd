// Export and import: everything travels, every digest is verified, nothing is taken in by halves.

import CServeCore
import Foundation
import Testing

@testable import CServeRecords

@Suite("Exported records")
struct RecordArchiveTests {
    private func filled(_ folder: BookFolder) throws -> RecordBook {
        let book = try folder.book()
        let binary = DocumentContent(role: .output, name: "raw", bytes: [0, 255, 10, 13])
        for number in 0..<2 {
            let id = try book.begin(
                Sample.record(tags: ["t"]), inputs: [Sample.input("w.json", "{\"line\":\n\(number)}")]
            ).id
            try book.finish(id, results: ["summary": "s", "results": [0.1, 12345678901234]], documents: [binary])
        }
        return book
    }

    @Test("what is exported is imported elsewhere as it was, in either form", arguments: [true, false])
    func roundTrip(isObject: Bool) throws {
        let (here, there) = (try BookFolder(), try BookFolder())
        let book = try filled(here)
        let archive = try book.archive(try book.records())
        #expect(archive.documents.count == 3)
        let bytes = try isObject ? archive.object() : archive.lines()
        let read = try RecordArchive(parsing: bytes, file: "f")
        #expect(read == archive)
        let other = try there.book()
        #expect(try other.add(read, file: "f").count == 2)
        #expect(try other.records() == book.records())
        for (digest, document) in archive.documents { #expect(try other.bytes(digest) == document) }
        #expect(try other.add(read, file: "f").isEmpty)
    }

    @Test("a changed document, a changed record and other files are refused, and nothing is taken in")
    func refusals() throws {
        let (here, there) = (try BookFolder(), try BookFolder())
        let book = try filled(here)
        let archive = try book.archive(try book.records())
        let text = String(decoding: try archive.lines(), as: UTF8.self)
        let changed = text.replacing("\\n1}", with: "\\n2}")
        #expect(changed != text)
        #expect(throws: RecordBookError.self) { try RecordArchive(parsing: Array(changed.utf8), file: "f") }
        do { _ = try RecordArchive(parsing: Array(changed.utf8), file: "f") } catch {
            if case .wrongDigest(let file, _, _) = error { #expect(file == "f") } else { Issue.record("\(error)") }
        }
        var conflicting = archive
        conflicting.records[1].title = "another"
        conflicting.records.insert(Sample.record(), at: 0)
        let id = conflicting.records[2].id
        #expect(throws: RecordBookError.conflict(file: "f", id: id)) { try book.add(conflicting, file: "f") }
        #expect(try book.records().count == 2)
        #expect(throws: RecordBookError.newerArchive(file: "f", version: 2, known: 1)) {
            try RecordArchive(parsing: Array("{\"format\":\"cserve-records\",\"version\":2}".utf8), file: "f")
        }
        for wrong in ["", "{}", "not json", "{\"format\":\"cserve-records\"}\n{\"record\":{}}\n"] {
            #expect(throws: RecordBookError.self) { try RecordArchive(parsing: Array(wrong.utf8), file: "f") }
        }
        // A run that is under way here is no run there.
        var running = archive
        running.records[0].status = .running
        #expect(try there.book().add(running, file: "f").map(\.status) == [.interrupted, .finished])
    }

    @Test("two runs are compared: what went in, then what came out, with ratios")
    func comparison() throws {
        let book = try BookFolder().book()
        func run(_ workload: String, _ plan: String, _ figure: Double, seed: UInt64) throws -> Record {
            let id = try book.begin(Sample.record(seed: seed), inputs: [Sample.input("w.json", workload)]).id
            let output = DocumentContent(role: .output, name: "plan.json", bytes: Array(plan.utf8))
            try book.finish(
                id, results: ["summary": "s", "results": ["rate": .double(figure), "same": [1, 2]]], documents: [output]
            )
            return try book.record(id)
        }
        let first = try run("{\"rate\": 4}", "{\"a\": 1, \"provenance\": {\"date\": \"x\"}}", 10, seed: 1)
        let second = try run("{\"rate\": 6}", "{\"a\": 3, \"provenance\": {\"date\": \"y\"}}", 5, seed: 2)
        let comparison = try RecordComparison(first, second) { try book.bytes($0) }
        #expect(comparison.inputs.map(\.path) == ["seed", "w.json:rate"])
        #expect(comparison.results.map(\.path) == ["rate", "plan.json:a"])
        #expect(comparison.results.map(\.ratio) == [0.5, 3])
        #expect(!comparison.isEqual)
        let redated = try run("{\"rate\": 4}", "{\"a\": 1, \"provenance\": {\"date\": \"z\"}}", 10, seed: 1)
        #expect(try RecordComparison(first, redated) { try book.bytes($0) }.isEqual)
        var other = second
        other.arguments = ["simulate", "--rate=2", "--on", "l4", "--plot"]
        #expect(
            RecordComparison(second, other) { _ in nil }.inputs.map(\.path) == ["arguments.--rate", "arguments.--plot"])
        // Without the bytes, digests are all there is.
        let blind = RecordComparison(first, second) { _ in nil }
        #expect(blind.inputs.map(\.path) == ["seed", "w.json"] && blind.results.map(\.path) == ["rate", "plan.json"])
    }

    @Test("values are compared place by place, to the last digit")
    func differences() {
        let found = JSONDifference.between(["a": [1, 2], "b": "x", "c": nil], ["a": [1, 3, 4], "d": 0.5])
        #expect(found.map(\.path) == ["a[1]", "a[2]", "b", "c", "d"])
        #expect(found.map(\.ratio) == [1.5, nil, nil, nil, nil])
        #expect(JSONDifference.between(["a": 0.1], ["a": 0.10000000000000002]).count == 1)
        #expect(JSONDifference.between(["a": 1], ["a": 2], ignoring: ["a"]).isEmpty)
    }

    @Test("a process is told from a later one of the same number, and a machine from its next start")
    func processes() throws {
        #expect(ProcessMark.current.state == .alive)
        #expect(Sample.goneProcess.state == .gone)
        var mark = ProcessMark.current
        mark.boot = "another"
        #expect(mark.state == .gone)
        mark.host = "another"
        #expect(mark.state == .elsewhere)
        let child = Process()
        child.executableURL = URL(filePath: "/bin/sleep")
        child.arguments = ["60"]
        try child.run()
        let running = try #require(ProcessMark(of: child.processIdentifier))
        #expect(running.state == .alive)
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        #expect(running.state == .gone)
    }

    @Test("this machine's fingerprint says what it is")
    func fingerprint() {
        let machine = MachineFingerprint.current(instructionSet: "avx2")
        #expect(machine.cores >= 1 && machine.memoryBytes > 1 << 20 && !machine.processor.isEmpty)
        #expect(machine.instructionSet == "avx2" && !machine.system.isEmpty)
    }

    @Test("times are written in UTC")
    func times() {
        // 1764034325 s: date -u -d @1764034325 says Tue Nov 25 01:32:05 UTC 2025.
        #expect(RecordClock.text(1_764_034_325_999) == "2025-11-25 01:32:05")
        #expect(RecordID.make(at: 1_764_034_325_999).hasPrefix("20251125-013205-"))
    }
}
