// The frontier and the sweet spot on points made by hand.

import CServePlanner
import Testing

private func point(
    _ deployment: Int, _ throughput: Double, _ latency: Double, _ usd: Double, meets: Bool = true
) -> OperatingPoint {
    OperatingPoint(
        deployment: deployment, requestRate: 1, throughput: throughput, latency: latency, usdPerHour: usd,
        meetsTargets: meets)
}

@Suite("Efficient frontier")
struct EfficientFrontierTests {
    @Test("only points that nothing beats in all three respects remain, cheapest first")
    func frontier() {
        let points = [
            point(0, 100, 50, 1), point(1, 200, 40, 3), point(2, 90, 60, 1), point(3, 150, 45, 3), point(4, 80, 20, 1),
            point(5, 200, 40, 4), point(6, 100, 50, 1),
        ]
        // 2 is beaten by 0, 3 and 5 by 1; 6 equals 0; 4 is slower in tokens but faster in latency.
        #expect(EfficientFrontier.places(of: points) == [4, 0, 1])
    }

    @Test("every point left out is beaten by one that is in, and none inside beats another")
    func isExact() {
        var state: UInt64 = 7
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return Double(state >> 60)
        }
        for _ in 0..<50 {
            let points = (0..<40).map { point($0, next(), next(), next()) }
            let kept = EfficientFrontier.places(of: points)
            for place in points.indices where !kept.contains(place) {
                #expect(
                    kept.contains { inside in
                        points[inside].dominates(points[place])
                            || (points[inside].throughput, points[inside].latency, points[inside].usdPerHour)
                                == (points[place].throughput, points[place].latency, points[place].usdPerHour)
                    })
            }
            for one in kept {
                for other in kept where other != one { #expect(!points[one].dominates(points[other])) }
            }
        }
    }

    @Test("the sweet spot is the most throughput within the targets, then the least cost")
    func sweetSpot() {
        let points = [
            point(0, 300, 900, 1, meets: false), point(1, 200, 40, 3), point(2, 200, 45, 2), point(3, 150, 10, 1),
        ]
        #expect(EfficientFrontier.sweetSpot(of: points) == 2)
        #expect(EfficientFrontier.sweetSpot(of: [points[0]]) == nil)
        #expect(EfficientFrontier.sweetSpot(of: []) == nil)
    }
}
