// Whether drafts pay: how often they were right, against what a row costs in a pass.
import CServeCore

/// How often drafts were accepted in one branch, and how many to try next.
///
/// The rule: with `q` the share by which a pass gets longer if each of its decodes brings one more row, the j-th draft of
/// a branch is tried if `rate^j > q`. It then yields more tokens per time than the pass does without it: all rows
/// together bring `decodes` tokens in a time `t`, one more row brings `rate^j` tokens in `q * t / decodes`.
///
/// Where not even the first draft pays, guesses are let pass, and after 8 of them (16, 32, ... up to 128 as long as that
/// fails) one draft is tried again. Counted in guesses, never in time, so that a schedule depends on its inputs only.
struct DraftPolicy: Equatable, Sendable {
    /// The share of drafts that were right among those whose predecessors were; nil before the first.
    private(set) var rate: Double?
    private var passedOver: Int = 0
    private var pause: Int = DraftPolicy.firstPause

    static let firstPause: Int = 8
    static let longestPause: Int = 128
    /// What one more draft weighs in a branch's rate: the last ten or so count.
    static let weight: Double = 0.1
    /// The rate taken for true before anything was drafted, and what one draft weighs in the rate of all branches, with
    /// which every new branch starts.
    static let firstRate: Double = 0.5
    static let commonWeight: Double = 0.02
    /// No row is taken to be cheaper than this share of a pass: at first, measured times cannot tell.
    static let leastCost: Double = 0.05
    /// One in so many passes with drafts goes without: passes that are all alike cannot tell what a row costs.
    static let plainPassEvery: Int = 32

    /// How many of the drafts at hand to try.
    /// - Parameters:
    ///   - breakEven: The cost of a row of every decode as a share of the pass, `q` above.
    ///   - common: The rate of all branches.
    ///   - most: Drafts at hand, at least 1.
    mutating func count(breakEven: Double, common: Double, most: Int) -> Int {
        let bound: Double = max(breakEven, DraftPolicy.leastCost)
        let rate: Double = rate ?? common
        var right: Double = rate
        var count: Int = 0
        while count < most, right > bound {
            count += 1
            right *= rate
        }
        if count > 0 { return count }
        passedOver += 1
        guard passedOver >= pause else { return 0 }
        passedOver = 0
        pause = min(2 * pause, DraftPolicy.longestPause)
        return 1
    }

    /// Learns from a branch's drafts of one pass; `common` is the rate of all branches.
    mutating func observe(drafts: Int, accepted: Int, common: inout Double) {
        var own: Double = rate ?? common
        // The first wrong draft counts; what stood behind it says nothing.
        for index in 0..<min(drafts, accepted + 1) {
            let outcome: Double = index < accepted ? 1 : 0
            own += (outcome - own) * DraftPolicy.weight
            common += (outcome - common) * DraftPolicy.commonWeight
        }
        rate = own
        if accepted > 0 { pause = DraftPolicy.firstPause }
    }
}
