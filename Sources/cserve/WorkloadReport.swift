// Workloads as text for a terminal, and as JSON for programs.

import CServeCore
import CServeWorkload
import Foundation

/// Lays out what is known of workloads.
enum WorkloadReport {
    /// The presets, one a line.
    static func list(_ catalog: WorkloadCatalog) -> String {
        let widths: [Int] = [18, 6, 6, 30, 24]
        var lines: [String] = [BenchText.head(["preset", "in", "out", "latencies its users expect", "also"], widths)]
        for preset in catalog.presets {
            let figures = WorkloadStatistics(of: preset.workload.stream())
            lines.append(
                BenchText.row(
                    [
                        preset.name, BenchText.figure(figures.prompt.mean.rounded()),
                        BenchText.figure(figures.output.mean.rounded()), preset.objective?.description ?? "-",
                        preset.aliases.joined(separator: ", "),
                    ], widths))
        }
        let shapes: String = WorkloadCatalog.publishedShapes.map { "\($0.prompt)/\($0.output)" }.joined(separator: " ")
        return lines.joined(separator: "\n")
            + "\n\nin and out: mean tokens. Fixed lengths are written IN/OUT; NVIDIA publishes \(shapes)."
    }

    /// The presets with their sources.
    static func json(_ catalog: WorkloadCatalog) -> JSONValue {
        .array(
            catalog.presets.map { preset in
                var object = JSONObject([
                    ("name", .string(preset.name)), ("aliases", .array(preset.aliases.map { .string($0) })),
                    ("summary", .string(preset.summary)), ("source", .string(preset.source)),
                ])
                object["objective"] = preset.objective.map { .string($0.description) }
                object["objective_source"] = preset.objectiveSource.map { .string($0) }
                object["workload"] = preset.workload.json
                object["digest"] = .string(preset.workload.digest)
                return .object(object)
            })
    }

    /// One workload with its figures.
    static func json(_ workload: Workload, _ figures: WorkloadStatistics) throws -> JSONValue {
        let encoded: Data = try JSONEncoder().encode(figures)
        var object = JSONObject([("digest", .string(workload.digest)), ("workload", workload.json)])
        object["statistics"] = try JSONValue(parsing: [UInt8](encoded))
        if case .trace(let replay) = workload.content {
            object["notes"] = try JSONValue(parsing: [UInt8](try JSONEncoder().encode(replay.trace.notes)))
        }
        return .object(object)
    }

    /// One workload as lines, tables and drawings.
    static func text(_ workload: Workload, _ collector: StatisticsCollector) throws -> String {
        let figures: WorkloadStatistics = collector.statistics()
        var parts: [String] = [head(workload)]
        parts.append(facts(workload, figures).map { pad($0.0, 22) + $0.1 }.joined(separator: "\n"))
        parts.append(lengths(figures))
        for isPrompt in [true, false] { parts.append(drawing(collector, ofPrompts: isPrompt)) }
        parts.append("digest \(workload.digest)")
        return parts.joined(separator: "\n\n")
    }

    private static func head(_ workload: Workload) -> String {
        guard case .synthetic = workload.content, let catalog = try? WorkloadCatalog.builtIn(),
            let preset = catalog.preset(named: workload.name)
        else { return workload.name }
        return "\(workload.name): \(preset.summary)\nSource: \(preset.source)"
            + (preset.objective.map { "\nExpected: \($0)" } ?? "")
    }

