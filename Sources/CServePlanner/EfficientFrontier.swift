// What cannot be had better in one respect without being worse in another: the efficient frontier, and its sweet spot.

/// What a deployment does at a load, reduced to what choices are made by.
public struct OperatingPoint: Hashable, Sendable {
    /// Which deployment: its place in the caller's list.
    public var deployment: Int
    /// Requests offered per second; infinite: all at once.
    public var requestRate: Double
    /// Generated tokens per second.
    public var throughput: Double
    /// The latency that is traded, in milliseconds.
    public var latency: Double
    /// US dollars per hour; infinite where no price is known.
    public var usdPerHour: Double
    /// Whether every target is kept.
    public var meetsTargets: Bool

    /// Describes a point.
    public init(
        deployment: Int, requestRate: Double, throughput: Double, latency: Double, usdPerHour: Double,
        meetsTargets: Bool
    ) {
        self.deployment = deployment
        self.requestRate = requestRate
        self.throughput = throughput
        self.latency = latency
        self.usdPerHour = usdPerHour
        self.meetsTargets = meetsTargets
    }

    /// Whether this point is nowhere worse than another, and somewhere better.
    public func dominates(_ other: OperatingPoint) -> Bool {
        throughput >= other.throughput && latency <= other.latency && usdPerHour <= other.usdPerHour
            && (throughput > other.throughput || latency < other.latency || usdPerHour < other.usdPerHour)
    }
}

/// Chooses among operating points.
public enum EfficientFrontier {
    /// The places of the points that no other dominates, cheapest first, then by throughput. Of equal points the first stays.
    public static func places(of points: [OperatingPoint]) -> [Int] {
        var kept: [Int] = []
        for place in points.indices {
            let point: OperatingPoint = points[place]
            let isBeaten: Bool = points.indices.contains { (other: Int) -> Bool in
                points[other].dominates(point) || (other < place && isEqual(points[other], point))
            }
            if !isBeaten { kept.append(place) }
        }
        return kept.sorted { (left: Int, right: Int) -> Bool in
            (points[left].usdPerHour, points[left].throughput, left)
                < (points[right].usdPerHour, points[right].throughput, right)
        }
    }

    /// The place of the point with the most throughput among those that keep every target; among equals the cheapest, then
    /// the one of least latency. Nil if none keeps them.
    public static func sweetSpot(of points: [OperatingPoint]) -> Int? {
        points.indices.filter { points[$0].meetsTargets }.min { (left: Int, right: Int) -> Bool in
            let (a, b): (OperatingPoint, OperatingPoint) = (points[left], points[right])
            return (-a.throughput, a.usdPerHour, a.latency, left) < (-b.throughput, b.usdPerHour, b.latency, right)
        }
    }

    private static func isEqual(_ left: OperatingPoint, _ right: OperatingPoint) -> Bool {
        left.throughput == right.throughput && left.latency == right.latency && left.usdPerHour == right.usdPerHour
    }
}
