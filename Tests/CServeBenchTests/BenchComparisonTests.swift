// Comparisons: they see what differs, say nothing of what does not, and refuse what is not alike.
import CServeCore
import CServeWorkload
import Testing

@testable import CServeBench

@Suite("Comparisons of results")
struct BenchComparisonTests {
    private func result(_ run: BenchRun, keepsRequests: Bool = true, slo: String? = nil) throws -> BenchResult {
        try BenchResult(
            run, slo: try slo.map { try ServiceLevelObjective(parsing: $0) }, keepsRequests: keepsRequests,
            generator: "")
    }

    /// Independent requests with a first token after 50 to 150 ms times a factor.
    private func independent(_ seed: UInt64, factor: Double = 1, requests: Int = 300) -> BenchRun {
        var random = SeededGenerator(seed: seed)
        return run(
            (0..<requests).map { (index: Int) -> RequestMeasurement in
                let ttft: Double = (50 + 100 * random.unit()) * factor
                let gaps: [Double] = (0..<4).map { _ in 5 + 10 * random.unit() }
                return answered(index, due: Double(index) * 20, ttft: ttft, gaps: gaps)
            })
    }

    @Test("A difference of a fifth is found, with an interval that holds the truth")
    func difference() throws {
        let comparison = try BenchComparison(
            ([result(independent(1))], [result(independent(2, factor: 1.2))]), names: ("a", "b"))
        let mean = try #require(comparison.line("ttft_mean_ms"))
        #expect(mean.verdict == .worse)
        let low: Double = try #require(mean.low)
        let high: Double = try #require(mean.high)
        #expect(low < 1.2 && high > 1.2)
        // The means' own deviation: 28.9 / sqrt(300) = 1.67 of 100 ms on both sides, so about 1.2 +- 0.05.
        #expect(low > 1.1 && high < 1.3)
        #expect(comparison.line("tpot_mean_ms")?.verdict == .noDifference)
        let back = try BenchComparison(
            ([result(independent(2, factor: 1.2))], [result(independent(1))]), names: ("b", "a"))
        #expect(back.line("ttft_p50_ms")?.verdict == .better)
    }

    @Test("Runs of one server differ by chance alone in about one of twenty figures, queues or not")
    func noDifference() throws {
        var falseAlarms: Int = 0
        for seed: UInt64 in 0..<20 {
            let comparison = try BenchComparison(
                ([result(independent(100 + seed))], [result(independent(200 + seed))]), names: ("a", "b"), seed: seed)
            if comparison.line("ttft_mean_ms")?.verdict != .noDifference { falseAlarms += 1 }
        }
        // Binomial(20, 0.05): more than 4 in three of 1000 runs.
        #expect(falseAlarms <= 4, "\(falseAlarms) of 20")
        falseAlarms = 0
        for seed: UInt64 in 0..<20 {
            let runs: [BenchRun] = [300 + seed, 400 + seed].map {
                queueRun(rate: 5, capacity: 10, requests: 600, seed: $0, tokens: 2)
            }
            let comparison = try BenchComparison(([result(runs[0])], [result(runs[1])]), names: ("a", "b"), seed: seed)
            if comparison.line("ttft_mean_ms")?.verdict != .noDifference { falseAlarms += 1 }
        }
        // Waiting times of a queue hang together, and blocks catch most of it. Binomial(20, 0.1): more than 5 in one of 100.
        #expect(falseAlarms <= 5, "\(falseAlarms) of 20")
    }

