// The limits of every field of a workload, in one place: a file, a flag and a program meet the same ones.
import CServeCore

extension Workload {
    /// Checks every field.
    /// - Throws: ``WorkloadError`` for the first at fault.
    public func validate() throws(WorkloadError) { try validate(allowingUnloaded: false) }

    func validate(allowingUnloaded: Bool) throws(WorkloadError) {
        try Limits.check("requests", requests.map { Double($0) } ?? 1, 1...1e12, "a whole number from 1 on")
        try Limits.check("duration_s", duration?.seconds ?? 1, 1e-9...9e9, "above 0")
        try arrivals.validate()
        switch content {
        case .synthetic(let drawn):
            try drawn.validate()
            if case .recorded = arrivals { throw .noTimes(name: name) }
            if requests == nil, arrivals == .allAtOnce { throw .endless(arrivals: "all requests at once") }
        case .trace(let replay): try validate(replay, allowingUnloaded)
        }
    }

    private func validate(_ replay: TraceReplay, _ allowingUnloaded: Bool) throws(WorkloadError) {
        try Limits.check("trace.sample_share", replay.selection.sample, 1e-9...1, "above 0 and at most 1")
        let trace: Trace = replay.trace
        guard trace.isLoaded else {
            if allowingUnloaded { return }
            if trace.recordedCount > 0 { throw .nothingSelected(name: trace.name, requests: trace.recordedCount) }
            throw .traceNotLoaded(name: trace.name)
        }
        if case .recorded = arrivals, !trace.hasTimes { throw .noTimes(name: trace.name) }
        if replay.repeats, requests == nil, duration == nil || arrivals.rate == .infinity {
            throw .endless(arrivals: "a trace that repeats")
        }
    }
}

extension ArrivalProcess {
    func validate() throws(WorkloadError) {
        switch self {
        case .poisson(let rate), .constant(let rate): try Limits.rate("arrivals.rate_per_s", rate)
        case .gamma(let rate, let burstiness):
            try Limits.rate("arrivals.rate_per_s", rate)
            try Limits.check(
                "arrivals.burstiness", burstiness, 1e-3...1e6, "from 0.001 on (1 is Poisson, lower is burstier)")
        case .ramp(let from, let to, let span, _):
            try Limits.rate("arrivals.from_per_s", from)
            try Limits.rate("arrivals.to_per_s", to)
            try Limits.check("arrivals.over_s", span.seconds, 1e-9...9e9, "above 0")
        case .allAtOnce: break
        case .closedLoop(let loop): try loop.validate()
        case .recorded(let speedup): try Limits.check("arrivals.speedup", speedup, 1e-6...1e9, "above 0")
        }
    }
}

extension ClosedLoop {
    func validate() throws(WorkloadError) {
        try Limits.check("arrivals.clients", Double(clients), 1...1e9, "a whole number from 1 on")
        guard let wave else { return }
        try Limits.check("arrivals.wave.min_clients", Double(wave.min), 1...1e9, "a whole number from 1 on")
        try Limits.check(
            "arrivals.wave.max_clients", Double(wave.max), Double(wave.min)...1e9, "at least min_clients, \(wave.min)")
        try Limits.check("arrivals.wave.sustain_requests", Double(wave.sustain), 1...1e12, "a whole number from 1 on")
    }
}

extension SyntheticRequests {
    func validate() throws(WorkloadError) {
        switch lengths {
        case .pairs(let pairs):
            for pair in pairs {
                try Limits.length("lengths.pairs_tokens", pair.prompt)
                try Limits.length("lengths.pairs_tokens", pair.output)
            }
        case .separate(let prompt, let output, let correlation):
            try prompt.validate(at: "lengths.prompt")
            try output.validate(at: "lengths.output")
            try Limits.check("lengths.correlation", correlation, -1...1, "from -1 to 1")
        }
        try prefixes?.validate()
        guard let conversations else { return }
        try conversations.turns.validate(at: "conversations.turns")
        try Limits.length("conversations.max_tokens", conversations.maxTokens ?? 1)
    }
}

