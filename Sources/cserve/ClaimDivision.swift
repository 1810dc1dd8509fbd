// What TP, PP and DP do to latency, throughput, room and communication, over fast and slow links.

import CServeCore
import CServeCost

/// The table of divisions.
struct ClaimDivision {
    let bench: ClaimBench
    private static let model: String = "llama-3-8b"
    private static let workload: String = "batch"
    private static let decodes: Int = 64
    private static let prompt: Int = 2048

    var text: String {
        get throws {
            var text: String = "### What TP, PP and DP do\n\n" + Self.introduction + "\n\n"
            for (title, accelerator) in [
                ("Slow links: L4, PCIe staged through the host", "l4"),
                ("Fast links: A100-40, NVLink switches", "a100-40"),
            ] {
                text += "\(title)\n\n" + (try latencies(accelerator)) + "\n" + (try communication(accelerator)) + "\n"
            }
            return text
        }
    }

    private static let introduction: String = """
        \(model), `\(workload)`, cserve, one accelerator and four. "Alone" are means of requests that do not meet; throughput
        and room are those at saturation. Below: what one accelerator sends to others in a step of \(decodes) decodes
        and in one of \(prompt) prompt tokens, and how long the step waits for it on its way through all stages.
        """

    private func divisions(_ accelerator: String) -> [ClaimCase] {
        [(1, 1, 1), (4, 4, 1), (4, 1, 4), (4, 2, 2), (4, 1, 1)].map { count, tensor, pipeline in
            ClaimCase(
                model: Self.model, accelerator: accelerator, count: count, tensor: tensor, pipeline: pipeline,
                workload: Self.workload)
        }
    }

    private func latencies(_ accelerator: String) throws -> String {
        let rows: [[String]] = try divisions(accelerator).map { one in
            guard let single = try bench.single(one), let full = try bench.saturated(one) else {
                return [one.name, "does not fit", "", "", "", ""]
            }
            return [
                one.name, BenchText.figure(single.report.ttft.mean), BenchText.figure(single.report.tpot.mean),
                BenchText.figure(full.outputRate), BenchText.figure(full.report.tpot.mean), "\(full.kvTokens)",
            ]
        }
        let head: [String] = [
            "division", "TTFT alone, ms", "TPOT alone, ms", "generated tokens/s", "TPOT at saturation, ms", "KV tokens",
        ]
        return Markdown.table(head, rows)
    }

    private func communication(_ accelerator: String) throws -> String {
        let rows: [[String]] = try divisions(accelerator).map { one in
            let cost: StepCost = try bench.cost(one)
            let steps: [StepComposition] = [Self.decodeStep, Self.promptStep]
            let cells: [[String]] = steps.map { step in
                let bytes: Int = StepTraffic(cost.placement).bytes(tokens: step.tokens)
                let parts: StepBreakdown = (0..<cost.stages).reduce(into: StepBreakdown()) { sum, stage in
                    sum.add(cost.breakdown(of: step, stage: stage))
                }
                let waits: Double = parts[.allReduce] + parts[.sendReceive]
                return [
                    "\(ByteCount(bytes))", BenchText.time(waits), BenchText.percent(waits / parts.seconds),
                ]
            }
            return [one.name] + cells.flatMap { $0 }
        }
        let head: [String] = [
            "division", "decodes: sent", "waits", "share of the step", "prompts: sent", "waits", "share of the step",
        ]
        return Markdown.table(head, rows)
    }

    private static var decodeStep: StepComposition {
        var step: StepComposition = StepComposition()
        for _ in 0..<decodes { step.addDecode(context: 1500) }
        return step
    }

    private static var promptStep: StepComposition {
        var step: StepComposition = StepComposition()
        step.addPrefill(tokens: prompt, context: 0, samples: true)
        return step
    }
}
