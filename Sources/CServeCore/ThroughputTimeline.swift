// What came out when: enough of it to know the rate in a window that is chosen afterwards.

/// Counts by time in at most 4096 bins, which get twice as wide whenever time runs out of them.
public struct ThroughputTimeline: Hashable, Sendable {
    /// What is counted.
    public struct Bin: Hashable, Sendable {
        /// Generated tokens.
        public var outputTokens: Int = 0
        /// Tokens of prompts whose first token came.
        public var promptTokens: Int = 0
        /// Requests that ended well.
        public var requests: Int = 0

        /// Nothing yet.
        @inlinable public init() {}
    }

    private static let most: Int = 4096
    @usableFromInline var bins: [Bin] = []
    /// A bin is 2^shift nanoseconds wide; about a millisecond at first.
    @usableFromInline var shift: Int = 20

    /// Counts nothing yet.
    public init() {}

    /// Counts generated tokens.
    @inlinable
    public mutating func addTokens(_ count: Int, at time: Nanoseconds) {
        let index: Int = bin(time)
        bins[index].outputTokens += count
    }

    /// Counts a prompt that has been computed.
    @inlinable
    public mutating func addPrompt(_ tokens: Int, at time: Nanoseconds) {
        let index: Int = bin(time)
        bins[index].promptTokens += tokens
    }

    /// Counts a request that has ended well.
    @inlinable
    public mutating func addRequest(at time: Nanoseconds) {
        let index: Int = bin(time)
        bins[index].requests += 1
    }

    /// All that was counted in the bins that lie within a window, and how long they last.
    public func total(from start: Nanoseconds, to end: Nanoseconds) -> (Bin, Nanoseconds) {
        let first: Int = Int((start + (1 << shift) - 1) >> shift)
        let last: Int = min(Int(end >> shift), bins.count)
        var sum = Bin()
        guard first < last else { return (sum, 0) }
        for bin in bins[first..<last] {
            sum.outputTokens += bin.outputTokens
            sum.promptTokens += bin.promptTokens
            sum.requests += bin.requests
        }
        return (sum, Nanoseconds(last - first) << shift)
    }

    @inlinable
    mutating func bin(_ time: Nanoseconds) -> Int {
        let index: Int = Int(time >> shift)
        return index < bins.count ? index : grown(to: time)
    }

    @usableFromInline
    mutating func grown(to time: Nanoseconds) -> Int {
        while Int(time >> shift) >= ThroughputTimeline.most { halve() }
        let index: Int = Int(time >> shift)
        if index >= bins.count { bins.append(contentsOf: repeatElement(Bin(), count: index + 1 - bins.count)) }
        return index
    }

    private mutating func halve() {
        shift += 1
        bins = stride(from: 0, to: bins.count, by: 2).map { (index: Int) -> Bin in
            var pair: Bin = bins[index]
            guard index + 1 < bins.count else { return pair }
            pair.outputTokens += bins[index + 1].outputTokens
            pair.promptTokens += bins[index + 1].promptTokens
            pair.requests += bins[index + 1].requests
            return pair
        }
    }
}
