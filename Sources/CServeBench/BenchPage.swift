// A report as one HTML file, for whoever was not at the terminal.
import CServeCore

/// Writes a run's page.
public struct BenchPage: Sendable {
    private let result: BenchResult
    private let run: BenchRun

    /// Prepares a page.
    /// - Parameters:
    ///   - result: the figures, with or without the requests.
    ///   - run: what is drawn.
    public init(_ result: BenchResult, run: BenchRun) {
        self.result = result
        self.run = run
    }

    /// The file.
    public var html: String {
        let text = BenchReportText(result)
        let report: BenchReport = result.report
        var page = HTMLPage(title: text.title)
        page.paragraph("Begun \(CalendarText.iso(result.began)). \(result.generator).")
        page.figures(headline(report))
        page.table(text.latencies)
        page.table(text.counts)
        page.table(text.rates)
        if let targets = text.targets {
            page.heading("Targets")
            page.table(targets)
        }
        if let failures = text.failures {
            page.heading("Failures")
            page.table(failures)
        }
        for note in text.notes { page.paragraph("Note: \(note)") }
        page.heading("Charts")
        for chart in BenchCharts(run, result.objective).all { page.chart(chart) }
        page.details("Workload", result.workload.text(.pretty))
        return page.text
    }

    private func headline(_ report: BenchReport) -> [(name: String, value: String)] {
        var all: [(name: String, value: String)] = [
            ("TTFT p50", FigureText.milliseconds(report.ttft.p50)),
            ("TTFT p99", FigureText.milliseconds(report.ttft.p99)),
            ("TPOT p50", FigureText.milliseconds(report.tpot.p50)),
            ("E2E p50", FigureText.milliseconds(report.e2e.p50)),
            ("output tokens/s, steady", FigureText.figure(report.steadyThroughput.outputTokensPerSecond)),
            ("requests/s, steady", FigureText.figure(report.steadyThroughput.requestsPerSecond)),
        ]
        if result.objective != nil { all.append(("kept every limit", BenchReportText.percent(report.goodShare))) }
        if report.failed > 0 { all.append(("failed", FigureText.count(report.failed))) }
        return all
    }
}
