// Bisection against edges that are known.

@testable import CServePlanner
import Testing

@Suite("Rate bisection")
struct RateBisectionTests {
    @Test("the edge is found within the tolerance, wherever it starts", arguments: [0.01, 1, 7.3, 400])
    func edges(start: Double) throws {
        let search = RateBisection(tolerance: 0.02, probes: 40)
        for edge in [0.013, 0.9, 7.3, 55, 399.0] {
            var probes = 0
            let found = search.edge(start: start, floor: 0.001, ceiling: 1000) { rate in
                probes += 1
                return rate <= edge
            }
            let (low, high) = (try #require(found.passing), try #require(found.failing))
            #expect(low <= edge && edge < high && high / low <= 1.02)
            #expect(probes <= 40)
        }
    }

    @Test("with everything passing the ceiling is the answer, with nothing none is")
    func extremes() {
        let search = RateBisection()
        let open = search.edge(start: 1, floor: 0.1, ceiling: 10) { _ in true }
        #expect(open.passing == 10 && open.failing == nil)
        let shut = search.edge(start: 1, floor: 0.1, ceiling: 10) { _ in false }
        #expect(shut.passing == nil && shut.failing == 0.1)
    }

    @Test("no more probes are made than allowed")
    func limit() {
        var probes = 0
        let search = RateBisection(tolerance: 1e-9, probes: 5)
        _ = search.edge(start: 1, floor: 0.1, ceiling: 1e6) { rate in
            probes += 1
            return rate < 3
        }
        #expect(probes == 5)
    }
}

@Suite("Fewest that pass")
struct FewestSearchTests {
    @Test("the fewest are found from every start, and nothing is asked twice")
    func fewest() {
        for edge in 1...9 {
            for start in 1...8 {
                var asked: [Int] = []
                let found = FewestSearch.fewest(in: 1...8, start: start) { count in
                    asked.append(count)
                    return count >= edge
                }
                #expect(found == (edge <= 8 ? edge : nil))
                #expect(Set(asked).count == asked.count && asked.count <= 6, "\(edge) \(start) \(asked)")
            }
        }
    }
}
