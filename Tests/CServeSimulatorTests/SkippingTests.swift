import CServeCore
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Testing

/// Skipping ahead is an optimisation: it must not change one nanosecond of a report.
@Suite("Skipping ahead")
struct SkippingTests {
    /// A cluster and a workload to simulate both ways.
    struct Case: CustomStringConvertible {
        var description: String
        var workload: TestWorkload
        var timing = LinearTiming()
        var scheduler: SchedulerConfiguration = smallScheduler()
        var replicas: Int = 1
        var routing: RoutingPolicy = .leastLoad
        var load: LoadPattern = .openLoop
        var schedulesAhead: Bool = false
    }

    static let cases: [Case] = {
        let calm = TestWorkload(count: 300, meanGap: 300_000_000)
        let busy = TestWorkload(count: 300, meanGap: 60_000_000)
        let shared = TestWorkload(count: 200, meanGap: 100_000_000, sharedTexts: 5)
        let turns = TestWorkload(count: 200, meanGap: 150_000_000, sharedTexts: 3, hasTurns: true)
        var slow = LinearTiming()
        slow.host = 1_500_000
        slow.ingress = 40_000
        slow.egressTime = 700_000
        var uncached: SchedulerConfiguration = smallScheduler()
        uncached.usePrefixCaching = false
        var bounded: SchedulerConfiguration = smallScheduler(seqs: 4)
        bounded.maxQueuedRequests = 3
        return [
            Case(description: "calm", workload: calm),
            Case(description: "busy", workload: busy),
            Case(description: "host, ingress and egress", workload: busy, timing: slow),
            Case(description: "no prefix cache", workload: busy, scheduler: uncached),
            Case(description: "little memory", workload: busy, scheduler: smallScheduler(blocks: 70)),
            Case(description: "a short queue", workload: busy, scheduler: bounded),
            Case(description: "shared prefixes", workload: shared),
            Case(description: "turns", workload: turns),
            Case(description: "turns on two replicas", workload: turns, timing: slow, replicas: 2),
            Case(description: "three replicas, round robin", workload: busy, replicas: 3, routing: .roundRobin),
            Case(description: "prefix-aware", workload: shared, replicas: 2, routing: .prefixAware),
            Case(description: "sessions", workload: shared, replicas: 3, routing: .session),
            Case(description: "closed loop", workload: busy, load: .closedLoop(clients: 6, thinkTime: 50_000_000)),
            Case(
                description: "closed loop on three replicas", workload: turns, timing: slow, replicas: 3,
                load: .closedLoop(clients: 9)),
            Case(description: "scheduling ahead", workload: busy, schedulesAhead: true),
            Case(description: "scheduling ahead, calm", workload: calm, timing: slow, schedulesAhead: true),
            Case(
                description: "scheduling ahead, closed loop", workload: busy, timing: slow, replicas: 2,
                load: .closedLoop(clients: 6, thinkTime: 50_000_000), schedulesAhead: true),
            Case(description: "two stages", workload: busy, timing: LinearTiming(stages: 2, send: 90_000)),
        ]
    }()

    @Test("the report with skipping is the report without, every request's times included", arguments: cases)
    func equalsSingleSteps(_ test: Case) {
        for seed in UInt64(1)...3 {
            var replica = ReplicaSpec(scheduler: test.scheduler, timing: test.timing)
            replica.schedulesAhead = test.schedulesAhead
            let cluster = ClusterSpec(replica, count: test.replicas, routing: test.routing)
            var options = SimulationOptions()
            options.load = test.load
            options.seed = seed
            options.keepsRecords = true
            options.objective = ServiceLevelObjective([LatencyTarget(.ttft, .percentile(99), atMost: .second / 5)])
            let requests: [WorkloadRequest] = test.workload.requests(seed: seed)
            let skipped = Simulator(cluster, options).run(requests)
            options.skipsSteadySteps = false
            let stepped = Simulator(cluster, options).run(requests)
            #expect(skipped.offered == requests.count)
            #expect(skipped.records == stepped.records, "seed \(seed)")
            #expect(skipped == stepped, "seed \(seed)")
            // A sequence that is no collection is simulated with texts, whatever it shares.
            let withTexts = Simulator(cluster, options).run(IteratorSequence(requests.makeIterator()))
            #expect(withTexts == stepped, "seed \(seed)")
        }
    }
}
