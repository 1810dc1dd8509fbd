// The book: two phases, filters, names, documents, deletion.

import CServeCore
import Foundation
import Testing

@testable import CServeRecords

@Suite("The record book")
struct RecordBookTests {
    @Test("a run is written as running, then completed with results and documents")
    func twoPhases() throws {
        let folder = try BookFolder()
        let book = try folder.book()
        let begun = try book.begin(
            Sample.record(tags: ["b", "a", "b"], seed: .max), inputs: [Sample.input("w.json", "{}")])
        var found = try folder.book().record(begun.id)
        #expect(found.status == .running && found.results.isNull && found.endedAt == nil)
        #expect(found == begun.with(documents: found.documents))
        #expect(found.tags == ["a", "b"] && found.seed == .max)
        try book.finish(
            begun.id, results: ["summary": "ok", "results": [1, 2.5]],
            documents: [DocumentContent(role: .output, name: "plan.json", bytes: [1, 2, 255])])
        found = try folder.book().record(begun.id)
        #expect(found.status == .finished && found.results["results"] == [1, 2.5] && found.endedAt != nil)
        #expect(found.documents.map(\.name) == ["w.json", "plan.json"] && found.documents.allSatisfy { $0.isHeld })
        let digest = try #require(found.documents.last?.digest)
        #expect(try book.bytes(digest) == [1, 2, 255])
    }

    @Test("a failure is kept with its message, and a record is completed once")
    func failures() throws {
        let folder = try BookFolder()
        let book = try folder.book()
        let id = try book.begin(Sample.record(), inputs: []).id
        try book.finish(id, failure: "no such server")
        let found = try book.record(id)
        #expect(found.status == .failed && found.failure == "no such server")
        #expect(throws: RecordBookError.notRunning(id: id)) { try book.finish(id) }
    }

    @Test("a run whose process is gone is interrupted, for readers at once, in the file with the next writer")
    func interrupted() throws {
        let folder = try BookFolder()
        let book = try folder.book()
        var dead = Sample.record()
        dead.process = Sample.goneProcess
        let id = try book.begin(dead, inputs: []).id
        let alive = try book.begin(Sample.record(), inputs: []).id
        #expect(try book.record(id).status == .interrupted)
        let stored = try book.read { try String.fetchOne($0, sql: "SELECT status FROM records WHERE id = '\(id)'") }
        #expect(stored == "interrupted")
        #expect(try book.record(alive).status == .running)
        // Of another machine's process nothing is known.
        var elsewhere = Sample.record()
        elsewhere.process.host = "another"
        #expect(try book.record(try book.begin(elsewhere, inputs: []).id).status == .running)
    }

    @Test("records are found by kind, status, model, time, tags and number, newest first")
    func filters() throws {
        let book = try BookFolder().book()
        let drafts: [Record] = [
            Sample.record(.plan, model: "Llama-3-8B", tags: ["x"], began: 1_000_000),
            Sample.record(.bench, model: "mixtral", tags: ["x", "y"], began: 2_000_000),
            Sample.record(.simulation, model: nil, began: 3_000_000),
        ]
        for draft in drafts { _ = try book.begin(draft, inputs: []) }
        try book.finish(drafts[1].id)
        func titles(_ change: (inout RecordFilter) -> Void) throws -> [RecordKind] {
            var filter = RecordFilter()
            change(&filter)
            return try book.records(filter).map(\.kind)
        }
        #expect(try titles { _ in } == [.simulation, .bench, .plan])
        #expect(try titles { $0.kinds = [.plan, .bench] } == [.bench, .plan])
        #expect(try titles { $0.statuses = [.finished] } == [.bench])
        #expect(try titles { $0.model = "llama" } == [.plan])
        #expect(try titles { $0.since = 2_000_000 } == [.simulation, .bench])
        #expect(try titles { $0.tags = ["x"] } == [.bench, .plan])
        #expect(try titles { $0.tags = ["x", "y"] } == [.bench])
        #expect(try titles { $0.limit = 1 } == [.simulation])
        #expect(try titles { ($0.statuses, $0.limit) = ([.running], 1) } == [.simulation])
    }

