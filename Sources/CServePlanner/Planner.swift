// From a question to a plan in one straight line: list, sort out, bound, search, size, refine, confirm, choose, write down.
import CServeCore
import CServeCost
import CServeSimulator
import CServeWorkload

/// Plans deployments. Pure and deterministic: threads and progress change nothing.
public struct Planner: Sendable {
    /// What is to be planned.
    public let question: PlanQuestion
    let origin: PlanOrigin
    let progress: @Sendable (PlanProgress) -> Void

    /// A planner for one question.
    /// - Parameters:
    ///   - origin: what a plan says of where it comes from.
    ///   - progress: called from any thread while work goes on.
    public init(
        _ question: PlanQuestion, origin: PlanOrigin, progress: @escaping @Sendable (PlanProgress) -> Void = { _ in }
    ) {
        self.question = question
        self.origin = origin
        self.progress = progress
    }

    /// Finds the plan, or what comes nearest.
    /// - Throws: ``PlanError`` where the question has no answer at all.
    public func plan() throws(PlanError) -> PlanResult {
        try question.check()
        let sample: RequestSample = try sample()
        var log = SearchLog()
        let options: [ReplicaOption] = list(sample, &log)
        let feasible: [FeasibleReplica] = sortOut(options, &log)
        let promising: [FeasibleReplica] = bound(feasible, sample, &log)
        let searched: [Searched] = search(promising, sample, &log)
        let sized: [Deployment] = size(searched, &log)
        let shortList: [Deployment] = shorten(sized, searched, &log)
        let refined: [Deployment] = refine(shortList, sample, &log)
        let confirmed: [Confirmed] = confirm(refined, sample, &log)
        guard !confirmed.isEmpty else { return nothingFits(searched, feasible, sample, log) }
        let standings = Standings(confirmed, question)
        let fleet: PlanFleet? = MixedFleet(question, sample).fleet(standings)
        let writer = PlanWriter(question: question, origin: origin, sample: sample)
        return writer.result(standings, fleet: fleet, log)
    }

    /// Looks at the workload's requests.
    func sample() throws(PlanError) -> RequestSample {
        let limit: Int = question.bounds.maxModelLen ?? question.shape.longestLength
        let load = Load(rate: 1, requests: RequestSample.size, seed: question.seed)
        let sample = RequestSample(probe.workload(load), limit: limit)
        guard sample.count + sample.beyondLimit > 0 else { throw .noRequests(workload: question.workload.name) }
        guard sample.count > sample.beyondLimit else {
            throw .workloadTooLong(
                workload: question.workload.name, mean: Int(sample.meanPrompt + sample.meanOutput),
                longest: sample.longest, limit: limit)
        }
        return sample
    }

    var probe: LoadProbe { LoadProbe(question: question) }
    var sizing: Sizing { Sizing(question: question) }

    /// Every option within the bounds.
    private func list(_ sample: RequestSample, _ log: inout SearchLog) -> [ReplicaOption] {
        // Rounded up, so that the length does not hang on the last request of the sample.
        let needed: Int = (sample.longest + 1023) / 1024 * 1024
        let length: Int = question.bounds.maxModelLen ?? min(needed, question.shape.longestLength)
        let space = SearchSpace(question, maxModelLen: length, sharesPrefixes: sample.sharesPrefixes)
        log.rejected += space.rejected
        log.options = space.options.count + space.rejected.count
        return space.options
    }

    /// Those that can run.
    private func sortOut(_ options: [ReplicaOption], _ log: inout SearchLog) -> [FeasibleReplica] {
        let feasibility = Feasibility(question: question, memory: nil)
        let results = map("feasibility", options) { feasibility.check($0) }
        return log.keep(zip(options, results).map { ($0.name(), $1) })
    }

    /// Those that the roofline does not exclude.
    private func bound(
        _ feasible: [FeasibleReplica], _ sample: RequestSample, _ log: inout SearchLog
    ) -> [FeasibleReplica] {
        let results = map("bounds", feasible) { (one: FeasibleReplica) -> Result<FeasibleReplica, Feasibility.Unfit> in
            Reach(question: question, sample: sample, sizing: sizing).check(one)
        }
        return log.keep(zip(feasible, results).map { ($0.option.name(), $1) })
    }

    /// Capacities of single replicas, by simulation: first one setting of each family, then the other settings of those
    /// families that are not far behind.
    private func search(
        _ promising: [FeasibleReplica], _ sample: RequestSample, _ log: inout SearchLog
    ) -> [Searched] {
        let families = FamilySearch(planner: self, sample: sample)
        let searched: [Searched] = families.search(promising, &log)
        for one in searched {
            let single: Deployment = sizing.deployment(one.replica, replicas: 1, capacity: one.capacity.rate)
            log.add(one.capacity, of: single, phase: "search")
        }
        log.simulated = searched.count
        return searched
    }

