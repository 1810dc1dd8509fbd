// Events come out the same however the bytes are cut.
import Testing

@testable import CServeBench

@Suite("Server-sent events")
struct EventSplitterTests {
    private func events(_ pieces: [[UInt8]]) throws -> [EventSplitter.Event] {
        var splitter = EventSplitter()
        var events: [EventSplitter.Event] = []
        for piece in pieces { try splitter.take(piece) { events.append($0) } }
        try splitter.end { events.append($0) }
        return events
    }

    private func event(_ data: String, name: String? = nil) -> EventSplitter.Event {
        EventSplitter.Event(name: name, data: Array(data.utf8))
    }

    @Test("Any cut of the bytes gives the same events")
    func anyCut() throws {
        let text: String =
            "data: {\"a\":\"é\"}\n\n: comment\r\n\r\nevent: error\rdata: x\r\rdata:one\ndata: two\r\nid: 7\r\n\r\ndata: [DONE]\n\n"
        let bytes: [UInt8] = Array(text.utf8)
        let expected: [EventSplitter.Event] = [
            event("{\"a\":\"é\"}"), event("x", name: "error"), event("one\ntwo"), event("[DONE]"),
        ]
        #expect(try events([bytes]) == expected)
        #expect(try events(bytes.map { [$0] }) == expected)
        for cut in bytes.indices {
            #expect(try events([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
    }

    @Test(
        "A byte order mark, an empty data line and a missing last blank line are as the standard, or servers, have them"
    )
    func oddities() throws {
        #expect(try events([[0xEF, 0xBB, 0xBF] + Array("data: a\n\n".utf8)]) == [event("a")])
        #expect(try events([Array("data\n\n".utf8)]) == [event("")])
        #expect(try events([Array("data: last".utf8)]) == [event("last")])
        #expect(try events([Array("event: lonely\n\n".utf8)]) == [])
    }

    @Test("A line that is no field is garbage, and said to be")
    func garbage() {
        #expect(throws: EventSplitter.Garbage(line: Array("<html>".utf8))) { try events([Array("<html>\n".utf8)]) }
        #expect(throws: EventSplitter.Garbage.self) { try events([Array("datax: 1\n".utf8)]) }
    }
}
