// What the planner keeps on its way: how far it is, what it left out, what it simulated.
import CServeCore

/// How far the planner is.
public struct PlanProgress: Hashable, Sendable {
    /// `feasibility`, `bounds`, `search`, `refine`, `confirm`.
    public var phase: String
    /// Items done.
    public var done: Int
    /// Items in all.
    public var total: Int

    /// Describes how far a phase is.
    public init(phase: String, done: Int, total: Int) {
        self.phase = phase
        self.done = done
        self.total = total
    }
}

/// What happened on the way.
struct SearchLog: Sendable {
    var rejected: [PlanRejection] = []
    var points: [PlanPoint] = []
    var options: Int = 0
    var simulated: Int = 0

    mutating func reject(_ option: String, _ reason: PlanRejection.Reason, _ message: String) {
        rejected.append(PlanRejection(option: option, reason: reason, message: message))
    }

    /// Takes what succeeded; the rest is rejected with its reason.
    mutating func keep<Value>(_ results: [(String, Result<Value, Feasibility.Unfit>)]) -> [Value] {
        var kept: [Value] = []
        for (name, result) in results {
            switch result {
            case .success(let value): kept.append(value)
            case .failure(let unfit): reject(name, unfit.reason, unfit.message)
            }
        }
        return kept
    }

    mutating func add(_ capacity: Capacity, of deployment: Deployment, phase: String) {
        points += capacity.probes.map { PlanPoint(deployment, phase: phase, $0.load, $0.report, passes: $0.passes) }
    }
}
