// Finds the highest load that still passes, with few probes: each one is a simulation.

/// A search for the edge between loads that pass and loads that do not.
public struct RateBisection: Hashable, Sendable {
    /// The edge is known when the lowest failing rate is so much above the highest passing one: 0.05 is 5%.
    public var tolerance: Double
    /// Probes at most.
    public var probes: Int

    /// Describes a search.
    public init(tolerance: Double = 0.05, probes: Int = 12) {
        self.tolerance = tolerance
        self.probes = probes
    }

    /// What was found.
    public struct Edge: Hashable, Sendable {
        /// The highest rate that passed; nil: none did.
        public var passing: Double?
        /// The lowest rate above it that failed; nil: none did.
        public var failing: Double?
    }

    /// Searches between `floor` and `ceiling`, first around `start`.
    ///
    /// Doubles or halves until the edge lies between two probes, then takes geometric means. If even `floor` fails, nothing
    /// passes; if `ceiling` passes, it is the answer.
    public func edge(
        start: Double, floor: Double, ceiling: Double, passes: (Double) -> Bool
    ) -> Edge {
        precondition(floor > 0 && floor <= ceiling, "The rates must be positive and in order.")
        var edge = Edge()
        var rate: Double = min(max(start, floor), ceiling)
        for _ in 0..<probes {
            if passes(rate) { edge.passing = rate } else { edge.failing = rate }
            guard let next = next(after: edge, floor: floor, ceiling: ceiling) else { break }
            rate = next
        }
        return edge
    }

    private func next(after edge: Edge, floor: Double, ceiling: Double) -> Double? {
        switch (edge.passing, edge.failing) {
        case (let low?, let high?): high / low <= 1 + tolerance ? nil : (low * high).squareRoot()
        case (let low?, nil): low >= ceiling ? nil : min(low * 2, ceiling)
        case (nil, let high?): high <= floor ? nil : max(high / 2, floor)
        case (nil, nil): nil
        }
    }
}
