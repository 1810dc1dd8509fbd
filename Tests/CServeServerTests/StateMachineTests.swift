// The pure parts: text of branches, connections, bytes of JSON, histograms, keys.

import CServeCore
import Testing

@testable import CServeServer

struct StateMachineTests {
    static func answer(_ stops: [String], include: Bool = false, stopTokens: [TokenID] = []) -> AnswerText {
        var options: GenerationOptions = GenerationOptions(sampling: SamplingParameters())
        options.stops = stops
        options.includeStop = include
        options.sampling.stopTokenIDs = stopTokens
        return AnswerText(choice: 0, prompt: [], options: options, codec: ByteCodec())
    }

    static func bytes(_ text: String) -> [ScoredToken] { text.utf8.map { ScoredToken(token: TokenID($0)) } }

    @Test("However an answer is cut into steps, its text and its tokens are the same")
    func cuts() {
        let text: String = "héllo wörld, STOP and more"
        for size in 1...10 {
            var branch: AnswerText = Self.answer(["STOP"])
            var (sent, tokens): (String, Int) = ("", 0)
            var rest: ArraySlice<ScoredToken> = Self.bytes(text)[...]
            while !rest.isEmpty {
                let piece: AnswerPiece = branch.take(Array(rest.prefix(size)), end: nil)
                rest = rest.dropFirst(size)
                sent += piece.text
                tokens += piece.tokens.count
            }
            #expect(sent == "héllo wörld, ")
            #expect(tokens == "héllo wörld, ".utf8.count)
            #expect(branch.end?.stopString == "STOP")
        }
    }

    @Test("What may become a stop string is held back, and comes out at the end")
    func held() {
        var branch: AnswerText = Self.answer(["END"])
        #expect(branch.take(Self.bytes("a EN"), end: nil).text == "a ")
        let last: AnswerPiece = branch.take([], end: (.length, nil))
        #expect(last.text == "EN")
        #expect(last.tokens.count == 2)
        #expect(last.end == AnswerEnd(reason: .length, stopString: nil, stopToken: nil))
    }

    @Test("A stop token's text is left out unless it was asked for")
    func stopToken() {
        var branch: AnswerText = Self.answer([], stopTokens: [33])
        let piece: AnswerPiece = branch.take(Self.bytes("hi!"), end: (.stop, 33))
        #expect(piece.text == "hi" && piece.end?.stopToken == 33 && branch.tokenCount == 3)
        var including: AnswerText = Self.answer([], include: true, stopTokens: [33])
        #expect(including.take(Self.bytes("hi!"), end: (.stop, 33)).text == "hi!")
    }

    @Test("A broken character at the end becomes one replacement character")
    func broken() {
        var branch: AnswerText = Self.answer([])
        #expect(branch.take([ScoredToken(token: 0xC3)], end: nil).isEmpty)
        #expect(branch.take([], end: (.length, nil)).text == "\u{FFFD}")
    }

    @Test("A connection owes its answers in order and closes after the one that says so")
    func connection() {
        var state: ConnectionState = ConnectionState()
        #expect(state.readHead() == .forwardAndStartTimer)
        #expect(state.readEnd() == .forwardAndStopTimer)
        #expect(state.owed == 1)
        state.writeHead(closes: false)
        #expect(state.writeEnd() == false && state.owed == 0)
        #expect(state.readHead() == .forwardAndStartTimer)
        state.writeHead(closes: true)
        #expect(state.writeEnd() == true)
        #expect(state.readBody() == .drop && state.readEnd() == .drop && state.readHead() == .drop)
        var slow: ConnectionState = ConnectionState()
        _ = slow.readHead()
        #expect(slow.readTimedOut() == true)
        var busy: ConnectionState = ConnectionState()
        _ = (busy.readHead(), busy.readEnd())
        #expect(busy.parserFailed() == false)
    }

    @Test("A watcher is called once, also if the client has already gone")
    func watchers() {
        let connection: Connection = Connection()
        let engine: FakeEngine = FakeEngine(Scripts.hold)
        _ = connection.onClose { engine.cancel(RequestID(1), branch: nil, reason: .abort) }
        let forgotten: Int = connection.onClose { engine.cancel(RequestID(2), branch: nil, reason: .abort) }
        connection.forget(forgotten)
        connection.close()
        connection.close()
        _ = connection.onClose { engine.cancel(RequestID(3), branch: nil, reason: .abort) }
        #expect(engine.cancels.map(\.id) == [RequestID(1), RequestID(3)])
    }

    @Test("Strings are escaped, numbers are JSON's, minus infinity is OpenAI's")
    func json() throws {
        for text in ["plain", "q\"b\\n\n\t\r\u{01}\u{7F}é😀", ""] {
            var json: JSONBytes = JSONBytes()
            json.string(text)
            #expect(try JSONValue(parsing: json.text) == .string(text))
        }
        var json: JSONBytes = JSONBytes()
        json.list([Float.nan, -Float.infinity, -0.5]) { $0.logprob($1) }
        #expect(json.text == "[-9999.0,-9999.0,-0.5]")
    }

    @Test("A histogram counts into the first bucket that is not below the value")
    func histogram() {
        var histogram: Histogram = Histogram([1, 2, 5])
        for value in [0.5, 1, 1.5, 5, 6] { histogram.observe(value) }
        #expect(histogram.counts == [2, 1, 1, 1])
        #expect(histogram.sum == 14)
        #expect(Edges.oneTwoFive(upTo: 60) == [1, 2, 5, 10, 20, 50])
        #expect(Edges.finePerToken.first == 0.0001)
    }

    @Test("Keys are compared whole")
    func keys() {
        let keys: APIKeys = APIKeys(["secret", ""])
        #expect(keys.admit(authorization: "Bearer secret"))
        #expect(keys.admit(authorization: "bearer secret"))
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer ", "Basic secret", "secret", "Bearer secretsecret"] {
            #expect(!keys.admit(authorization: wrong))
        }
        #expect(!keys.admit(authorization: nil))
        #expect(APIKeys([]).admit(authorization: nil))
    }

    @Test("Prometheus' labels are escaped and counters end in _total")
    func prometheus() {
        var text: PrometheusText = PrometheusText(common: [("model_name", "a\"b\\c\nd")])
        text.counter("x", "Help.", 3)
        #expect(
            text.text == "# HELP x_total Help.\n# TYPE x_total counter\nx_total{model_name=\"a\\\"b\\\\c\\nd\"} 3.0\n")
    }
}
