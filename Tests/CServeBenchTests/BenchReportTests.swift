// A report's figures against numpy's, and its rules one by one.
import CServeCore
import Testing

@testable import CServeBench

@Suite("Benchmark reports")
struct BenchReportTests {
    @Test("Latencies are numpy's")
    func latencies() throws {
        // numpy 2.4: mean, percentile([50, 90, 95, 99]), max, std of the numbers in eightRequests().
        let wanted: [(LatencyMetric, Int, [Double])] = [
            (.ttft, 7, [43.0, 41.0, 64.8, 66.9, 68.58, 69.0, 16.61324772583615]),
            (
                .tpot, 7,
                [
                    9.806802721088436, 10.0, 13.228571428571428, 13.614285714285714, 13.922857142857142, 14.0,
                    2.8092665132303396,
                ]
            ), (.itl, 30, [11.333333333333334, 11.5, 16.0, 16.0, 16.0, 16.0, 3.0695638488590236]),
            (.e2e, 7, [91.57142857142857, 81.0, 163.0, 172.0, 179.2, 181.0, 52.89033706738917]),
        ]
        let report = try BenchReport(run: eightRequests())
        let deviations: [Double] = [
            report.deviations.ttft, report.deviations.tpot, report.deviations.itl, report.deviations.e2e,
        ]
        for (place, (metric, count, figures)) in wanted.enumerated() {
            let found: LatencySummary = report.latency(metric)
            #expect(found.count == count)
            let all: [Double] = [found.mean, found.p50, found.p90, found.p95, found.p99, found.max, deviations[place]]
            // TPOT is kept in whole nanoseconds.
            for (value, figure) in zip(all, figures) { #expect(abs(value - figure) < 2e-6, "\(metric)") }
        }
        #expect(report.lateness.max == 0.07 && report.lateness.count == 8)
        #expect(report.queueTime.count == 0 && report.connect.count == 0)
    }

    @Test("Counts, tokens and rates over the whole are sums")
    func counts() throws {
        let report = try BenchReport(run: eightRequests())
        #expect(report.offered == 8 && report.completed == 7 && report.failed == 1 && report.leftOut == 0)
        #expect(report.failures == [BenchFailureCount(kind: "status_429", count: 1, example: "HTTP 429: busy")])
        // 2 + 3 + 4 + 5 + 6 + 8 + 9 tokens of 7 answers; the last one ends 181.07 ms after 700 ms.
        #expect(report.outputTokens == 37 && report.chunks == 37 && report.promptTokens == 70)
        #expect(report.duration == 881_070_000)
        #expect(abs(report.throughput.outputTokensPerSecond - 37 / 0.88107) < 1e-9)
        #expect(abs(report.throughput.totalTokensPerSecond - 107 / 0.88107) < 1e-9)
        #expect(report.tokensPerChunk == 1)
    }

    @Test("Goodput is of the offered requests: failures lower it, each target has its own share")
    func goodput() throws {
        // TTFT of requests 0..3 is at most 41 ms; TPOT of 0..4 at most 10.8 ms (6th failed, 7th 12.86).
        let slo = try ServiceLevelObjective(parsing: "ttft:p50<45ms,tpot:p99<11ms,itl:p90<12ms")
        let report = try BenchReport(run: eightRequests(), slo: slo)
        #expect(report.goodShare == 4.0 / 8)
        #expect(abs(report.goodput - 4 / 0.88107) < 1e-9)
        #expect(report.attainment.map(\.isMet) == [true, false, false])
        #expect(report.attainment[0].value == 41)
        #expect(report.attainment[0].share == 4.0 / 8 && report.attainment[1].share == 5.0 / 8)
        // Gaps are 5 + i and 9 + i ms by turns: all up to i = 3 (10), 3 of 5, 4 of 7 and 4 of 8.
        #expect(report.attainment[2].share == 21.0 / 30)
        #expect(!report.meetsTargets)
    }

    @Test("Interrupted requests are no fault of the server")
    func interrupted() throws {
        let slo = try ServiceLevelObjective(parsing: "ttft<1s")
        let requests = [
            answered(0, due: 0, ttft: 5, gaps: [1]), failed(1, due: 1, after: 9, .interrupted),
            failed(2, due: 2, after: 9, .timeout),
        ]
        let report = try BenchReport(run: run(requests), slo: slo)
        #expect(report.goodShare == 0.5 && report.failed == 2 && report.offered == 3)
    }

    @Test("Warm-up and cool-down leave out requests by their due time, and bound the window of rates")
    func windows() throws {
        let windows = BenchWindows(warmup: span(150), cooldown: span(100))
        let report = try BenchReport(run: eightRequests(), window: windows)
        // Due between 150 and 600 ms: numbers 2 to 6.
        #expect(report.offered == 5 && report.completed == 4 && report.leftOut == 3)
        #expect(report.steadyWindow == [span(150), span(600)])
        #expect(report.ttft.count == 4 && report.ttft.max == 62)
        #expect(report.throughput == (try BenchReport(run: eightRequests())).throughput)
        #expect(throws: BenchReportError.nothingLeft(warmup: span(400), cooldown: span(300), sending: span(700))) {
            try BenchReport(run: eightRequests(), window: BenchWindows(warmup: span(400), cooldown: span(300)))
        }
    }

