// A nucleus of many tokens without a sort: its least term is found by bisection over the bits of a float.

/// The likeliest of a row's terms that together reach a sum.
struct WideNucleus {
    /// The least term that belongs to it.
    private(set) var least: Float
    /// How many terms equal to the least belong to it, the lowest places first.
    private(set) var ties: Int

    /// Terms so few that leaving some out is not worth a pass.
    private static let few = 512
    /// Halvings before the first pass that leaves out what is decided.
    private static let halvings = 4

    /// Finds the nucleus.
    ///
    /// Cost: about a dozen passes over the whole row; the rest over what is left between the bounds.
    /// - Parameters:
    ///   - terms: Exponentials in 0...1.
    ///   - total: Their sum.
    ///   - share: The share of the total that the nucleus reaches.
    ///   - scratch: Room for as many numbers.
    init(
        of terms: UnsafeBufferPointer<Float>, total: Double, share: Double,
        scratch: UnsafeMutableBufferPointer<Float>, with kernels: LogitRow
    ) {
        let bound = share * total
        // Terms below (1 - share) * total / count sum to less than what may be left out; half of it for rounding.
        let certain = Float(max(0, (1 - share) * total / Double(terms.count) / 2))
        var low: UInt32 = min(certain, 0.5).bitPattern
        var high: UInt32 = Float(1).bitPattern + 1
        var open = terms
        var above = 0.0
        var sumAtHigh = 0.0
        var step = 0
        var pause = WideNucleus.halvings
        while high - low > 1 {
            let middle = low + (high - low) / 2
            let reached = above + kernels.sum(open, from: Float(bitPattern: middle))
            if reached >= bound {
                low = middle
            } else {
                high = middle
                sumAtHigh = reached
            }
            step += 1
            guard step >= pause, open.count > WideNucleus.few, let base = scratch.baseAddress else { continue }
            let left = kernels.keep(open, from: Float(bitPattern: low), below: Float(bitPattern: high), in: base)
            // Where terms lie close together, a pass that leaves out few of them waits longer for the next.
            if left > open.count / 2 { pause *= 2 }
            step = 0
            open = UnsafeBufferPointer(start: base, count: left)
            above = sumAtHigh
        }
        least = Float(bitPattern: low)
        ties = least > 0 ? max(1, Int(((bound - sumAtHigh) / Double(least)).rounded(.up))) : 0
    }

    /// Sets the terms equal to the least that do not belong to the nucleus to 0.
    func dropSurplus(of terms: UnsafeMutableBufferPointer<Float>) {
        var left = ties
        for index in terms.indices where terms[index] == least {
            if left > 0 { left -= 1 } else { terms[index] = 0 }
        }
    }
}
