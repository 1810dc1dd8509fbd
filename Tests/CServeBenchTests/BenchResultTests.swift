// Results as files: our own form, vLLM's and fib's, and what a terminal shows.
import CServeBench
import CServeCore
import Testing

@Suite("Results as files")
struct BenchResultTests {
    private func result(keepsRequests: Bool) throws -> BenchResult {
        try BenchResult(
            eightRequests(), slo: try ServiceLevelObjective(parsing: "ttft:p50<45ms,tpot:p99<11ms"),
            keepsRequests: keepsRequests, generator: "cserve 1.2.3")
    }

    @Test("A result is read back as it was written, with and without its requests")
    func roundTrip() throws {
        for keepsRequests in [true, false] {
            let written = try result(keepsRequests: keepsRequests)
            let bytes: [UInt8] = try written.serialized()
            #expect(try BenchResult.read(bytes, file: "a.json") == written)
            #expect(written.run == (keepsRequests ? eightRequests() : nil))
            #expect(bytes.last == UInt8(ascii: "\n"))
        }
    }

    @Test("A result names its form, its origin and its units")
    func form() throws {
        let json: JSONValue = try JSONValue(parsing: try result(keepsRequests: true).serialized())
        #expect(json["schema"] == "cserve-bench/1" && json["generator"] == "cserve 1.2.3")
        #expect(json["workload"]?["name"] == "fixed" && json["workload_digest"] == "d1")
        #expect(json["report"]?["ttft"]?["p99_ms"]?.doubleValue == 68.58)
        #expect(json["report"]?["good_share"] == 0.5)
        #expect(json["report"]?["failures"]?[0]?["kind"] == "status_429")
        #expect(json["requests"]?[7]?["chunks_ns"]?[0] == .integer(769_070_000))
        #expect(json["requests"]?.arrayValue?.count == 8)
    }