    @Test("Without windows rates are steady between a fifth of the sending time and its end")
    func steadyRates() throws {
        // 500 requests, 10 ms apart, each of 11 tokens over 100 ms: 1,100 tokens a second once it is filled.
        let requests = (0..<500).map {
            answered($0, due: Double($0) * 10, ttft: 10, gaps: Array(repeating: 9, count: 10))
        }
        let report = try BenchReport(run: run(requests))
        #expect(report.steadyWindow == [span(998), span(4990)])
        #expect(abs(report.steadyThroughput.outputTokensPerSecond - 1100) < 5)
        #expect(abs(report.steadyThroughput.requestsPerSecond - 100) < 0.5)
        #expect(abs(report.offeredRate - 100) < 0.5)
        #expect(report.peakConcurrency == 10 && abs(report.meanConcurrency - 9.8) < 0.1)
    }

    @Test("A server that falls silent has no rate from then on")
    func silence() throws {
        let requests = (0..<100).map { (index: Int) -> RequestMeasurement in
            let due: Double = Double(index) * 10
            return index < 60
                ? answered(index, due: due, ttft: 5, gaps: [1]) : failed(index, due: due, after: 5, .closedEarly)
        }
        let report = try BenchReport(run: run(requests))
        // 40 of the window's 79 intervals have an answer.
        #expect(abs(report.steadyThroughput.requestsPerSecond - 50) < 1.5)
    }

    @Test("Several tokens in one event count for TPOT and rates, not for gaps")
    func bundles() throws {
        var one = answered(0, due: 0, ttft: 10, gaps: [40, 40])
        one.outputTokens = 9
        let report = try BenchReport(run: run([one]))
        #expect(report.itl.count == 2 && report.itl.mean == 40)
        #expect(report.tpot.mean == 10)
        #expect(report.chunks == 3 && report.tokensPerChunk == 3)
    }

    @Test("Answers without tokens have no first token, and count by their end")
    func empty() throws {
        var one = RequestMeasurement(index: 0, due: 0, promptTokens: 3)
        one.end = span(30)
        let report = try BenchReport(run: run([one]), slo: try ServiceLevelObjective(parsing: "ttft:p50<20ms"))
        #expect(report.completed == 1 && report.ttft.count == 0 && report.e2e.mean == 30)
        #expect(report.goodShare == 0 && report.attainment[0].value == nil && !report.attainment[0].isMet)
        #expect(try BenchReport(run: run([])).offered == 0)
    }

    @Test("Millions of gaps are counted in bounded memory, within 0.1%")
    func manyGaps() {
        var collector = GapCollector()
        for gap in 0..<5_000_000 { collector.add(Nanoseconds(1_000_000 + gap)) }
        let summary: LatencySummary = collector.summary
        #expect(summary.count == 5_000_000 && summary.max == 5.999999)
        #expect(abs(summary.p50 - 3.5) < 3.5e-3 && abs(summary.p99 - 5.95) < 6e-3)
        // A uniform distribution over 5 ms: 5 / sqrt(12).
        #expect(abs(collector.deviation - 1.4433756) < 1e-5)
    }

    @Test("Failures are counted by kind, and their examples are harmless in a terminal")
    func failures() throws {
        let all: [BenchFailure] = [
            .timeout, .status(500, "\u{1B}[31mred\u{202E}\r\nx"), .status(500, "again"), .malformed("<b>"),
        ]
        #expect(
            BenchFailureCount.count(all) == [
                BenchFailureCount(kind: "status_500", count: 2, example: "HTTP 500:  [31mred   x"),
                BenchFailureCount(kind: "malformed", count: 1, example: "the answer cannot be read: <b>"),
                BenchFailureCount(
                    kind: "timeout", count: 1, example: "no whole answer within the time that a request has"),
            ])
        #expect(BenchFailureCount.plain(String(repeating: "x", count: 500)).count == 161)
    }

    @Test("Every error of a report says what to do")
    func errors() {
        #expect(
            BenchReportError.nothingLeft(warmup: 10 * .second, cooldown: 5 * .second, sending: 12 * .second)
                .description
                == "A warm-up of 10s and a cool-down of 5s leave nothing of the 12s in which requests were sent. "
                + "Shorten them, or send for longer.")
    }
}