    @Test("Repeats are compared by Welch's interval of their logarithms")
    func repeats() throws {
        // scipy 1.17: ttest_ind(log(b), log(a), equal_var=False) of a = 100, 104, 98 and b = 120, 118, 125 has 3.9985
        // degrees of freedom and a standard error of 0.024435; with t(3) = 3.182: exp(0.183987 +- 0.077754).
        let interval = try #require(RatioInterval.welch([100, 104, 98], [120, 118, 125]))
        #expect(abs(interval.lowerBound - 1.112082) < 1e-5 && abs(interval.upperBound - 1.299189) < 1e-5)
        #expect(RatioInterval.welch([0, 1], [1, 1]) == nil)
        let sides = (
            [try result(independent(1)), try result(independent(2)), try result(independent(3))],
            [try result(independent(4, factor: 1.5)), try result(independent(5, factor: 1.5))]
        )
        let comparison = try BenchComparison(sides, names: ("a", "b"))
        #expect(comparison.line("ttft_mean_ms")?.verdict == .worse)
        #expect(comparison.notes.isEmpty)
    }

    @Test("Without records there are ratios but no intervals")
    func withoutRecords() throws {
        let comparison = try BenchComparison(
            ([result(independent(1), keepsRequests: false)], [result(independent(2))]), names: ("a", "b"))
        let line = try #require(comparison.line("ttft_p50_ms"))
        #expect(line.low == nil && line.verdict == .unknown && line.ratio > 0.8)
        #expect(
            comparison.notes == [
                "no interval can be given without every request's record; write results with --out FILE."
            ])
    }

    @Test("Different workloads are refused, unless that is forced, and then said")
    func refused() throws {
        let first = try result(run(eightRequests().requests, digest: "0123456789abcdef"))
        let second = try result(run(eightRequests().requests, digest: "fedcba9876543210"))
        do {
            _ = try BenchComparison(([first], [second]), names: ("a", "b"))
            Issue.record("compared")
        } catch {
            #expect(
                (error as BenchComparisonError).description
                    == "The results are of different workloads (0123456789ab, fedcba987654). Measure with the same workload, "
                    + "rate and seed, or compare all the same with --force.")
            #expect(error == .differentWorkloads(["0123456789abcdef", "fedcba9876543210"]))
        }
        let forced = try BenchComparison(([first], [second]), names: ("a", "b"), force: true)
        #expect(forced.notes.first == "the workloads differ: what is compared here is not like with like.")
        #expect(forced.notes.contains("requests failed (1 of 8, 1 of 8); latencies are of those that were answered."))
    }

    @Test("The table and the JSON show the same")
    func forms() throws {
        let slo = "ttft:p99<100ms"
        let comparison = try BenchComparison(
            (
                [result(independent(1), slo: slo)], [result(independent(2, factor: 2), slo: slo)]
            ), names: ("old.json", "new.json"))
        let rows: [Substring] = comparison.text.split(separator: "\n")
        #expect(rows[0].contains("old.json") && rows[0].contains("95% interval"))
        #expect(rows.contains { $0.hasPrefix("kept every limit, share") && $0.hasSuffix("worse") })
        let json: JSONValue = comparison.json
        #expect(json["schema"] == "cserve-bench-comparison/1" && json["figures"]?[0]?["name"] == "requests_per_s")
        #expect(json["figures"]?.arrayValue?.count == 19)
        #expect(json["figures"]?[3]?["verdict"] == "worse")
    }

    @Test("A resample without change is the sample itself, in numpy's percentiles")
    func percentiles() {
        // One item: every draw takes it once.
        let bootstrap = Bootstrap([[4, 1, 3, 2]])
        let figures: [Bootstrap.Figure] = [.mean, .percentile(50), .percentile(90), .percentile(100)]
        let found: [[Double]] = bootstrap.resampled(figures, seed: 1)
        // numpy.percentile([1, 2, 3, 4], [50, 90, 100]) = 2.5, 3.7, 4.
        for (values, wanted) in zip(found, [2.5, 2.5, 3.7, 4]) {
            #expect(values.allSatisfy { abs($0 - wanted) < 1e-12 } && values.count == 1000)
        }
        #expect(Bootstrap([[], []]).resampled([.mean], seed: 1) == [[]])
    }
}
