// A fleet of several accelerators for one load: capacities by request size, the integer program, and a simulation of each
// part with the requests that it would get.
import CServeCore
import CServeSimulator
import CServeWorkload

/// Looks for a fleet that costs less than the cheapest single kind.
struct MixedFleet: Sendable {
    let question: PlanQuestion
    let sample: RequestSample

    /// Slices per bucket (Mélange takes 4 to 8).
    static let slices: Int = 6

    init(_ question: PlanQuestion, _ sample: RequestSample) {
        self.question = question
        self.sample = sample
    }

    /// The fleet; nil without a rate, prices, or two kinds, or where mixing saves nothing.
    func fleet(_ standings: Standings) -> PlanFleet? {
        guard let rate = question.targets.requestRate, isSplittable else { return nil }
        let kinds: [Deployment] = kinds(standings)
        guard kinds.count > 1, let least = standings.candidates.map(\.usdPerHour).min(), least.isFinite else {
            return nil
        }
        let buckets: [SizeBucket] = SizeBucket.split(sample)
        var capacities: [[Double]] = Parallel.map(
            kinds.flatMap { kind in buckets.map { (kind, $0) } }, threads: question.effort.threads
        ) { capacity($0.0, $0.1) }.chunked(by: buckets.count)
        // A part that its simulation shows to be overloaded is reckoned with less, and the program is solved anew.
        for _ in 0..<3 {
            let program = FleetProgram(
                kinds: zip(kinds, capacities).map {
                    FleetProgram.Kind(
                        usdPerHour: $0.usdPerHour, accelerators: $0.accelerators, capacities: $1)
                }, rates: buckets.map { $0.share * rate }, slices: Self.slices,
                maxAccelerators: question.bounds.maxAccelerators)
            guard let fleet = program.solve(), fleet.usdPerHour < least * 0.99 else { return nil }
            let overloaded: [Int] = kinds.indices.filter { !carries($0, kinds[$0], fleet, buckets, rate) }
            if overloaded.isEmpty { return written(fleet, kinds, buckets) }
            for kind in overloaded { capacities[kind] = capacities[kind].map { $0 * 0.9 } }
        }
        return nil
    }

    /// Turns of one conversation cannot be sent to different parts.
    private var isSplittable: Bool {
        guard case .synthetic(let drawn) = question.workload.content else { return true }
        return drawn.conversations == nil
    }

    /// The best replica of each accelerator by value, one copy each.
    private func kinds(_ standings: Standings) -> [Deployment] {
        let order: [Int] =
            NamedPicks.ranked(
                for: .bestValue, standings.candidates, isRateGiven: true) ?? []
        var seen: Set<String> = []
        return order.filter { seen.insert(standings.candidates[$0].accelerator).inserted }.map {
            Deployment(standings.confirmed[$0].deployment.replica, replicas: 1, catalog: question.catalog)
        }.filter(\.usdPerHour.isFinite)
    }

    /// Requests of one size per second that one replica carries within the targets.
    private func capacity(_ kind: Deployment, _ bucket: SizeBucket) -> Double {
        let bound: Double = RooflineBound(kind.replica, sample).mostRate
        let bisection = RateBisection(tolerance: 0.1, probes: 7)
        return bisection.edge(start: bound / 3, floor: bound / 200, ceiling: bound * 50) { (rate: Double) -> Bool in
            isCarried(kind.replica, replicas: 1, rate: rate / bucket.share) { bucket.holds($0) }
        }.passing ?? 0
    }

    /// Whether a part of a fleet carries its slices.
    private func carries(
        _ index: Int, _ kind: Deployment, _ fleet: FleetProgram.Fleet, _ buckets: [SizeBucket], _ rate: Double
    ) -> Bool {
        guard fleet.replicas[index] > 0 else { return true }
        return isCarried(kind.replica, replicas: fleet.replicas[index], rate: rate) { (request) -> Bool in
            guard let bucket = buckets.firstIndex(where: { $0.holds(request) }) else { return false }
            let before: Int = fleet.slices[bucket][..<index].reduce(0, +)
            let slice: Int = Int(SeededGenerator.mix(UInt64(request.index), 1) % UInt64(Self.slices))
            return (before..<(before + fleet.slices[bucket][index])).contains(slice)
        }
    }

