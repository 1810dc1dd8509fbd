// Finds what a server carries, from idle to beyond saturation: says which load to run next, and runs none itself.
import CServeCore

/// A search over loads.
///
/// First one client (idle), then rates that double until answers no longer come as fast as requests, then geometric means
/// between the highest rate that passes and the lowest above it that does not.
///
/// ```
/// while let probe = search.next { search.record(LoadPoint(probe, try run(probe))) }
/// ```
public struct LoadSearch: Hashable, Sendable {
    /// The edge is known when the lowest failing rate is so much above the highest passing one: 0.05 is 5%.
    public var tolerance: Double
    /// Runs at most.
    public var mostRuns: Int
    /// Rates at most.
    public var ceiling: Double
    /// What was found so far, in the order of the runs.
    public private(set) var points: [LoadPoint] = []
    private let start: Double?

    /// Describes a search.
    /// - Parameters:
    ///   - start: the first rate; nil: half of what one client alone gets, which a run with one client finds.
    ///   - tolerance: how close the bracket becomes.
    ///   - mostRuns: runs at most.
    ///   - ceiling: no higher rate is tried.
    public init(start: Double? = nil, tolerance: Double = 0.05, mostRuns: Int = 16, ceiling: Double = .infinity) {
        precondition(tolerance > 0 && ceiling > 0 && (start ?? 1) > 0, "Rates and tolerance must be positive.")
        self.start = start
        self.tolerance = tolerance
        self.mostRuns = mostRuns
        self.ceiling = ceiling
    }

    /// What to run next; nil: the search has ended.
    public var next: OfferedProbe? {
        guard points.count < mostRuns else { return nil }
        if start == nil, points.isEmpty { return .clients(1) }
        guard let rate = nextRate, rate.isFinite, rate > 0 else { return nil }
        return .rate(rate)
    }

    /// Takes in what a run showed.
    public mutating func record(_ point: LoadPoint) { points.append(point) }

    /// The highest rate that passed, and the lowest above it that did not.
    public var edge: RateEdge { RateEdge(rated, passes: \.passes) }
    /// The same by throughput alone, whatever the targets.
    public var saturation: RateEdge { RateEdge(rated, passes: \.follows) }

    /// Runs at rates.
    private var rated: [(rate: Double, point: LoadPoint)] {
        points.compactMap { (point: LoadPoint) -> (rate: Double, point: LoadPoint)? in
            if case .rate(let rate) = point.probe { (rate, point) } else { nil }
        }
    }

    private var nextRate: Double? {
        guard let highest = rated.map(\.rate).max(), let lowest = rated.map(\.rate).min() else { return first }
        let edge: RateEdge = edge
        guard edge.passing != nil else {
            // Not even an idle server keeps a target that one client misses.
            return lowest / 2 < floor ? nil : lowest / 2
        }
        if saturation.failing == nil { return highest < ceiling ? min(highest * 2, ceiling) : narrowed(edge) }
        return narrowed(edge)
    }

    private func narrowed(_ edge: RateEdge) -> Double? {
        guard let low = edge.passing, let high = edge.failing, high / low > 1 + tolerance else { return nil }
        return (low * high).squareRoot()
    }

    private var first: Double? {
        if let start { return min(start, ceiling) }
        guard let idle = points.first, idle.requestRate > 0 else { return nil }
        return min(idle.requestRate / 2, ceiling)
    }

    /// Half of a half six times: what fails there fails everywhere.
    private var floor: Double { (first ?? 0) / 64 }
}

/// Where loads stop passing.
public struct RateEdge: Hashable, Codable, Sendable {
    /// The highest rate that passed; nil: none did.
    public var passing: Double?
    /// The lowest rate above it that did not; nil: none was tried.
    public var failing: Double?

    init(_ runs: [(rate: Double, point: LoadPoint)], passes: (LoadPoint) -> Bool) {
        // One lucky run far above others that failed is no proof: only what lies below every failure counts.
        failing = runs.filter { !passes($0.point) }.map(\.rate).min()
        let bound: Double = failing ?? .infinity
        passing = runs.filter { passes($0.point) && $0.rate < bound }.map(\.rate).max()
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case passing = "passing_per_s"
        case failing = "failing_per_s"
    }
}
