// What can be wrong with a book: age, damage, a full disk, other files, other processes.

import CServeCore
import Foundation
import GRDB
import Testing

@testable import CServeRecords

@Suite("Trouble with the record book")
struct RecordTroubleTests {
    /// A book of schema 1, made by the statements of that version, with a row as that version wrote it.
    private func oldBook(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            try RecordSchema.migrate(database, to: 1)
            try database.execute(
                sql: """
                    INSERT INTO records (id, kind, status, title, model, arguments, seed, version, build, machine, process,
                        began_ms, ended_ms, failure, results)
                    VALUES ('20251125-013205-7f3a2c', 'plan', 'finished', 'old', 'm', '["plan"]', '18446744073709551615',
                        '0.0.9', 'release', '{"processor":"p","cores":1,"memory_bytes":2,"instruction_set":"avx2",
                        "system":"s","accelerators":[]}', '{"host":"h","boot":"b","id":3,"start":"4"}', 5, 6, NULL,
                        '{"summary":"s","results":{"a":1}}');
                    INSERT INTO documents VALUES ('d1', x'00ff');
                    INSERT INTO record_documents VALUES ('20251125-013205-7f3a2c', 'input', 'w.json', 'd1', 2);
                    """)
        }
        try queue.close()
    }

    @Test("a book of schema 1 is brought to this one with everything in it")
    func migration() throws {
        let folder = try BookFolder()
        try oldBook(folder.path)
        let old = try DatabaseQueue(path: folder.path)
        #expect(try old.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 1)
        try old.close()
        let book = try folder.book()
        let found = try book.record("7f3a")
        #expect(found.title == "old" && found.seed == .max && found.tags.isEmpty && found.rerunOf == nil)
        #expect(found.results["results"] == ["a": 1] && found.machine.cores == 1 && found.process.id == 3)
        #expect(found.documents == [.init(role: .input, name: "w.json", digest: "d1", size: 2, isHeld: true)])
        #expect(try book.bytes("d1") == [0, 255])
        let tagged = try book.begin(Sample.record(tags: ["new"]), inputs: [])
        #expect(try book.record(tagged.id).tags == ["new"])
        #expect(try book.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == RecordSchema.version)
    }

    @Test("a later schema is refused and left alone")
    func newer() throws {
        let folder = try BookFolder()
        let book = try folder.book()
        try book.queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        book.close()
        let before = try Data(contentsOf: URL(filePath: folder.path))
        #expect(throws: RecordBookError.newer(path: folder.path, schema: 99, known: RecordSchema.version)) {
            try folder.book()
        }
        #expect(try Data(contentsOf: URL(filePath: folder.path)) == before)
    }

    @Test("another program's database is refused and left alone")
    func foreign() throws {
        let folder = try BookFolder()
        let other = try DatabaseQueue(path: folder.path)
        try other.write { try $0.execute(sql: "CREATE TABLE theirs (a)") }
        try other.close()
        let before = try Data(contentsOf: URL(filePath: folder.path))
        #expect(throws: RecordBookError.notABook(path: folder.path)) { try folder.book() }
        #expect(try Data(contentsOf: URL(filePath: folder.path)) == before)
    }

    @Test("a file that is no database, and a book with bytes overwritten, are called damaged")
    func damage() throws {
        let folder = try BookFolder()
        try Data("this is no database, but long enough to look like one".utf8).write(to: URL(filePath: folder.path))
        #expect(throws: RecordBookError.self) { try folder.book() }
        do { _ = try folder.book() } catch {
            guard case RecordBookError.corrupt(let path, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(path == folder.path)
        }
        try FileManager.default.removeItem(atPath: folder.path)
        let book = try folder.book()
        for number in 0..<50 {
            let long = String(repeating: "\(number)", count: 3000)
            _ = try book.begin(Sample.record(), inputs: [Sample.input("a", long)])
        }
        book.close()
        // Every page but the first: the header still says that it is a book.
        var bytes = try Data(contentsOf: URL(filePath: folder.path))
        for place in stride(from: 4096, to: bytes.count, by: 7) { bytes[place] = 0xa5 }
        try bytes.write(to: URL(filePath: folder.path))
        do {
            _ = try folder.book().records()
            Issue.record("A damaged book was read.")
        } catch {
            guard case RecordBookError.corrupt = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("when there is no room nothing is half written, and what was finished stays")
    func full() throws {
        let folder = try BookFolder()
        let first = try folder.book()
        let done = try first.begin(Sample.record(), inputs: [Sample.input("a", "b")]).id
        try first.finish(done, results: ["summary": "kept"])
        first.close()
        let book = try folder.book { $0.maxPages = 40 }
        let big = DocumentContent(role: .output, name: "requests.jsonl", bytes: [UInt8](repeating: 1, count: 1 << 20))
        let begun = try book.begin(Sample.record(), inputs: []).id
        #expect(throws: RecordBookError.full(path: folder.path)) {
            try book.finish(begun, results: ["summary": "lost"], documents: [big])
        }
        #expect(throws: RecordBookError.full(path: folder.path)) { try book.begin(Sample.record(), inputs: [big]) }
        book.close()
        let again = try folder.book()
        #expect(try again.records().count == 2 && again.record(done).results["summary"] == "kept")
        let half = try again.record(begun)
        #expect(half.status == .running && half.results.isNull && half.documents.isEmpty)
        // With room the same run can still be completed.
        try again.finish(begun, documents: [big])
        #expect(try again.record(begun).documents.count == 1)
    }

    @Test("a writer that keeps the lock is told from damage, after a wait")
    func busy() throws {
        let folder = try BookFolder()
        let holder = try folder.book()
        let book = try folder.book { $0.busySeconds = 0 }
        try holder.queue.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: RecordBookError.busy(path: folder.path, seconds: 0)) {
                try book.begin(Sample.record(), inputs: [])
            }
            // Readers do not wait for writers.
            #expect(try book.records().isEmpty)
            try database.execute(sql: "ROLLBACK")
        }
        _ = try book.begin(Sample.record(), inputs: [])
    }

    @Test("many writers open, begin and finish at once, and every run is there")
    func manyWriters() async throws {
        let folder = try BookFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<5 {
                        let book = try folder.book()
                        let id = try book.begin(
                            Sample.record(), inputs: [Sample.input("shared", "s"), Sample.input("own", "\(writer)")]
                        ).id
                        try book.finish(id, results: ["summary": .integer(writer * 10 + number)])
                        book.close()
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = try folder.book().records()
        let sums = Set(found.compactMap { $0.results["summary"]?.intValue })
        #expect(found.count == 40 && sums.count == 40 && found.allSatisfy { $0.status == .finished })
    }

    @Test("no book is begun where only reading is wanted, and folders are made where one is begun")
    func places() throws {
        let folder = try BookFolder()
        #expect(throws: RecordBookError.missing(path: folder.path)) { try folder.book { $0.mayCreate = false } }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        let deep = folder.url.appending(path: "a/b/book.sqlite").path
        _ = try RecordBook(path: deep).begin(Sample.record(), inputs: [])
        #expect(try RecordBook(path: deep).records().count == 1)
        #expect(throws: RecordBookError.self) { try RecordBook(path: "/dev/null/book.sqlite") }
    }
}
