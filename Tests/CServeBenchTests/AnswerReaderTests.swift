// What is made of each way in which a server can answer.
import CServeCore
import Testing

@testable import CServeBench

@Suite("Reading answers")
struct AnswerReaderTests {
    /// Takes a body in one piece at time 10, and HTTP's end at time 20.
    private func read(
        _ body: String, status: Int = 200, type: String? = "text/event-stream", retryAfter: String? = nil,
        keepsAnswer: Bool = false
    ) -> AnswerReader {
        var reader = AnswerReader(
            RequestMeasurement(index: 0, due: 0, promptTokens: 9), keepsAnswer: keepsAnswer)
        reader.sent(at: 1)
        reader.takeHead(status: status, contentType: type, retryAfter: retryAfter, at: 5)
        reader.take(Array(body.utf8), at: 10)
        reader.takeEnd(at: 20)
        return reader
    }

    @Test("A good answer has its times, its tokens as the server counted them, and no failure")
    func good() {
        let one: RequestMeasurement = read(
            Wire.event("a") + Wire.event("b", finish: "length") + Wire.usage(prompt: 7, output: 6) + Wire.done
        ).measurement
        #expect(one.failure == nil && one.finishReason == "length")
        #expect(one.head == 5 && one.chunks == [10, 10] && one.end == 10 && one.sent == 1)
        #expect(one.promptTokens == 7 && one.outputTokens == 6)
    }

    @Test("Without usage each event counts as a token, and the prompt as it was sent")
    func uncounted() {
        let one: RequestMeasurement = read(Wire.event("a") + Wire.event("b", finish: "stop") + Wire.done).measurement
        #expect(one.outputTokens == 2 && one.promptTokens == 9 && one.failure == nil)
    }

    @Test("A chat's first event without text is no token; thoughts, tools and ids are")
    func chat() {
        func delta(_ inner: String, _ finish: String = "null") -> String {
            "data: {\"choices\":[{\"delta\":\(inner),\"finish_reason\":\(finish)}]}\n\n"
        }
        let body: String =
            delta("{\"role\":\"assistant\",\"content\":\"\"}") + delta("{\"reasoning_content\":\"hm\"}")
            + delta("{\"content\":\"yes\"}") + delta("{\"tool_calls\":[{\"index\":0}]}") + delta("{}", "\"stop\"")
        let reader: AnswerReader = read(body + Wire.done, keepsAnswer: true)
        #expect(reader.measurement.chunks.count == 3)
        #expect(reader.answer.text == "hmyes")
        let ids: AnswerReader = read(
            "data: {\"choices\":[{\"text\":\"\",\"token_ids\":[4,5],\"finish_reason\":\"length\"}]}\n\n" + Wire.done,
            keepsAnswer: true)
        #expect(ids.answer.tokens == [4, 5] && ids.measurement.chunks == [10])
    }

    @Test("Cached tokens are taken from the usage")
    func cached() {
        let usage: String =
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":1,"
            + "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n"
        #expect(read(Wire.event("a", finish: "length") + usage + Wire.done).measurement.cachedTokens == 4)
    }

    @Test("An answer that ends with its reason but without [DONE] is whole; one without either is not")
    func ends() {
        #expect(read(Wire.event("a", finish: "stop")).measurement.failure == nil)
        #expect(read(Wire.event("a")).measurement.failure == .closedEarly)
        #expect(read("").measurement.failure == .closedEarly)
    }

    @Test("Every misbehaviour is reported as what it is")
    func misbehaviour() {
        let json: String = "{\"error\":{\"message\":\"queue is full\",\"type\":\"overloaded\"}}"
        #expect(
            read(json, status: 429, retryAfter: "3").measurement.failure
                == .status(429, "queue is full (Retry-After: 3)"))
        #expect(read("oops\nline", status: 500, type: nil).measurement.failure == .status(500, "oops line"))
        #expect(read("{\"detail\":\"no\"}", status: 404, type: nil).measurement.failure == .status(404, "no"))
        #expect(
            read("{\"choices\":[]}", type: "application/json").measurement.failure
                == .malformed("no event stream: {\"choices\":[]}"))
        #expect(read("data: {oops\n\n").measurement.failure == .malformed("{oops"))
        #expect(read("<html>\n").measurement.failure == .malformed("<html>"))
        #expect(read(Wire.done).measurement.failure == .malformed("an answer without any text"))
        #expect(read(Wire.event("a") + "data: \(json)\n\n").measurement.failure == .errorEvent("queue is full"))
        #expect(read("event: error\ndata: {\"message\":\"lost\"}\n\n").measurement.failure == .errorEvent("lost"))
        #expect(read(Wire.event("a") + "data: {\"error\":\"bad\"}\n\n").measurement.chunks == [10])
    }

    @Test("Events under another type are taken all the same")
    func otherType() {
        #expect(read(Wire.event("a", finish: "stop") + Wire.done, type: "text/plain").measurement.failure == nil)
    }

    @Test("A long refusal is cut, on one line")
    func longText() {
        guard case .status(_, let text) = read(String(repeating: "x\n", count: 9000), status: 500).measurement.failure
        else {
            Issue.record("no status")
            return
        }
        #expect(text.count == 203 && text.hasSuffix("...") && !text.contains("\n"))
    }
}
