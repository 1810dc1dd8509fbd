// The flags that make a workload: the same for describing, planning, simulating and sending it.

import ArgumentParser
import CServeCore
import CServeWorkload

/// Which requests there are, and when they are sent.
struct WorkloadOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("w")],
        help: "A preset (cserve workload list), fixed lengths such as 1024/128, or a workload or trace file.")
    var workload: String?

    @Option(
        name: [.long, .customLong("request-rate")], help: "Requests per second on average; inf sends all at once.")
    var rate: Double?

    @Option(help: "Burstiness of the gaps, 1 / CV^2 as in vllm bench serve: 1 is Poisson, lower is burstier.")
    var burstiness: Double?

    @Option(help: "Clients that each wait for their answer, in place of a rate.")
    var concurrency: Int?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Clients that swing: MIN MAX SUSTAIN, as in fib.", valueName: "min max sustain"))
    var wave: [Int] = []

    @Option(help: "What a client waits between an answer and its next request: 2s.")
    var thinkTime: String?

    @Option(name: [.long, .customLong("num-prompts")], help: "How many requests.")
    var requests: Int?

    @Option(help: "For how long requests arrive: 90s, 10m.")
    var duration: String?

    @Option(help: "Decides every draw (default: the workload's own).")
    var seed: UInt64?

    @Option(name: [.long, .customLong("random-input-len")], help: "Tokens of every prompt.")
    var promptLen: Int?

    @Option(name: [.long, .customLong("random-output-len")], help: "Tokens of every answer.")
    var outputLen: Int?

    @Option(help: "Tokens of a beginning that all prompts share, before the prompt's own.")
    var prefixLen: Int?

    @OptionGroup var trace: TraceFlags

    /// The workload that the flags ask for.
    ///
    /// - Parameter fallback: The workload when neither a name nor lengths are given.
    /// - Throws: `WorkloadOptionError`, ``WorkloadError``, ``TraceError``.
    func resolved(default fallback: String = "chat") throws -> Workload { try applied(to: try base(fallback)) }

    /// A workload, changed as the flags ask.
    func applied(to workload: Workload) throws -> Workload {
        var result: Workload = workload
        if let seed { result.seed = seed }
        try setContent(&result)
        try setArrivals(&result)
        try setBounds(&result)
        try result.validate()
        return result
    }

    /// The preset that was named, with the latencies that its users expect; nil for lengths and files.
    func preset(default fallback: String = "chat") throws -> WorkloadPreset? {
        guard workload != nil || promptLen == nil || outputLen == nil else { return nil }
        return try WorkloadCatalog.builtIn().preset(named: workload ?? fallback)
    }

    private func base(_ fallback: String) throws -> Workload {
        if workload == nil, let promptLen, let outputLen {
            guard let shape = WorkloadCatalog.shape("\(promptLen)/\(outputLen)") else {
                throw WorkloadOptionError.badValue(
                    flag: "--prompt-len", value: "\(promptLen) with --output-len \(outputLen)", expected: "above 0")
            }
            return shape
        }
        return try WorkloadFiles.workload(workload ?? fallback, try trace.choices())
    }

    private func setContent(_ result: inout Workload) throws {
        guard promptLen != nil || outputLen != nil || prefixLen != nil else { return }
        guard case .synthetic(var drawn) = result.content else {
            throw WorkloadOptionError.conflict("--prompt-len, --output-len and --prefix-len", "a trace")
        }
        if promptLen != nil || outputLen != nil {
            guard case .separate(let prompt, let output, let correlation) = drawn.lengths else {
                throw WorkloadOptionError.conflict("--prompt-len and --output-len", "pairs of lengths")
            }
            drawn.lengths = .separate(
                prompt: promptLen.map { .fixed($0) } ?? prompt, output: outputLen.map { .fixed($0) } ?? output,
                correlation: correlation)
        }
        if let prefixLen { drawn.prefixes = prefixLen > 0 ? SharedPrefixes(tokens: .fixed(prefixLen)) : nil }
        result.content = .synthetic(drawn)
    }

    private func setArrivals(_ result: inout Workload) throws {
        let loops: Bool = concurrency != nil || !wave.isEmpty
        if loops, rate != nil || burstiness != nil {
            throw WorkloadOptionError.conflict("--concurrency and --wave", "--rate and --burstiness")
        }
        if concurrency != nil, !wave.isEmpty { throw WorkloadOptionError.conflict("--concurrency", "--wave") }
        if loops { result.arrivals = .closedLoop(try clients()) }
        if let thinkTime, !loops {
            throw WorkloadOptionError.badValue(
                flag: "--think-time", value: thinkTime, expected: "given with --concurrency")
        }
        if let rate { result = rate == .infinity ? atOnce(result) : result.scaled(toRate: rate) }
        if let burstiness {
            guard let rate = result.meanRate, rate.isFinite else {
                throw WorkloadOptionError.badValue(
                    flag: "--burstiness", value: "\(burstiness)", expected: "given with --rate for this workload")
            }
            result.arrivals = burstiness == 1 ? .poisson(rate: rate) : .gamma(rate: rate, burstiness: burstiness)
        }
        if let speedup = trace.speedup {
            guard case .recorded(let own) = result.arrivals, rate == nil else {
                throw WorkloadOptionError.conflict("--speedup", "--rate, --concurrency, or a workload without times")
            }
            result.arrivals = .recorded(speedup: own * speedup)
        }
    }

    private func atOnce(_ workload: Workload) -> Workload {
        var copy: Workload = workload
        copy.arrivals = .allAtOnce
        return copy
    }

    private func clients() throws -> ClosedLoop {
        let think: ThinkTime = try thinkTime.map { .fixed(try SpanFlag.span("--think-time", $0)) } ?? .none
        if let concurrency { return ClosedLoop(clients: concurrency, thinkTime: think) }
        guard wave.count == 3 else {
            throw WorkloadOptionError.badValue(
                flag: "--wave", value: wave.map { "\($0)" }.joined(separator: " "), expected: "MIN MAX SUSTAIN")
        }
        let shape = ConcurrencyWave(min: wave[0], max: wave[1], sustain: wave[2])
        return ClosedLoop(clients: shape.max, wave: shape, thinkTime: think)
    }

    private func setBounds(_ result: inout Workload) throws {
        if let duration {
            result.duration = try SpanFlag.span("--duration", duration)
            // A preset's number of requests is a default, not a bound beside a duration that was asked for.
            if requests == nil, result.arrivals != .allAtOnce { result.requests = nil }
        }
        if let requests { result.requests = requests }
    }
}
