// The fourth proof: what was claimed of this system when it was announced, predicted from what ships.

import CServeCore
import CServeCost
import CServeSimulator

/// Claims about cheap accelerators, pipelines and weight streaming.
enum FidelityClaims: FidelitySection {
    static let name: String = "claims"
    static let title: String = "Claims"
    static let needsData: Bool = false

    static func markdown(_ folder: DataFolder, progress: FidelityProgress, note: inout String) throws -> String? {
        let bench: ClaimBench = try ClaimBench(step: progress.step)
        return introduction + (try ClaimThroughput(bench: bench).text) + (try ClaimFlips(bench: bench).text)
            + (try ClaimDivision(bench: bench).text) + (try ClaimStreaming(bench: bench).text)
    }

    private static let introduction: String = """
        Nothing is measured here: the shipped catalogue, curves and engine profiles predict what docs/claims.md discusses.
        All models are float16. `cserve` is the cserve profile with the policy `throughput` and 512 requests at once;
        `vllm` is the vllm profile as it comes (256 requests; no room reserved). Both take 2048 tokens a step and 0.9 of
        the memory. Links are the catalogue's usual ones (L4, A10: PCIe staged through the host, 12 GB/s and 20 us; A100:
        NVLink switches), prices the cheapest on-demand rentals of the catalogue. All requests are there at once; rates are
        those of the steady middle.



        """
}

/// Four L4 against the usual four L4 and against an A100, on work without latency targets.
struct ClaimThroughput {
    let bench: ClaimBench

    /// Models with work that they have the context for.
    static let tasks: [(model: String, workload: String)] = [
        ("llama-3-8b", "batch"), ("llama-3-8b", "rag"), ("llama-2-13b", "batch"),
    ]

    /// Four L4 as usually served.
    static func usual(_ model: String, _ workload: String) -> ClaimCase {
        ClaimCase(model: model, accelerator: "l4", count: 4, tensor: 4, engine: "vllm", workload: workload)
    }

    /// Four L4 as a pipeline of ours.
    static func pipeline(_ model: String, _ workload: String) -> ClaimCase {
        ClaimCase(model: model, accelerator: "l4", count: 4, pipeline: 4, workload: workload)
    }

    /// One accelerator.
    static func alone(_ accelerator: String, _ engine: String, _ model: String, _ workload: String) -> ClaimCase {
        ClaimCase(model: model, accelerator: accelerator, engine: engine, workload: workload)
    }

    var text: String {
        get throws {
            var text: String = "### Four L4 against the usual four L4, and against an A100\n\n"
            for (model, workload) in Self.tasks { text += try table(model, workload) }
            return text + "### The claims' own numbers\n\n" + (try claims())
        }
    }

    private func cases(_ model: String, _ workload: String) -> [ClaimCase] {
        let usual: ClaimCase = Self.usual(model, workload)
        var four: [ClaimCase] = [usual]
        for (tensor, pipeline, engine) in [
            (4, 1, "cserve"), (1, 4, "vllm"), (1, 4, "cserve"), (2, 2, "cserve"), (1, 1, "vllm"), (1, 1, "cserve"),
        ] {
            var one: ClaimCase = usual
            (one.tensor, one.pipeline, one.engine) = (tensor, pipeline, engine)
            four.append(one)
        }
        return four
            + ["a100-40", "a100-80"].flatMap { accelerator in
                ["vllm", "cserve"].map { Self.alone(accelerator, $0, model, workload) }
            }
    }

    private func table(_ model: String, _ workload: String) throws -> String {
        let usual: Double = try bench.saturated(Self.usual(model, workload))?.outputRate ?? 0
        let rows: [[String]] = try cases(model, workload).map { one in
            guard let outcome = try bench.saturated(one) else {
                return [one.name, one.engine, "does not fit", "", "", "", "", "", ""]
            }
            return [
                one.name, one.engine, BenchText.figure(outcome.outputRate), BenchText.figure(outcome.totalRate),
                BenchText.figure(outcome.outputRate / usual), outcome.usdPerHour.map { BenchText.figure($0) } ?? "-",
                outcome.tokensPerUSD.map { BenchText.figure($0 / 1e6) } ?? "-", "\(outcome.kvTokens)",
                "\(outcome.report.preemptions)",
            ]
        }
        let head: [String] = [
            "deployment", "engine", "generated tokens/s", "all tokens/s", "x usual", "$/h", "million generated/$",
            "KV tokens",
            "preempted",
        ]
        return "\(model), workload `\(workload)`:\n\n" + Markdown.table(head, rows) + "\n"
    }

    /// The three figures of the claims, task by task.
    private func claims() throws -> String {
        let rows: [[String]] = try Self.tasks.map { model, workload in
            let usual: Double = try bench.saturated(Self.usual(model, workload))?.outputRate ?? 0
            let ours: Double = try bench.saturated(Self.pipeline(model, workload))?.outputRate ?? 0
            let shares: [Double] = try ["vllm", "cserve"].map { engine in
                let large: ClaimOutcome? = try bench.saturated(Self.alone("a100-40", engine, model, workload))
                return (large?.outputRate ?? 0) / (ours / 4)
            }
            return ["\(model), \(workload)"] + ([ours / usual] + shares).map { BenchText.figure($0) }
        }
        let head: [String] = [
            "task", "4xL4 pp4 cserve over 4xL4 tp4 vllm (claim: up to 1.8)",
            "A100-40 vllm over a quarter of 4xL4 pp4 cserve (claim: 2.7)", "A100-40 cserve over the same",
        ]
        return Markdown.table(head, rows) + "\n"
    }
}
