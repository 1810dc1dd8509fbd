// A run in the form of CentML's flexible-inference-bench: raw records that `fib analyse` sums up.
import CServeCore

/// Writes the record that `fib benchmark` writes.
///
/// Fields as in github.com/CentML/flexible-inference-bench at 570da12, `RequestFuncOutput` and `main.py`. Texts are not kept:
/// prompts and answers are empty, and `output_len` holds the tokens that fib would otherwise count in the text.
public struct FIBFormat: Sendable {
    private let run: BenchRun
    private let setting: BenchSetting

    /// Prepares a run.
    public init(_ run: BenchRun, setting: BenchSetting = BenchSetting()) {
        self.run = run
        self.setting = setting
    }

    /// The file.
    public var json: JSONValue {
        [
            "backend": .string(setting.backend), "time": .double(run.duration.seconds),
            "outputs": .array(run.requests.map(output)), "inputs": .array(run.requests.map(input)),
            "tokenizer": .string(setting.tokenizer ?? run.model), "stream": true,
        ]
    }

    private func output(_ one: RequestMeasurement) -> JSONValue {
        [
            "generated_text": "", "success": .bool(one.failure == nil),
            "latency": .double(one.failure == nil ? one.e2e.seconds : 0), "ttft": .double((one.ttft ?? 0).seconds),
            "itl": .array(one.gaps.map { .double($0.seconds) }), "prompt_len": .integer(one.promptTokens),
            "error": .string(one.failure?.text ?? ""),
            "output_len": one.failure == nil ? .integer(one.outputTokens) : .null,
        ]
    }

    private func input(_ one: RequestMeasurement) -> JSONValue {
        ["", .integer(one.promptTokens), .integer(one.outputTokens)]
    }
}
