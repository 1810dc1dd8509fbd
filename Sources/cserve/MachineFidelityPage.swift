// The page that says how far predictions for this machine are from what it then did.

import CServeCore
import CServeEngine

/// docs/results/predicted-measured.md from measured cells.
struct MachineFidelityPage {
    let cells: [FidelityCell]

    var text: String {
        var page: String = Self.head + machines + "\n" + summary
        for group in groups {
            page += "\n## \(group.model), \(group.weights)\n\n" + table(group.cells)
        }
        return page
    }

    private var groups: [(model: String, weights: String, cells: [FidelityCell])] {
        var groups: [(model: String, weights: String, cells: [FidelityCell])] = []
        for cell in cells {
            if let place = groups.firstIndex(where: { $0.model == cell.model && $0.weights == cell.weights }) {
                groups[place].cells.append(cell)
            } else {
                groups.append((cell.model, cell.weights, [cell]))
            }
        }
        return groups
    }

    private static let head: String = """
        # Predicted and measured on one machine

        Written by `cserve fidelity machine --model MODEL --results FILE -o docs/results/predicted-measured.md`, one call per
        model and some of the workloads; FILE keeps the cells of earlier calls.

        One process loads the model and takes turns: passes of the profile, a live run of the engine, passes of the profile,
        the next run. Live runs are open loops: requests enter the engine (scheduler, prefix cache, kernels, sampling; no HTTP)
        at their times, whatever it does. Afterwards the simulator serves the very same requests with the medians of the
        profile; it knows the settings, the KV blocks and the requests, nothing that a live run measured. Errors are
        predicted / median of the live repeats - 1, in percent.

        Loads are shares of what the simulator says that the machine carries. Lengths are presets' times the scale, so that a
        run takes seconds. Goals: 10% for means and P50, 20% for P99 up to a share of 0.8; throughput and mean and P50 of TPOT
        above. Figures that miss are **bold**. "spread" is half the range of the live repeats' mean TPOT: what the machine
        wanders by while the same requests are served.


        """

    private var machines: String {
        let lines: [String] = cells.map(\.machine).map {
            "\($0.processor), \($0.threads) threads (\($0.instructionSet)), \($0.generator), \($0.date)."
        }
        return Array(Set(lines)).sorted().joined(separator: "\n") + "\n"
    }

    private var summary: String {
        let rows: [[String]] = groups.map { group -> [String] in
            let errors = group.cells.flatMap { cell in
                RunFigures.compared.indices.compactMap { place in
                    cell.error(place).map { (error: $0, goal: RunFigures.compared[place].goal) }
                }
            }
            let kept: Int = errors.count { abs($0.error) <= $0.goal }
            let sizes: Samples = Samples(errors.map { abs($0.error) })
            let exact: Int = group.cells.count { $0.plannedBlocks == $0.engineBlocks }
            return [
                group.model, group.weights, "\(group.cells.count)", "\(kept) of \(errors.count)",
                Markdown.percent(sizes.median), Markdown.percent(sizes.greatest), "\(exact) of \(group.cells.count)",
            ]
        }
        return Markdown.table(
            ["model", "weights", "loads", "figures within goals", "median error", "greatest", "KV blocks exact"], rows)
    }

    private func table(_ cells: [FidelityCell]) -> String {
        let head: [String] =
            ["workload", "scale", "load", "requests", "live tok/s", "TTFT P50", "TPOT P50"]
            + RunFigures.compared.map { "\($0.name) %" } + ["spread %", "repeats"]
        return Markdown.table(head, cells.map(row))
    }

    private func row(_ cell: FidelityCell) -> [String] {
        func median(_ value: (RunFigures) -> Double) -> Double { Samples(cell.measured.map(value)).median }
        let load: String = cell.share.map { "\($0) (\(BenchText.figure(cell.rate ?? 0))/s)" } ?? "all at once"
        let errors: [String] = RunFigures.compared.indices.map { (place: Int) -> String in
            guard let error = cell.error(place) else { return "" }
            let text: String = Self.signed(error)
            return abs(error) <= RunFigures.compared[place].goal ? text : "**\(text)**"
        }
        return [
            cell.workload, BenchText.figure(cell.scale), load, "\(cell.requests)",
            BenchText.figure(median { $0.throughput }), BenchText.figure(median { $0.ttft.p50 }) + " ms",
            BenchText.figure(median { $0.tpot.p50 }) + " ms",
        ] + errors + [BenchText.figure(cell.spread * 100), "\(cell.measured.count)"]
    }

    private static func signed(_ share: Double) -> String {
        let tenths: Double = (share * 1000).rounded() / 10
        return (tenths > 0 ? "+" : "") + "\(tenths)"
    }
}
