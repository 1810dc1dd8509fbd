// The flags that planning and simulating share: targets, what may be chosen, the engine, and how thoroughly to look.

import ArgumentParser
import CServeCore
import CServeCost
import CServePlanner
import CServeWorkload
import Foundation

/// Latencies that must hold.
struct TargetOptions: ParsableArguments {
    @Option(
        help: "All targets at once: ttft:p99<1s,tpot:p95<50ms,e2e:mean<10s (figures: mean, p50, p90, p95, p99, max).")
    var slo: String?

    @Option(help: "Limit of the time to first token, 99th percentile: 1s. Also --ttft-p50, -p90, -p95.")
    var ttftP99: String?
    @Option(help: .hidden) var ttftP50: String?
    @Option(help: .hidden) var ttftP90: String?
    @Option(help: .hidden) var ttftP95: String?

    @Option(help: "Limit of the time per output token, 99th percentile: 50ms. Also --tpot-p50, -p90, -p95.")
    var tpotP99: String?
    @Option(help: .hidden) var tpotP50: String?
    @Option(help: .hidden) var tpotP90: String?
    @Option(help: .hidden) var tpotP95: String?

    @Option(help: "Limit of the gaps between tokens, 99th percentile. Also --itl-p50, -p90, -p95.")
    var itlP99: String?
    @Option(help: .hidden) var itlP50: String?
    @Option(help: .hidden) var itlP90: String?
    @Option(help: .hidden) var itlP95: String?

    @Option(help: "Limit of the end-to-end latency, 99th percentile: 10s. Also --e2e-p50, -p90, -p95.")
    var e2eP99: String?
    @Option(help: .hidden) var e2eP50: String?
    @Option(help: .hidden) var e2eP90: String?
    @Option(help: .hidden) var e2eP95: String?

    @Option(help: "Share of the requests that must keep every limit, 0 to 1: 0.95.")
    var goodput: Double?

    /// The objective; nil where nothing is demanded.
    func objective() throws -> ServiceLevelObjective? {
        let flags: [(name: String, value: String?)] = [
            ("ttft:p50", ttftP50), ("ttft:p90", ttftP90), ("ttft:p95", ttftP95), ("ttft:p99", ttftP99),
            ("tpot:p50", tpotP50), ("tpot:p90", tpotP90), ("tpot:p95", tpotP95), ("tpot:p99", tpotP99),
            ("itl:p50", itlP50), ("itl:p90", itlP90), ("itl:p95", itlP95), ("itl:p99", itlP99),
            ("e2e:p50", e2eP50), ("e2e:p90", e2eP90), ("e2e:p95", e2eP95), ("e2e:p99", e2eP99),
        ]
        let parts: [String] = flags.compactMap { flag in flag.value.map { "\(flag.name)<\($0)" } }
        let text: String = ([slo].compactMap { $0 } + parts).joined(separator: ",")
        return text.isEmpty ? nil : try ServiceLevelObjective(parsing: text)
    }
}

/// Whose habits are simulated, and what was measured.
struct EngineModelOptions: ParsableArguments {
    @Option(help: "The engine whose scheduling and overheads are simulated: cserve, vllm, trtllm, or a profile's file.")
    var engine: String = "cserve"

    @Option(help: "What cserve calibrate measured on the very hardware (JSON).", completion: .file())
    var calibration: String?
}

/// How thoroughly to look.
struct EffortOptions: ParsableArguments {
    @Option(help: "Requests of each final run.")
    var finalRequests: Int?

    @Option(help: "Final runs per option, each with its own seed.")
    var finalSeeds: Int?

    @Option(help: .hidden) var searchRequests: Int?
    @Option(help: .hidden) var refineRequests: Int?

    @Option(help: "Options that are looked at closely.")
    var shortList: Int?

    @Option(help: "Cores to use (default: all); the plan does not depend on them.")
    var cores: Int?