    @Test("a record is named by beginnings of its id and of its digits, and by its age")
    func names() throws {
        let book = try BookFolder().book()
        for id in ["20261125-013205-7f3a2c", "20261125-013206-7f3b11", "20261126-000000-20a6aa"] {
            var draft = Sample.record()
            draft.beganAt = try #require(Int(id.filter(\.isNumber).prefix(14)))
            draft.id = id
            _ = try book.begin(draft, inputs: [])
        }
        #expect(try book.record("7f3a").id.hasSuffix("7f3a2c") && book.record("7F3B11").id.hasSuffix("7f3b11"))
        #expect(try book.record("20261126").id == "20261126-000000-20a6aa")
        #expect(try book.record("last").id.hasSuffix("20a6aa") && book.record("last~2").id.hasSuffix("7f3a2c"))
        #expect(
            throws: RecordBookError.ambiguous(
                reference: "7f3", candidates: ["20261125-013206-7f3b11", "20261125-013205-7f3a2c"])
        ) { try book.record("7f3") }
        for reference in ["ffff", "", "%", "last~3", "last~-1", "'; DROP TABLE records; --"] {
            #expect(throws: RecordBookError.unknown(reference: reference, path: book.path)) {
                try book.record(reference)
            }
        }
        let ids = try book.ids()
        #expect(ids.map { RecordID.short($0, among: ids) } == ["7f3a", "7f3b", "20a6"])
        #expect(RecordID.short("20261125-013205-7f3a2c", among: ids + ["20261125-013207-7f3a2c"]) == ids[0])
    }

    @Test("ids of one second that collide are drawn anew")
    func collisions() throws {
        let book = try BookFolder().book()
        let draft = Sample.record()
        let ids = try [book.begin(draft, inputs: []).id, book.begin(draft, inputs: []).id]
        #expect(ids[0] == draft.id && ids[1] != draft.id && ids[1].prefix(16) == ids[0].prefix(16))
    }

    @Test("documents are kept once, and go with their last record; running records stay")
    func deletion() throws {
        let book = try BookFolder().book()
        let shared = Sample.input("trace.csv", "1,2,3")
        let ids = try (0..<3).map { number in
            try book.begin(Sample.record(), inputs: [shared, Sample.input("own", "\(number)")]).id
        }
        func documents() throws -> Int? {
            try book.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM documents") }
        }
        #expect(try documents() == 4)
        try book.finish(ids[0])
        try book.finish(ids[1])
        try book.delete([ids[0]])
        #expect(try documents() == 3)
        #expect(throws: RecordBookError.stillRunning(id: ids[2], process: getpid())) {
            try book.delete([ids[1], ids[2]])
        }
        #expect(try book.ids().count == 2)
        try book.finish(ids[2])
        try book.delete([ids[1], ids[2]])
        #expect(try documents() == 0 && book.ids().isEmpty)
    }

    @Test("of documents that are too long the book keeps digest and length")
    func longDocuments() throws {
        let book = try BookFolder().book()
        let long = [UInt8](repeating: 7, count: RecordBook.largestDocument + 1)
        let content = DocumentContent(role: .input, name: "trace", digest: "d", size: long.count, bytes: long)
        let weights = DocumentContent(role: .input, name: "m.gguf", digest: nil, size: 1 << 40, bytes: nil)
        let id = try book.begin(Sample.record(), inputs: [content, weights]).id
        let found = try book.record(id).documents
        #expect(found.map(\.isHeld) == [false, false] && found.map(\.size) == [1 << 40, long.count])
        #expect(found.map(\.digest) == [nil, "d"])
        #expect(try book.bytes("d") == nil)
    }
}

extension Record {
    /// The same with documents, which a draft does not have.
    func with(documents: [RecordDocument]) -> Record {
        var copy: Record = self
        copy.documents = documents
        return copy
    }
}
