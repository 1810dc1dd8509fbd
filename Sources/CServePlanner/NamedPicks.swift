// The three picks by name, each with one definition, and the prices at which they would be others.
import CServeCore

/// A deployment that meets every demand, reduced to what the picks are chosen by.
public struct PickCandidate: Hashable, Sendable {
    /// The accelerator's name: prices flip between accelerators.
    public var accelerator: String
    /// US dollars per hour of one accelerator; infinite where no price is known.
    public var usdPerAccelerator: Double
    /// US dollars per hour of the whole; infinite where no price is known.
    public var usdPerHour: Double
    /// Accelerators used.
    public var accelerators: Int
    /// How slow it is at the demanded rate: the largest share of a limit that it uses, or without limits its mean E2E.
    public var slowness: Double
    /// Requests per second that it carries within the targets.
    public var capacity: Double

    /// Describes a deployment.
    public init(
        accelerator: String, usdPerAccelerator: Double, usdPerHour: Double, accelerators: Int, slowness: Double,
        capacity: Double
    ) {
        self.accelerator = accelerator
        self.usdPerAccelerator = usdPerAccelerator
        self.usdPerHour = usdPerHour
        self.accelerators = accelerators
        self.slowness = slowness
        self.capacity = capacity
    }

    /// Requests per second and dollar per hour.
    var value: Double { capacity / usdPerHour }
}

/// Chooses by name.
public enum NamedPicks {
    /// The place of the pick for a role; nil if there are no candidates or the role is not one of the three picks.
    ///
    /// - Parameter isRateGiven: with a demanded rate the best performance is the least latency at that rate; without one,
    ///   the most throughput within the targets.
    public static func place(of role: PlanRole, in candidates: [PickCandidate], isRateGiven: Bool) -> Int? {
        ranked(for: role, candidates, isRateGiven: isRateGiven)?.first
    }

    /// All places, best first; ties go to lower cost, fewer accelerators, less latency, then the earlier place.
    public static func ranked(for role: PlanRole, _ candidates: [PickCandidate], isRateGiven: Bool) -> [Int]? {
        let merit: (PickCandidate) -> Double
        switch role {
        case .bestPerformance: merit = isRateGiven ? { $0.slowness } : { -$0.capacity }
        case .lowestCost: merit = { $0.usdPerHour }
        case .bestValue: merit = { -$0.value }
        case .sweetSpot, .frontier, .nearest: return nil
        }
        return candidates.indices.sorted { (left: Int, right: Int) -> Bool in
            let (a, b): (PickCandidate, PickCandidate) = (candidates[left], candidates[right])
            let (first, second): (Double, Double) = (merit(a), merit(b))
            if first != second { return first < second }
            return (a.usdPerHour, a.accelerators, a.slowness, left) < (b.usdPerHour, b.accelerators, b.slowness, right)
        }
    }

    /// For every other accelerator, the price ratio to the pick's below which one of its candidates would be picked.
    /// - Parameter role: ``PlanRole/lowestCost`` or ``PlanRole/bestValue``.
    /// - Returns: place and ratios, the nearest flip first; empty where prices are unknown.
    public static func flips(
        of role: PlanRole, in candidates: [PickCandidate], isRateGiven: Bool
    ) -> [(place: Int, ratioNow: Double, ratioAtFlip: Double)] {
        guard let order = ranked(for: role, candidates, isRateGiven: isRateGiven), let first = order.first else {
            return []
        }
        let chosen: PickCandidate = candidates[first]
        var seen: Set<String> = [chosen.accelerator]
        var flips: [(place: Int, ratioNow: Double, ratioAtFlip: Double)] = []
        for place in order.dropFirst() where seen.insert(candidates[place].accelerator).inserted {
            let other: PickCandidate = candidates[place]
            // Costs scale with the price: the flip is where both merits are equal.
            let factor: Double =
                role == .lowestCost ? chosen.usdPerHour / other.usdPerHour : other.value / chosen.value
            let ratio: Double = other.usdPerAccelerator / chosen.usdPerAccelerator
            guard factor.isFinite, ratio.isFinite, factor > 0 else { continue }
            flips.append((place, ratio, ratio * factor))
        }
        return flips.sorted { ($0.ratioAtFlip / $0.ratioNow, -$0.place) > ($1.ratioAtFlip / $1.ratioNow, -$1.place) }
    }
}
