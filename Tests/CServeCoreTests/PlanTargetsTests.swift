import CServeCore
import Foundation
import Testing

@Suite("Plan targets")
struct PlanTargetsTests {
    @Test("targets travel as JSON with their units in the names")
    func roundTrip() throws {
        let targets = PlanTargets(
            requestRate: 4, objective: try ServiceLevelObjective(parsing: "ttft:p99<1s"), goodput: 0.95, budget: 5)
        let data = try JSONEncoder().encode(targets)
        #expect(String(decoding: data, as: UTF8.self).contains("\"request_rate_per_s\":4"))
        #expect(try JSONDecoder().decode(PlanTargets.self, from: data) == targets)
    }
}