    /// The effort, with defaults where nothing is asked.
    func effort() throws -> PlanEffort {
        let flags: [(String, Int?)] = [
            ("--final-requests", finalRequests), ("--final-seeds", finalSeeds), ("--search-requests", searchRequests),
            ("--refine-requests", refineRequests), ("--short-list", shortList), ("--cores", cores),
        ]
        for (name, value) in flags {
            if let value, value < 1 { throw PlanError.notPositive(name: name, value: Double(value)) }
        }
        var effort = PlanEffort(threads: ProcessInfo.processInfo.activeProcessorCount)
        finalRequests.map { effort.finalRequests = $0 }
        finalSeeds.map { effort.finalSeeds = $0 }
        searchRequests.map { effort.searchRequests = $0 }
        refineRequests.map { effort.refineRequests = $0 }
        shortList.map { effort.shortList = $0 }
        cores.map { effort.threads = $0 }
        return effort
    }
}

/// What the planner may choose.
struct SearchOptions: ParsableArguments {
    @Option(help: "Accelerators to choose from, with commas: l4,a10,a100-40 (default: every GPU with a price).")
    var gpus: String?

    @Option(help: "Accelerators at most, in all.")
    var maxGpus: Int = 8

    @Option(help: "The most that may be spent: 5/h, 3000/month.")
    var budget: String?

    @Option(name: [.customLong("tp"), .customLong("tensor-parallel-size")], help: "Tensor-parallel sizes.")
    var tp: NumberList = NumberList([1, 2, 4, 8])

    @Option(name: [.customLong("pp"), .customLong("pipeline-parallel-size")], help: "Pipeline-parallel sizes.")
    var pp: NumberList = NumberList([1, 2, 4, 8])

    @Option(help: "Weight quantisations, with commas: none, int8, int4, fp8. They change answers: none unless asked.")
    var quantization: String = "none"

    @Option(
        name: [.customLong("kv-cache-dtype"), .customLong("cache-dtype")], help: "Types of the KV cache: auto,fp8.")
    var kvCacheDtype: String = "auto"

    @Option(help: "Requests that run at once (default: 128,256 for each pipeline stage).")
    var maxNumSeqs: NumberList?

    @Option(help: "Tokens of one step.")
    var maxNumBatchedTokens: NumberList = NumberList([2048, 8192])

    @Option(help: "Prompt tokens of one request in one step; 0: the step's own limit.")
    var chunkedPrefillSize: NumberList = NumberList([0])

    @Option(help: "Scheduling policies: auto,throughput,latency.")
    var schedulingPolicy: String = "auto"

    @Option(help: "Whether cached prefixes are reused: on, off, or both.")
    var prefixCaching: String = "on"

    @Option(help: "Shares of the weights that stream in from the host, with commas: 0,0.25,0.5.")
    var offload: String = "0"

    @Option(help: "The longest request in tokens (default: what the workload needs).")
    var maxModelLen: Int?

    @Option(
        name: [.customLong("gpu-memory-utilization"), .customLong("gpu-mem-util")],
        help: "Share of the memory that the engine takes.")
    var gpuMemoryUtilization: Double?

    @Option(help: "Only machines of this provider: aws, azure, gcp.")
    var provider: String?

    @Option(help: "Only machines of this region.")
    var region: String?

    /// The bounds of the search.
    func bounds(_ catalog: HardwareCatalog) throws -> SearchBounds {
        var bounds = SearchBounds(accelerators: try accelerators(catalog), maxAccelerators: maxGpus)
        bounds.tensor = try sizes("--tp", tp)
        bounds.pipeline = try sizes("--pp", pp)
        bounds.quantizations = try Self.choices(
            "--quantization", quantization, among: ["none"] + Quantization.allCases.map(\.rawValue)
        ).map { $0 == "none" ? nil : $0 }
        bounds.cacheTypes = try Self.choices("--kv-cache-dtype", kvCacheDtype, among: ["auto"] + CacheFormat.names)
        if let maxNumSeqs {
            bounds.maxNumSeqs = try sizes("--max-num-seqs", maxNumSeqs)
            bounds.countsSeqsPerStage = false
        }
        bounds.maxNumBatchedTokens = try sizes("--max-num-batched-tokens", maxNumBatchedTokens)
        bounds.chunkSizes = chunkedPrefillSize.values.map { $0 == 0 ? nil : $0 }
        bounds.policies = try Self.choices(
            "--scheduling-policy", schedulingPolicy, among: ["auto", "throughput", "latency"])
        bounds.prefixCaching = try Self.choices("--prefix-caching", prefixCaching, among: ["on", "off", "both"])
            .flatMap { $0 == "both" ? [true, false] : [$0 == "on"] }
        bounds.offloadedShares = try shares()
        bounds.maxModelLen = maxModelLen
        bounds.memoryShare = gpuMemoryUtilization
        bounds.provider = provider?.lowercased()
        bounds.region = region
        return bounds
    }

