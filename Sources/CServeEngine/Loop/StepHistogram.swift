// How large the steps were, in vLLM's buckets.

import CServeCore

/// Counts steps by their tokens.
struct StepHistogram: Sendable {
    /// Steps per bucket of ``EngineSnapshot/iterationTokenEdges``; the last is above the last edge.
    private(set) var counts = [Int](repeating: 0, count: EngineSnapshot.iterationTokenEdges.count + 1)
    /// Tokens of all steps.
    private(set) var sum = 0

    /// Counts a step.
    mutating func count(_ tokens: Int) {
        let edges = EngineSnapshot.iterationTokenEdges
        counts[edges.firstIndex { tokens <= $0 } ?? edges.count] += 1
        sum += tokens
    }
}
