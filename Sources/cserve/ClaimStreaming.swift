// Models that do not fit: the share of the weights that has to stream from the host, and what that costs.

import CServeCore
import CServeCost

/// Weight streaming on small accelerators.
struct ClaimStreaming {
    let bench: ClaimBench
    private static let workload: String = "batch"

    var text: String {
        get throws {
            var rows: [[String]] = []
            for one in Self.cases { rows += try self.rows(one) }
            let head: [String] = [
                "model", "deployment", "share in host memory", "", "KV tokens", "generated tokens/s",
                "TPOT at saturation, ms",
                "TPOT alone, ms",
            ]
            return "### Models larger than the memory\n\n" + Self.introduction + "\n\n" + Markdown.table(head, rows)
        }
    }

    private static let introduction: String = """
        `\(workload)`, cserve. The share of each layer's weights in host memory streams in at every step over the
        accelerator's own PCIe link (25.2 GB/s); a larger share makes steps longer and leaves more room for keys and values.
        The smallest share (in steps of 1/100) that fits one request of 3072 tokens, and the one of those tried (every 1/20)
        with most tokens/s.
        """

    private static var cases: [ClaimCase] {
        let alone: [ClaimCase] = ["l4", "a10", "rtx3090"].map {
            ClaimCase(model: "llama-2-13b", accelerator: $0, workload: workload)
        }
        let four: [ClaimCase] = ["l4", "a10"].flatMap { accelerator in
            [(1, 4), (4, 1)].map { tensor, pipeline in
                ClaimCase(
                    model: "mixtral-8x7b", accelerator: accelerator, count: 4, tensor: tensor, pipeline: pipeline,
                    workload: workload)
            }
        }
        return alone + four
    }

    private func rows(_ one: ClaimCase) throws -> [[String]] {
        let shares: [Double] = try (0...100).map { Double($0) / 100 }.filter { share in
            try bench.budget(one.offloading(share)) != nil
        }
        guard let least = shares.first else { return [[one.model, one.name, "does not fit at any share"]] }
        let tried: [Double] = (0...20).map { Double($0) / 20 }.filter { $0 >= least }
        var best: (share: Double, rate: Double) = (least, 0)
        for share in tried {
            let rate: Double = try bench.saturated(one.offloading(share))?.outputRate ?? 0
            if rate > best.rate { best = (share, rate) }
        }
        return [
            try row(one.offloading(least), "smallest that fits"), try row(one.offloading(best.share), "most tokens/s"),
        ]
    }

    private func row(_ one: ClaimCase, _ why: String) throws -> [String] {
        guard let full = try bench.saturated(one), let single = try bench.single(one) else {
            return [one.model, one.name, "does not fit"]
        }
        return [
            one.model, one.name, BenchText.percent(one.offloadedShare), why, "\(full.kvTokens)",
            BenchText.figure(full.outputRate), BenchText.figure(full.report.tpot.mean),
            BenchText.figure(single.report.tpot.mean),
        ]
    }
}

extension ClaimCase {
    /// The same with a share of the weights in host memory.
    func offloading(_ share: Double) -> ClaimCase {
        var one: ClaimCase = self
        one.offloadedShare = share
        return one
    }
}
