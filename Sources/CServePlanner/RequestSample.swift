// What a workload's requests are like, as far as bounds and estimates need it.
import CServeCore
import CServeWorkload

/// Lengths of a workload's first requests.
struct RequestSample: Sendable {
    /// One request's lengths.
    struct Lengths: Hashable, Sendable {
        var prompt: Int
        /// Prompt tokens that no other request can have put into a cache.
        var own: Int
        var output: Int
    }

    /// Requests looked at: their longest one decides the length that is served.
    static let size: Int = 60_000
    /// Requests that bounds are reckoned for, spread over the sample.
    static let kept: Int = 400

    private(set) var kept: [Lengths] = []
    private(set) var count: Int = 0
    private(set) var longest: Int = 0
    private(set) var meanPrompt: Double = 0
    private(set) var meanOwn: Double = 0
    private(set) var meanOutput: Double = 0
    /// Mean of prompt times answer, per request: what decodes attend at least.
    private(set) var meanPromptOutput: Double = 0
    private(set) var sharesPrefixes: Bool = false
    private(set) var beyondLimit: Int = 0

    /// Looks at a workload's beginning; requests above the limit count as ``beyondLimit`` only.
    init(_ workload: Workload, limit: Int) {
        var workload = workload
        workload.requests = min(workload.requests ?? Self.size, Self.size)
        var all: [Lengths] = []
        for request in workload.stream() {
            if request.segments.contains(where: { $0.tokens > 0 }) { sharesPrefixes = true }
            guard request.promptLength + request.outputLength <= limit else {
                beyondLimit += 1
                longest = max(longest, request.promptLength + request.outputLength)
                continue
            }
            let shared: Int = request.segments.reduce(0) { $0 + $1.tokens }
            all.append(
                Lengths(
                    prompt: request.promptLength, own: max(1, request.promptLength - shared),
                    output: max(1, request.outputLength)))
        }
        count = all.count
        longest = max(longest, all.map { $0.prompt + $0.output }.max() ?? 0)
        guard !all.isEmpty else { return }
        meanPrompt = mean(all) { Double($0.prompt) }
        meanOwn = mean(all) { Double($0.own) }
        meanOutput = mean(all) { Double($0.output) }
        meanPromptOutput = mean(all) { Double($0.prompt) * Double($0.output) }
        let step: Int = max(1, all.count / Self.kept)
        kept = stride(from: 0, to: all.count, by: step).map { all[$0] }
    }

    private func mean(_ all: [Lengths], _ value: (Lengths) -> Double) -> Double {
        all.reduce(0.0) { (sum: Double, one: Lengths) -> Double in sum + value(one) } / Double(all.count)
    }
}