    private func accelerators(_ catalog: HardwareCatalog) throws -> [AcceleratorSpec] {
        guard let gpus, gpus != "all" else {
            return catalog.accelerators.filter { (one: AcceleratorSpec) -> Bool in
                one.kind == .gpu && catalog.cheapest(one.name, count: 1, provider: provider, region: region) != nil
            }
        }
        var seen: Set<String> = []
        return try gpus.split(separator: ",").map { try catalog.requireAccelerator(String($0).trimmingBlanks) }
            .filter { seen.insert($0.name).inserted }
    }

    private func sizes(_ name: String, _ list: NumberList) throws -> [Int] {
        guard list.values.allSatisfy({ $0 >= 1 }) else { throw PlanOptionError.sizeBelowOne(flag: name) }
        return list.values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    static func choices(_ flag: String, _ text: String, among known: [String]) throws -> [String] {
        let words: [String] = text.split(separator: ",").map { String($0).trimmingBlanks }
        guard !words.isEmpty else { throw PlanOptionError.unknownChoice(flag: flag, value: text, known: known) }
        for word in words where !known.contains(word) {
            throw PlanOptionError.unknownChoice(flag: flag, value: word, known: known)
        }
        return words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func shares() throws -> [Double] {
        try offload.split(separator: ",").map { (part: Substring) throws -> Double in
            guard let share = Double(part), share >= 0, share <= 1 else {
                throw PlanOptionError.badShare(flag: "--offload", value: String(part))
            }
            return share
        }
    }

    /// The budget in US dollars per hour.
    func usdPerHour() throws -> Double? {
        guard let budget else { return nil }
        let parts: [Substring] = budget.drop { $0 == "$" }.split(separator: "/", maxSplits: 1)
        // A year has 8,760 hours: a month of it has 730.
        let hours: [String: Double] = ["h": 1, "hour": 1, "day": 24, "d": 24, "month": 730, "mo": 730]
        let unit: String = parts.count == 2 ? parts[1].lowercased() : "h"
        guard let amount = parts.first.flatMap({ Double($0) }), amount.isFinite, amount > 0, let span = hours[unit]
        else {
            throw PlanOptionError.badBudget(budget)
        }
        return amount / span
    }
}

/// Flags of planning that cannot be used.
enum PlanOptionError: Error, Hashable, CustomStringConvertible {
    case noModel
    case noHardware
    case unknownChoice(flag: String, value: String, known: [String])
    case sizeBelowOne(flag: String)
    case badShare(flag: String, value: String)
    case badBudget(String)
    case badRates(String)
    case badClients(String)
    case unreadable(file: String, reason: String)
    case unwritable(file: String, reason: String)

    var description: String {
        switch self {
        case .noModel:
            "No model was given. Use --model NAME (cserve models --catalog), a checkpoint folder or a config.json."
        case .noHardware: "No hardware was given. Use --on 4xl4 (cserve hardware lists what there is), or a plan.json."
        case .unknownChoice(let flag, let value, let known):
            "\(flag) has \"\(value)\". Choose among \(known.joined(separator: ", ")), with commas."
        case .sizeBelowOne(let flag): "\(flag) takes numbers from 1 on."
        case .badShare(let flag, let value): "\(flag) has \"\(value)\". Use shares from 0 to 1, with commas."
        case .badBudget(let text):
            "--budget is \"\(text)\". Write dollars per hour, day or month: 5/h, 120/day, 3000/month."
        case .badClients(let text):
            "--concurrency \(text) is no list of clients. Write numbers from 1 to 100000 with commas: 1,8,32."
        case .badRates(let text):
            "--rates is \"\(text)\". Write requests per second above zero, with commas: 1,2,4 (inf: all at once)."
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(file) cannot be written: \(reason)"
        }
    }
}

extension String {
    /// Without blanks at its ends.
    var trimmingBlanks: String { trimmingCharacters(in: .whitespaces) }
}
