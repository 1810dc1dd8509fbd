// The workloads of the live comparison: presets at a size that this machine serves in seconds, their proportions kept.

import CServeCore
import CServeWorkload

/// A workload whose lengths are scaled.
struct LiveWorkload {
    let name: String
    let workload: Workload
    /// What lengths are multiplied with.
    let scale: Double
    /// The longest prompt plus answer; longer requests are cut.
    let longest: Int

    /// Finds a workload: a preset, `shared-prefix`, fixed lengths or a file.
    init(named name: String, scale: Double, longest: Int) throws {
        self.name = name
        workload =
            name == "shared-prefix"
            ? Self.sharedPrefix : try WorkloadFiles.workload(name, try TraceFlags.parse([]).choices())
        self.scale = scale
        self.longest = longest
    }

    /// Questions to a few long documents: four fifths of the prompts are found in the prefix cache.
    static let sharedPrefix: Workload = Workload(
        name: "shared-prefix",
        drawing: SyntheticRequests(
            lengths: .independent(prompt: .uniform(128, 768), output: .uniform(128, 384)),
            prefixes: SharedPrefixes(groups: 6, tokens: .fixed(3072), zipfExponent: 1)),
        arrivals: .poisson(rate: 1), requests: 1000)

    /// Whether everything is sent at once: such a workload has no rate.
    var isBatch: Bool { workload.arrivals == .allAtOnce }

    /// So many of its requests; nil as rate sends them at once.
    func requests(_ count: Int, rate: Double?) -> [WorkloadRequest] {
        var chosen: Workload = rate.map { workload.scaled(toRate: $0) } ?? workload
        if rate == nil { chosen.arrivals = .allAtOnce }
        chosen.requests = count
        chosen.duration = nil
        return chosen.stream().prefix(count).map(scaled)
    }

    /// The same request with shorter texts.
    func scaled(_ request: WorkloadRequest) -> WorkloadRequest {
        var copy: WorkloadRequest = request
        let shared: Int = request.segments.reduce(0) { $0 + $1.tokens }
        for place in copy.segments.indices { copy.segments[place].tokens = length(request.segments[place].tokens) }
        let before: Int = copy.segments.reduce(0) { $0 + $1.tokens }
        copy.promptLength = before + length(request.promptLength - shared)
        copy.outputLength = min(length(request.outputLength), longest / 2)
        copy.promptLength = min(copy.promptLength, longest - copy.outputLength)
        return copy
    }

    private func length(_ tokens: Int) -> Int { tokens <= 0 ? 0 : max(1, Int((Double(tokens) * scale).rounded())) }
}
