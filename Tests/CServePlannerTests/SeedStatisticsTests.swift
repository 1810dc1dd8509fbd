// Intervals over seeds against numbers reckoned by hand.

import CServePlanner
import Testing

@Suite("Seed statistics")
struct SeedStatisticsTests {
    @Test("five seeds give the mean and Student's interval")
    func interval() {
        // scipy: stats.t.interval(0.95, 4, loc=3, scale=stats.sem([1, 2, 3, 4, 5])) = (1.0368, 4.9632).
        let estimate = SeedStatistics.estimate([1, 2, 3, 4, 5])
        #expect(estimate.value == 3)
        #expect(abs(estimate.low - 1.0368) < 1e-3)
        #expect(abs(estimate.high - 4.9632) < 1e-3)
    }

    @Test("one run has no interval")
    func single() {
        let estimate = SeedStatistics.estimate([7])
        #expect(estimate.low == 7 && estimate.high == 7)
        #expect(SeedStatistics.estimate([]).value == 0)
    }
}
