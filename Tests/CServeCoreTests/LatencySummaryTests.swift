import CServeCore
import Testing

@Suite("Latency summaries")
struct LatencySummaryTests {
    @Test("percentiles interpolate as numpy does")
    func percentiles() {
        // numpy 2.4: v = np.arange(1, 11) ** 2 * 1.0; np.percentile(v, [50, 90, 95, 99]), v.mean()
        let summary = LatencySummary(of: (1...10).reversed().map { Nanoseconds($0 * $0) * .millisecond })
        #expect(summary.count == 10)
        #expect(abs(summary.p50 - 30.5) < 1e-9)
        #expect(abs(summary.p90 - 82.9) < 1e-9)
        #expect(abs(summary.p95 - 91.45) < 1e-9)
        #expect(abs(summary.p99 - 98.29) < 1e-9)
        #expect(abs(summary.mean - 38.5) < 1e-9)
        #expect(summary.max == 100)
    }

    @Test("one latency is every figure, none is zero")
    func few() {
        let one = LatencySummary(of: [5 * .millisecond])
        #expect([one.mean, one.p50, one.p99, one.max] == [5, 5, 5, 5])
        #expect(LatencySummary(of: []) == LatencySummary())
    }

    @Test("a target finds its figure")
    func figures() {
        let summary = LatencySummary(of: [.millisecond, 3 * .millisecond])
        #expect(summary.value(.mean) == 2)
        #expect(summary.value(.percentile(50)) == summary.p50)
        #expect(summary.value(.percentile(42)) == nil)
    }
}
