// Finds the highest load that still passes, with few probes: each one is a simulation.

/// A search for the edge between loads that pass and loads that do not.
public struct RateBisection: Hashable, Sendable {
    /// The edge is known when the lowest failing rate is so much above the highest passing one: 0.05 is 5%.
    public var tolerance: Double
    /// Probes at most.
    public var probes: Int
    /// The factor of the first step away from the start; each further step the same way squares it.
    public var growth: Double

    /// Describes a search.
    public init(tolerance: Double = 0.05, probes: Int = 12, growth: Double = 2) {
        self.tolerance = tolerance
        self.probes = probes
        self.growth = growth
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
    /// Strides away from the start until the edge lies between two probes, then takes geometric means. If even `floor` fails,
    /// nothing passes; if `ceiling` passes, it is the answer.
    public func edge(
        start: Double, floor: Double, ceiling: Double, passes: (Double) -> Bool
    ) -> Edge {
        precondition(floor > 0 && floor <= ceiling, "The rates must be positive and in order.")
        var edge = Edge()
        var rate: Double = min(max(start, floor), ceiling)
        var stride: Double = growth
        for _ in 0..<probes {
            if passes(rate) { edge.passing = rate } else { edge.failing = rate }
            guard let next = next(after: edge, stride: stride, floor: floor, ceiling: ceiling) else { break }
            stride *= stride
            rate = next
        }
        return edge
    }

    private func next(after edge: Edge, stride: Double, floor: Double, ceiling: Double) -> Double? {
        switch (edge.passing, edge.failing) {
        case (let low?, let high?): high / low <= 1 + tolerance ? nil : (low * high).squareRoot()
        case (let low?, nil): low >= ceiling ? nil : min(low * stride, ceiling)
        case (nil, let high?): high <= floor ? nil : max(high / stride, floor)
        case (nil, nil): nil
        }
    }
}

/// A search for the fewest that pass, where more pass as well.
enum FewestSearch {
    /// The fewest in a range that pass, first looked for at `start`; nil if even the most fail.
    static func fewest(in range: ClosedRange<Int>, start: Int, passes: (Int) -> Bool) -> Int? {
        // Everything below `low` fails, everything from `high` on passes.
        var low: Int = range.lowerBound
        var high: Int = range.upperBound + 1
        var place: Int = min(max(start, range.lowerBound), range.upperBound)
        var stride: Int = 1
        while low < high {
            if passes(place) { high = place } else { low = place + 1 }
            let isBracketed: Bool = low > range.lowerBound && high <= range.upperBound
            guard low < high else { break }
            if isBracketed {
                place = (low + high) / 2
            } else if high <= range.upperBound {
                place = max(low, high - stride)
            } else {
                place = min(range.upperBound, low + stride - 1)
            }
            stride *= 2
        }
        return high <= range.upperBound ? high : nil
    }
}
