// A report for a terminal, and as Markdown.
import CServeCore

/// Writes a result as text.
public struct BenchReportText: Sendable {
    private let result: BenchResult
    private var report: BenchReport { result.report }

    /// Prepares a result.
    public init(_ result: BenchResult) {
        self.result = result
    }

    /// For a terminal: what was measured, counts, rates, latencies, targets, failures, and what to beware of.
    public var text: String {
        let parts: [String] = [
            title, counts.text, rates.text, latencies.text, targets?.text ?? "", failures?.text ?? "",
            notes.map { "Note: \($0)" }.joined(separator: "\n"),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    var title: String {
        let name: String = result.workload["name"]?.stringValue ?? "given"
        return BenchFailureCount.plain(
            "\(result.model) at \(result.target), workload \(name) (\(result.workloadDigest.prefix(12)))")
    }

    var counts: TextTable {
        let left: String = report.leftOut > 0 ? ", \(FigureText.count(report.leftOut)) more left out" : ""
        let window: [String] = report.steadyWindow.map { FigureText.figure($0.seconds) }
        var table = TextTable(["requests", "\(FigureText.count(report.offered)) offered, \(outcome)\(left)"])
        table.add([
            "duration",
            "\(FigureText.figure(report.duration.seconds)) s, steady from \(window[0]) to \(window[1]) s",
        ])
        table.add(["tokens", "\(FigureText.count(report.promptTokens)) in\(cached), \(tokensOut)"])
        table.add([
            "on their way",
            "\(report.peakConcurrency) at most, \(FigureText.figure(report.meanConcurrency)) on average",
        ])
        return table
    }

    private var outcome: String {
        let answered: String = "\(FigureText.count(report.completed)) answered"
        guard report.failed > 0 else { return answered }
        let share: Double = Double(report.failed) / Double(report.offered)
        return "\(answered), \(FigureText.count(report.failed)) failed (\(Self.percent(share)))"
    }

    private var cached: String {
        guard report.cachedTokens > 0, report.promptTokens > 0 else { return "" }
        return " (\(Self.percent(Double(report.cachedTokens) / Double(report.promptTokens))) from the prefix cache)"
    }

    private var tokensOut: String { "\(FigureText.count(report.outputTokens)) out" }

    var rates: TextTable {
        var table = TextTable(["a second", "whole run", "steady"], right: [1, 2])
        let rows: [(String, (Throughput) -> Double)] = [
            ("requests", \.requestsPerSecond), ("output tokens", \.outputTokensPerSecond),
            ("all tokens", \.totalTokensPerSecond),
        ]
        for (name, value) in rows {
            table.add([
                name, FigureText.figure(value(report.throughput)), FigureText.figure(value(report.steadyThroughput)),
            ])
        }
        if result.objective != nil { table.add(["good requests", FigureText.figure(report.goodput), ""]) }
        return table
    }

    var latencies: TextTable {
        var table = TextTable(["ms", "mean", "p50", "p90", "p95", "p99", "max"], right: Set(1...6))
        for (name, one) in named where one.count > 0 {
            table.add(
                [name] + [one.mean, one.p50, one.p90, one.p95, one.p99, one.max].map { FigureText.figure($0) })
        }
        return table
    }

    private var named: [(String, LatencySummary)] {
        [
            ("TTFT", report.ttft), ("TPOT", report.tpot), ("ITL", report.itl), ("E2E", report.e2e),
            ("queue", report.queueTime), ("connect", report.connect), ("sent late", report.lateness),
        ]
    }

    var targets: TextTable? {
        guard !report.attainment.isEmpty else { return nil }
        var table = TextTable(["target", "measured", "kept", "within the limit"], right: [1])
        for one in report.attainment {
            table.add([
                one.target.description, one.value.map { FigureText.milliseconds($0) } ?? "-", one.isMet ? "yes" : "NO",
                "\(Self.percent(one.share)) of \(one.target.metric == .itl ? "gaps" : "requests")",
            ])
        }
        table.add(["every limit", "", "", "\(Self.percent(report.goodShare)) of requests"])
        return table
    }

    var failures: TextTable? {
        guard !report.failures.isEmpty else { return nil }
        var table = TextTable(["failed", "count", "for example"], right: [1])
        for one in report.failures { table.add([one.kind, FigureText.count(one.count), one.example]) }
        return table
    }

    /// What makes figures mean less than they seem to.
    var notes: [String] {
        var notes: [String] = []
        let late: Double = report.lateness.p99
        if late > 5, late > report.ttft.p50 / 20 {
            let much: String = FigureText.milliseconds(late)
            notes.append("requests left up to \(much) late (p99): this machine was too slow to send as asked.")
        }
        if report.tokensPerChunk > 1.05 {
            let each: String = FigureText.figure(report.tokensPerChunk)
            notes.append("an event held \(each) tokens on average: ITL is between events, TPOT is per token.")
        }
        if report.completed > 0, report.completed < 100 {
            notes.append("p99 of \(report.completed) answers is nearly their maximum; send some hundreds.")
        }
        return notes
    }

    /// Whole percents, with a digit more near the ends.
    static func percent(_ share: Double) -> String {
        let percent: Double = share * 100
        guard percent > 99 && percent < 100 || percent > 0 && percent < 1 else { return FigureText.percent(share) }
        return "\((percent * 10).rounded() / 10)%"
    }
}

extension BenchReportText {
    /// The same as Markdown, for reports that are kept beside code.
    public var markdown: String {
        let parts: [String] = [
            "# \(Self.escaped(title))", Self.table(counts), Self.table(rates), Self.table(latencies),
            targets.map(Self.table) ?? "", failures.map(Self.table) ?? "",
            notes.map { "- \(Self.escaped($0))" }.joined(separator: "\n"),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private static func table(_ table: TextTable) -> String {
        var lines: [String] = table.rows.map { row in "| " + row.map(escaped).joined(separator: " | ") + " |" }
        let columns: Int = table.rows.first?.count ?? 0
        let marks: [String] = (0..<columns).map { table.right.contains($0) ? "--:" : ":--" }
        lines.insert("| " + marks.joined(separator: " | ") + " |", at: min(1, lines.count))
        return lines.joined(separator: "\n")
    }

    /// Text in which nothing is markup.
    static func escaped(_ text: String) -> String {
        var escaped: String = ""
        for character in text {
            if "\\`*_{}[]<>#|!&~".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