    /// Deployments within the bounds.
    private func size(_ searched: [Searched], _ log: inout SearchLog) -> [Deployment] {
        log.keep(searched.map { ($0.replica.option.name(), sizing.deployments($0)) }).flatMap { $0 }
    }

    /// The ones that deserve a closer look; an option none of whose deployments does is outdone by them.
    private func shorten(_ sized: [Deployment], _ searched: [Searched], _ log: inout SearchLog) -> [Deployment] {
        let slowness: [String: Double] = Dictionary(
            searched.map { ($0.replica.option.name(), $0.slowness(question)) }, uniquingKeysWith: { first, _ in first })
        let candidates: [PickCandidate] = sized.map { (one: Deployment) -> PickCandidate in
            one.pick(slowness: slowness[one.replica.option.name()] ?? .infinity)
        }
        let places: [Int] = ShortList.places(
            of: candidates, kinds: sized.map { "\($0.replica.option.family) \($0.replicas)" },
            isRateGiven: question.targets.requestRate != nil,
            size: question.effort.shortList)
        let chosen: [Deployment] = places.map { sized[$0] }
        for one in Outdone.deployments(of: sized, by: chosen) {
            log.reject(one.name, .outdone, Outdone.message(one, by: chosen))
        }
        return chosen
    }

    /// Their numbers of replicas and their capacities as whole clusters.
    private func refine(
        _ shortList: [Deployment], _ sample: RequestSample, _ log: inout SearchLog
    ) -> [Deployment] {
        let refinement = Refinement(probe: probe, sizing: sizing, sample: sample)
        let results = map("refine", shortList) { refinement.refine($0) }
        for result in results { log.points += result.points }
        return log.keep(zip(shortList, results).map { ($0.name, $1.outcome) })
    }

    /// Their final figures; one that misses the targets after all gets another replica, or less load, or is rejected.
    private func confirm(
        _ refined: [Deployment], _ sample: RequestSample, _ log: inout SearchLog
    ) -> [Confirmed] {
        let confirmation = Confirmation(probe: probe, sample: sample)
        var pending: [(place: Int, deployment: Deployment, rate: Double)] = refined.enumerated().map {
            ($0.offset, $0.element, question.targets.requestRate ?? finalRate($0.element))
        }
        var confirmed: [(place: Int, result: Confirmed)] = []
        for _ in 0..<4 where !pending.isEmpty {
            let runs = pending.flatMap { one in (0..<question.effort.finalSeeds).map { (one.deployment, one.rate, $0) }
            }
            let reports = map("confirm", runs) { confirmation.run($0.0, rate: $0.1, seed: $0.2) }
            var next: [(place: Int, deployment: Deployment, rate: Double)] = []
            for (index, one) in pending.enumerated() {
                let from: Int = index * question.effort.finalSeeds
                let own = Array(reports[from..<(from + question.effort.finalSeeds)])
                let result: Confirmed = confirmation.sum(one.deployment, rate: one.rate, own)
                log.points += own.map {
                    PlanPoint(one.deployment, phase: "final", result.load, $0, passes: result.binding == nil)
                }
                if result.binding == nil {
                    confirmed.append((one.place, result))
                } else if let retry = retry(one.deployment, one.rate) {
                    next.append((one.place, retry.deployment, retry.rate))
                } else {
                    log.reject(one.deployment.name, .targets, "With many requests " + (result.binding ?? "") + ".")
                }
            }
            pending = next
        }
        for one in pending { log.reject(one.deployment.name, .targets, "Its capacity does not settle.") }
        return confirmed.sorted { $0.place < $1.place }.map(\.result)
    }

    private func finalRate(_ deployment: Deployment) -> Double {
        let hasTargets: Bool = !question.targets.objective.targets.isEmpty || question.targets.goodput != nil
        return hasTargets ? deployment.capacity : .infinity
    }

    private func retry(_ deployment: Deployment, _ rate: Double) -> (deployment: Deployment, rate: Double)? {
        if question.targets.requestRate != nil {
            let more: Deployment = sizing.deployment(
                deployment.replica, replicas: deployment.replicas + 1,
                capacity: deployment.capacity * Double(deployment.replicas + 1) / Double(deployment.replicas))
            return sizing.isWithin(more) ? (more, rate) : nil
        }
        guard rate.isFinite else { return nil }
        var less: Deployment = deployment
        less.capacity = rate * 0.95
        return (less, rate * 0.95)
    }

    /// Runs work on all threads, with progress.
    func map<Item: Sendable, Value: Sendable>(
        _ phase: String, _ items: [Item], _ work: @Sendable (Item) -> Value
    ) -> [Value] {
        let total: Int = items.count
        progress(PlanProgress(phase: phase, done: 0, total: total))
        return Parallel.map(
            items, threads: question.effort.threads,
            finished: { progress(PlanProgress(phase: phase, done: $0, total: total)) }, work)
    }
}