extension SharedPrefixes {
    func validate() throws(WorkloadError) {
        try Limits.check("prefixes.groups", Double(groups), 1...1e7, "a whole number from 1 to 10 million")
        try tokens.validate(at: "prefixes.length")
        try Limits.check("prefixes.zipf_exponent", zipfExponent, 0...10, "from 0 (evenly) to 10")
        try Limits.check("prefixes.share", share, 0...1, "from 0 to 1")
    }
}

extension LengthDistribution {
    func validate(at path: String) throws(WorkloadError) {
        switch self {
        case .fixed(let length): try Limits.length(path, length)
        case .uniform(let low, let high): try LengthRange(min: low, max: high).validate(at: path)
        case .normal(let mean, let deviation, let range):
            try range.validate(at: path)
            try Limits.check(path + ".mean_tokens", mean, 0...1e9, "from 0 on")
            try Limits.check(path + ".std_tokens", deviation, 0...1e9, "from 0 on")
        case .lognormal(let median, let sigma, let range):
            try range.validate(at: path)
            try Limits.check(path + ".p50_tokens", median, 1e-9...1e9, "above 0")
            try Limits.check(path + ".sigma", sigma, 0...20, "from 0 to 20")
        case .quantiles(let points): try LengthDistribution.validate(points, at: path + ".points_tokens")
        case .histogram(let bins): try LengthDistribution.validate(bins, at: path + ".bins_tokens")
        }
    }

    private static func validate(_ points: [LengthQuantile], at path: String) throws(WorkloadError) {
        let expected: String = "points whose share rises from 0 to 1 and whose tokens do not fall"
        guard points.count >= 2, points.first?.share == 0, points.last?.share == 1 else {
            throw .badField(field: path, found: "\(points.count) points", expected: expected)
        }
        for (point, next) in zip(points, points.dropFirst())
        where next.share < point.share || next.tokens < point.tokens || point.tokens < 0 || next.tokens > 1e9 {
            throw .badField(
                field: path, found: "[\(next.share), \(next.tokens)] after [\(point.share), \(point.tokens)]",
                expected: expected)
        }
    }

    private static func validate(_ bins: [LengthBin], at path: String) throws(WorkloadError) {
        var last: Int = -1
        var total: Double = 0
        for bin in bins {
            guard bin.from > last, bin.to >= bin.from, bin.weight >= 0, bin.weight.isFinite, bin.to <= 1_000_000_000
            else {
                throw .badField(
                    field: path, found: "[\(bin.from), \(bin.to), \(bin.weight)]",
                    expected: "bins in order that do not overlap, with weights from 0 on")
            }
            last = bin.to
            total += bin.weight
        }
        guard total > 0 else { throw .badField(field: path, found: "empty", expected: "bins with some weight") }
    }
}

extension LengthRange {
    func validate(at path: String) throws(WorkloadError) {
        try Limits.length(path + ".min_tokens", min)
        guard let max else { return }
        try Limits.check(path + ".max_tokens", Double(max), Double(min)...1e9, "at least min_tokens, \(min)")
    }
}

/// Checks of single numbers.
private enum Limits {
    static func check(
        _ field: String, _ value: Double, _ range: ClosedRange<Double>, _ expected: String
    ) throws(WorkloadError) {
        guard range.contains(value) else {
            let text: String = Int(exactly: value).map { "\($0)" } ?? "\(value)"
            throw .badField(field: field, found: text, expected: expected)
        }
    }

    static func rate(_ field: String, _ value: Double) throws(WorkloadError) {
        try check(field, value, 1e-6...1e9, "a number of requests per second above 0")
    }

    static func length(_ field: String, _ value: Int) throws(WorkloadError) {
        try check(field, Double(value), 0...1e9, "a number of tokens from 0 to a billion")
    }
}
