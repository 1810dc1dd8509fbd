// The three picks on deployments made by hand, and the prices at which they flip.

import CServeCore
import CServePlanner
import Testing

@Suite("Named picks")
struct NamedPicksTests {
    /// Two L4 deployments, an A100 one and one whose price is unknown.
    private let candidates = [
        PickCandidate(
            accelerator: "l4", usdPerAccelerator: 0.8, usdPerHour: 0.8, accelerators: 1, slowness: 0.9, capacity: 4),
        PickCandidate(
            accelerator: "l4", usdPerAccelerator: 0.8, usdPerHour: 3.2, accelerators: 4, slowness: 0.5, capacity: 20),
        PickCandidate(
            accelerator: "a100", usdPerAccelerator: 4, usdPerHour: 4, accelerators: 1, slowness: 0.2, capacity: 18),
        PickCandidate(
            accelerator: "own", usdPerAccelerator: .infinity, usdPerHour: .infinity, accelerators: 1, slowness: 0.3,
            capacity: 19),
    ]

    @Test("each pick follows its definition")
    func picks() {
        func pick(_ role: PlanRole, _ isRateGiven: Bool) -> Int? {
            NamedPicks.place(of: role, in: candidates, isRateGiven: isRateGiven)
        }
        #expect(pick(.bestPerformance, true) == 2)
        #expect(pick(.bestPerformance, false) == 1)
        #expect(pick(.lowestCost, true) == 0)
        // 4 / 0.8 = 5, 20 / 3.2 = 6.25, 18 / 4 = 4.5 requests per second and dollar per hour.
        #expect(pick(.bestValue, true) == 1)
        #expect(pick(.frontier, true) == nil)
        #expect(NamedPicks.place(of: .lowestCost, in: [], isRateGiven: true) == nil)
    }

    @Test("ties go to the lower cost, then to fewer accelerators")
    func ties() {
        var twin = candidates[2]
        twin.usdPerHour = 3.9
        #expect(NamedPicks.place(of: .bestPerformance, in: [candidates[2], twin], isRateGiven: true) == 1)
        let unknown = [candidates[3], candidates[3]]
        #expect(NamedPicks.place(of: .bestValue, in: unknown, isRateGiven: true) == 0)
    }

    @Test("a choice flips where the prices make both alike")
    func flips() throws {
        let cheap = try #require(
            NamedPicks.flips(of: .lowestCost, in: candidates, isRateGiven: true).first)
        // One A100 at 4 against one L4 at 0.8: ratio 5 now; alike when the A100 costs 0.8, ratio 1.
        #expect(cheap.place == 2 && cheap.ratioNow == 5)
        #expect(abs(cheap.ratioAtFlip - 1) < 1e-12)
        let value = try #require(NamedPicks.flips(of: .bestValue, in: candidates, isRateGiven: true).first)
        // 4.5 against 6.25: alike at 72% of the price, ratio 3.6.
        #expect(value.place == 2)
        #expect(abs(value.ratioAtFlip - 3.6) < 1e-12)
        #expect(NamedPicks.flips(of: .lowestCost, in: [], isRateGiven: true).isEmpty)
    }
}