    /// Whether some requests of the whole workload, offered at a rate, are carried.
    private func isCarried(
        _ replica: FeasibleReplica, replicas: Int, rate: Double, _ takes: (WorkloadRequest) -> Bool
    ) -> Bool {
        let probe = LoadProbe(question: question)
        let wanted: Int = question.effort.searchRequests * replicas
        let load = Load(rate: rate, requests: wanted * 40, seed: question.seed)
        var requests: [WorkloadRequest] = []
        for request in probe.workload(load).stream() where takes(request) {
            requests.append(request)
            if requests.count == wanted { break }
        }
        guard !requests.isEmpty else { return true }
        var options = SimulationOptions()
        options.seed = load.seed
        options.vocabularySize = question.shape.vocabularySize
        options.objective = question.targets.objective
        let report: SimulationReport = Simulator(ClusterSpec(replica.spec, count: replicas), options).run(requests)
        return probe.passes(report, load)
    }

    private func written(_ fleet: FleetProgram.Fleet, _ kinds: [Deployment], _ buckets: [SizeBucket]) -> PlanFleet {
        let used: [Int] = kinds.indices.filter { fleet.replicas[$0] > 0 }
        return PlanFleet(
            usdPerHour: fleet.usdPerHour, isOptimal: fleet.isOptimal,
            parts: used.map { (kind: Int) -> PlanFleet.Part in
                var shares: [String: Double] = [:]
                for (place, bucket) in buckets.enumerated() where fleet.slices[place][kind] > 0 {
                    shares[bucket.name] = Double(fleet.slices[place][kind]) / Double(Self.slices)
                }
                return PlanFleet.Part(
                    option: kinds[kind].name, replicas: fleet.replicas[kind], usdPerHour: kinds[kind].usdPerHour,
                    shares: shares)
            })
    }
}

/// Requests of similar sizes.
struct SizeBucket: Hashable, Sendable {
    var prompts: Range<Int>
    var outputs: Range<Int>
    /// Its share of the requests.
    var share: Double

    func holds(_ request: WorkloadRequest) -> Bool {
        prompts.contains(request.promptLength) && outputs.contains(request.outputLength)
    }

    /// `prompt 512.., answer ..128`.
    var name: String {
        func span(_ range: Range<Int>) -> String {
            let low: String = range.lowerBound > 0 ? "\(range.lowerBound)" : ""
            return range.upperBound < Int.max ? "\(low)..<\(range.upperBound)" : "\(low).."
        }
        return "prompt \(span(prompts)), answer \(span(outputs))"
    }

    /// Halves by prompt and by answer, at the medians; buckets with less than 2% of the requests are given up with their
    /// split.
    static func split(_ sample: RequestSample) -> [SizeBucket] {
        let prompts: [Range<Int>] = halves(sample.kept.map(\.prompt))
        let outputs: [Range<Int>] = halves(sample.kept.map(\.output))
        let whole = [SizeBucket(prompts: 0..<Int.max, outputs: 0..<Int.max, share: 1)]
        for (first, second) in [(prompts, outputs), (prompts, [0..<Int.max]), ([0..<Int.max], outputs)] {
            let all: [SizeBucket] = first.flatMap { prompts in
                second.map { SizeBucket(prompts: prompts, outputs: $0, share: 0).measured(sample) }
            }
            if all.count > 1, all.allSatisfy({ $0.share >= 0.02 }) { return all }
        }
        return whole
    }

    private static func halves(_ lengths: [Int]) -> [Range<Int>] {
        let sorted: [Int] = lengths.sorted()
        guard let least = sorted.first, let most = sorted.last, least < most else { return [0..<Int.max] }
        let middle: Int = max(least + 1, sorted[sorted.count / 2])
        return [0..<middle, middle..<Int.max]
    }

    private func measured(_ sample: RequestSample) -> SizeBucket {
        var bucket: SizeBucket = self
        let inside: Int = sample.kept.count { prompts.contains($0.prompt) && outputs.contains($0.output) }
        bucket.share = Double(inside) / Double(max(1, sample.kept.count))
        return bucket
    }
}

extension Array {
    /// Rows of equal length.
    func chunked(by size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
