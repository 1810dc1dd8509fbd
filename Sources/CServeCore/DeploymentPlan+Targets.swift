// What a plan has to reach, and within which bounds.

/// The demands on a plan.
public struct PlanTargets: Hashable, Codable, Sendable {
    /// Requests per second that the deployment must serve; nil: as many as it can (batch work).
    public var requestRate: Double?
    /// Latencies that must hold at that rate.
    public var objective: ServiceLevelObjective
    /// The share of offered requests that must keep every limit, 0 to 1; nil: the percentiles decide alone.
    public var goodput: Double?
    /// The most that may be spent, in US dollars per hour.
    public var budget: Double?

    /// Describes demands.
    public init(
        requestRate: Double? = nil, objective: ServiceLevelObjective = ServiceLevelObjective(), goodput: Double? = nil,
        budget: Double? = nil
    ) {
        self.requestRate = requestRate
        self.objective = objective
        self.goodput = goodput
        self.budget = budget
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case requestRate = "request_rate_per_s"
        case objective
        case goodput
        case budget = "budget_usd_per_hour"
    }
}