    @Test("What is no result is refused with the way out")
    func errors() {
        let messages: [(BenchResultError, String)] = [
            (.notJSON(file: "a", reason: "it is empty"), "a is no JSON: it is empty."),
            (
                .notAResult(file: "a"),
                "a is no result of cserve bench: it lacks \"schema\": \"cserve-bench/1\". Write one with cserve bench --json; "
                    + "the forms vllm and fib cannot be read back."
            ),
            (
                .unknownSchema(file: "a", found: "cserve-bench/9"),
                "a is of the form \"cserve-bench/9\", and this cserve reads \"cserve-bench/1\". Measure again, or use the "
                    + "cserve that wrote it."
            ),
            (
                .field(.missing(file: "a", field: "report")),
                "a lacks \"report\". Add it, or write the file anew."
            ),
        ]
        for (error, message) in messages { #expect(error.description == message) }
        func refusal(_ text: String) -> BenchResultError? {
            do {
                _ = try BenchResult.read(Array(text.utf8), file: "a")
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal("[") != nil)
        #expect(refusal("{}") == .notAResult(file: "a"))
        #expect(refusal(#"{"schema": "cserve-bench/9"}"#) == .unknownSchema(file: "a", found: "cserve-bench/9"))
        #expect(
            refusal(#"{"schema": "cserve-bench/1"}"#) == .field(.missing(file: "a", field: "generator")))
    }

    @Test("vLLM's form has the fields of vllm bench serve, in their types")
    func vllm() throws {
        // vLLM 0.32: `vllm/benchmarks/serve.py`, main_async and benchmark, without --save-detailed.
        let summary: [(String, String)] = [
            ("date", "string"), ("endpoint_type", "string"), ("backend", "string"), ("label", "null"),
            ("model_id", "string"), ("tokenizer_id", "string"), ("num_prompts", "integer"), ("request_rate", "string"),
            ("burstiness", "number"), ("max_concurrency", "null"), ("duration", "number"), ("completed", "integer"),
            ("failed", "integer"), ("total_input_tokens", "integer"), ("total_output_tokens", "integer"),
            ("request_throughput", "number"), ("request_goodput", "null"), ("output_throughput", "number"),
            ("total_token_throughput", "number"), ("latencies", "array"), ("queue_times", "array"),
            ("max_output_tokens_per_s", "number"), ("max_concurrent_requests", "integer"), ("rtfx", "number"),
        ]
        let statistics: [String] = ["ttft", "tpot", "itl", "e2el"].flatMap { (name: String) -> [String] in
            ["mean", "median", "std", "p90", "p95", "p99"].map { "\($0)_\(name)_ms" }
        }
        let json: JSONObject = try #require(VLLMFormat(eightRequests()).json(detailed: false).objectValue)
        #expect(json.keys == summary.map(\.0) + statistics)
        for (name, kind) in summary { #expect(json[name]?.kind == kind, "\(name)") }
        for name in statistics { #expect(json[name]?.kind == "number", "\(name)") }
        let details: [String] = [
            "input_lens", "output_lens", "ttfts", "itls", "start_times", "generated_texts", "errors",
        ]
        let detailed: JSONObject = try #require(VLLMFormat(eightRequests()).json(detailed: true).objectValue)
        #expect(Set(detailed.keys) == Set(json.keys + details))
        for name in details { #expect(detailed[name]?.arrayValue?.count == 8, "\(name)") }
    }

    @Test("vLLM's form holds what vLLM computes")
    func vllmValues() throws {
        var setting = BenchSetting()
        setting.rate = 10
        setting.clients = 4
        setting.backend = "openai-chat"
        let slo = try ServiceLevelObjective(parsing: "ttft:p50<45ms")
        let json = VLLMFormat(eightRequests(), slo: slo, setting: setting).json(detailed: true)
        #expect(json["date"] == "20231114-221320" && json["backend"] == "openai-chat")
        #expect(json["request_rate"] == 10.0 && json["max_concurrency"] == 4)
        #expect(json["request_goodput"]?.doubleValue.map { abs($0 - 4 / 0.88107) < 1e-9 } == true)
        // numpy's std of the same numbers; see BenchReportTests.
        #expect(json["std_ttft_ms"]?.doubleValue.map { abs($0 - 16.61324772583615) < 1e-9 } == true)
        #expect(json["itls"]?[1] == [0.006, 0.01])
        #expect(json["errors"]?[5] == "HTTP 429: busy" && json["output_lens"]?[5] == 0 && json["ttfts"]?[5] == 0.0)
        // All seven answers lie within one second.
        #expect(json["max_output_tokens_per_s"] == 37.0 && json["max_concurrent_requests"] == 7)
    }

    @Test("fib's form has what fib analyse reads of every request")
    func fib() {
        var setting = BenchSetting()
        setting.tokenizer = "./tok"
        let json: JSONValue = FIBFormat(eightRequests(), setting: setting).json
        #expect(json.objectValue?.keys == ["backend", "time", "outputs", "inputs", "tokenizer", "stream"])
        #expect(json["time"] == 0.88107 && json["tokenizer"] == "./tok" && json["stream"] == true)
        #expect(
            json["outputs"]?[1] == [
                "generated_text": "", "success": true, "latency": 0.043, "ttft": 0.027, "itl": [0.006, 0.01],
                "prompt_len": 10, "error": "", "output_len": 3,
            ])
        #expect(json["outputs"]?[5]?["success"] == false && json["outputs"]?[5]?["output_len"]?.isNull == true)
        #expect(json["inputs"]?[1] == ["", 10, 3])
    }

    @Test("The terminal shows counts, rates, latencies, targets and failures")
    func text() throws {
        let text: String = BenchReportText(try result(keepsRequests: false)).text
        // The steady 0.56 s hold the ends of requests 1 to 4 and 20 tokens.
        #expect(
            text == """
                m at http://127.0.0.1:8000, workload fixed (d1)

                requests      8 offered, 7 answered, 1 failed (13%)
                duration      0.881 s, steady from 0.14 to 0.7 s
                tokens        70 in, 37 out
                on their way  2 at most, 0.731 on average

                a second       whole run  steady
                requests            7.94    7.16
                output tokens       42.0    35.8
                all tokens           121     107
                good requests       4.54

                ms           mean    p50    p90     p95     p99   max
                TTFT         43.0   41.0   64.8    66.9    68.6  69.0
                TPOT         9.81   10.0   13.2    13.6    13.9  14.0
                ITL          11.3   11.5   16.0    16.0    16.0  16.0
                E2E          91.6   81.0    163     172     179   181
                sent late  0.0288  0.025  0.063  0.0665  0.0693  0.07

                target         measured  kept  within the limit
                ttft:p50<45ms   41.0 ms  yes   50% of requests
                tpot:p99<11ms   13.9 ms  NO    63% of requests
                every limit                    50% of requests

                failed      count  for example
                status_429      1  HTTP 429: busy

                Note: p99 of 7 answers is nearly their maximum; send some hundreds.
                """)
    }

    @Test("Notes say when figures mean less than they seem to")
    func notes() throws {
        var requests: [RequestMeasurement] = (0..<200).map {
            answered($0, due: Double($0) * 10, late: 40, ttft: 20, gaps: [5, 5])
        }
        for place in requests.indices { requests[place].outputTokens = 12 }
        let text = BenchReportText(try BenchResult(run(requests), keepsRequests: false, generator: "")).text
        #expect(text.contains("requests left up to 40.0 ms late (p99): this machine was too slow to send as asked."))
        #expect(text.contains("an event held 4.0 tokens on average: ITL is between events, TPOT is per token."))
        #expect(!text.contains("nearly their maximum"))
    }

    @Test("Markdown has tables, and nothing from a server is markup")
    func markdown() throws {
        let hostile = run(
            [failed(0, due: 0, after: 1, .status(500, "|x|<script>[a](b)`c`"))], model: "*m*")
        let text = BenchReportText(try BenchResult(hostile, keepsRequests: false, generator: "")).markdown
        #expect(text.hasPrefix("# \\*m\\* at http://127.0.0.1:8000, workload fixed (d1)\n"))
        #expect(text.contains("| status\\_500 | 1 | HTTP 500: \\|x\\|\\<script\\>\\[a\\](b)\\`c\\` |"))
        #expect(text.contains("| :-- | --: | --: |"))
    }
}