    private static func facts(_ workload: Workload, _ figures: WorkloadStatistics) -> [(String, String)] {
        var facts: [(String, String)] = [("requests", "\(figures.requests)")]
        facts.append(("arrivals", arrivals(workload.arrivals)))
        if let rate = figures.rate {
            facts.append(("rate", BenchText.figure(rate) + " requests/s over " + BenchText.time(figures.duration)))
        }
        if let variation = figures.gapVariation {
            let peak: String =
                figures.peakMinute.map { "; busiest minute \(BenchText.figure($0)) times the mean" } ?? ""
            facts.append(("gaps", "CV \(BenchText.figure(variation))\(peak)"))
        }
        if let tokens = figures.tokenRate {
            facts.append(("tokens", BenchText.figure(tokens) + " tokens/s, in and out"))
        }
        facts.append(
            ("reusable prompt", BenchText.percent(figures.reusedShare) + " of the tokens, by a cache without limits"))
        if figures.conversations > 0 {
            facts.append(
                ("conversations", "\(figures.conversations); \(BenchText.figure(figures.turns)) requests per arrival"))
        }
        if case .trace(let replay) = workload.content { facts += notes(replay.trace) }
        return facts
    }

    private static func notes(_ trace: Trace) -> [(String, String)] {
        let notes: TraceNotes = trace.notes
        let found: [(Int, String)] = [
            (notes.unordered, "requests were out of order and have been sorted"),
            (notes.emptyAnswers, "answers of no tokens count as one"),
            (notes.emptyPrompts, "prompts of no tokens count as one"),
            (notes.failed, "entries without an answer were left out"),
            (notes.estimated, "lengths were estimated from texts"),
        ]
        return [("trace format", trace.format.rawValue)] + found.filter { $0.0 > 0 }.map { ("note", "\($0.0) \($0.1)") }
    }

    private static func arrivals(_ process: ArrivalProcess) -> String {
        switch process {
        case .poisson(let rate): "Poisson, \(BenchText.figure(rate))/s"
        case .gamma(let rate, let burstiness):
            "Gamma, \(BenchText.figure(rate))/s, burstiness \(BenchText.figure(burstiness))"
        case .constant(let rate): "constant, \(BenchText.figure(rate))/s"
        case .ramp(let from, let to, let span, let growth):
            "\(growth.rawValue) ramp, \(BenchText.figure(from))/s to \(BenchText.figure(to))/s in \(SpanText.text(span))"
        case .allAtOnce: "all at once"
        case .closedLoop(let loop):
            loop.wave.map { "\($0.min) to \($0.max) clients, \($0.sustain) answers at each" }
                ?? "\(loop.clients) clients, each waiting for its answer"
        case .recorded(let speedup):
            "as recorded" + (speedup == 1 ? "" : ", \(BenchText.figure(speedup)) times as fast")
        }
    }

    private static func lengths(_ figures: WorkloadStatistics) -> String {
        let widths: [Int] = [6, 9, 9, 9, 9, 9, 9]
        let row: (String, LengthSummary) -> String = { name, lengths in
            let values: [Double] = [
                Double(lengths.min), lengths.mean, lengths.p50, lengths.p90, lengths.p99, Double(lengths.max),
            ]
            return BenchText.row([name] + values.map { "\(Int($0.rounded()))" }, widths)
        }
        return BenchText.head(["tokens", "min", "mean", "p50", "p90", "p99", "max"], widths) + "\n"
            + row("in", figures.prompt) + "\n" + row("out", figures.output)
    }

    /// A histogram of one line, bins growing by equal factors.
    private static func drawing(_ collector: StatisticsCollector, ofPrompts: Bool) -> String {
        let histogram: LengthHistogram = collector.histogram(ofPrompts: ofPrompts, bins: 48)
        guard let low = histogram.edges.first, let high = histogram.edges.last, let most = histogram.counts.max(),
            most > 0
        else { return "" }
        let blocks: [Character] = Array(" ▁▂▃▄▅▆▇█")
        let bars: [Character] = histogram.counts.map { count in
            blocks[count == 0 ? 0 : max(1, (8 * count + most / 2) / most)]
        }
        let (left, right): (String, String) = ("\(Int(low.rounded()))", "\(Int(high.rounded()) - 1)")
        return pad(ofPrompts ? "in" : "out", 4) + left + " |" + String(bars) + "| " + right + " tokens (log scale)"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
