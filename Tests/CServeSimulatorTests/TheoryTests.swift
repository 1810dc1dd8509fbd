import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Testing

/// Where queueing theory or a pencil gives the answer, the simulator must give the same.
@Suite("Against theory")
struct TheoryTests {
    /// Every step takes the same time.
    struct Fixed: StepTiming {
        var span: Nanoseconds
        var stages: Int { 1 }
        var egressTime: Nanoseconds { 0 }
        func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds { span }
        func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
        func hostTime(of step: StepComposition) -> Nanoseconds { 0 }
        func ingressTime(promptTokens: Int) -> Nanoseconds { 0 }
    }

    /// Poisson arrivals of requests that take exactly one step alone.
    static func poisson(_ count: Int, meanGap: Double, seed: UInt64) -> [WorkloadRequest] {
        var random = SeededGenerator(seed: seed)
        var time: Double = 0
        return (0..<count).map { (index: Int) -> WorkloadRequest in
            time += meanGap * exponential(&random)
            return WorkloadRequest(index: index, arrival: Nanoseconds(time), promptLength: 4, outputLength: 1)
        }
    }

    /// An exponential variate of mean 1 without a logarithm. Source: von Neumann 1951, "Various techniques used in
    /// connection with random digits" (comparison of uniform variates).
    static func exponential(_ random: inout SeededGenerator) -> Double {
        var whole: Double = 0
        while true {
            let first: Double = random.unit()
            var last: Double = first
            var runs: Int = 1
            while true {
                let next: Double = random.unit()
                if next > last { break }
                last = next
                runs += 1
            }
            if runs % 2 == 1 { return whole + first }
            whole += 1
        }
    }

    @Test("a server of one request at a time waits as an M/D/1 queue does", arguments: [0.3, 0.6, 0.8])
    func singleServer(load: Double) {
        var settings = SchedulerConfiguration(blockCount: 64, maxNumSeqs: 1, maxModelLength: 64)
        settings.usePrefixCaching = false
        settings.maxQueuedRequests = .max
        settings.maxQueuedTokens = .max / 2
        let service: Nanoseconds = 10_000_000
        let cluster = ClusterSpec(ReplicaSpec(scheduler: settings, timing: Fixed(span: service)))
        let reports: [SimulationReport] = (1...5).map { (seed: UInt64) -> SimulationReport in
            Simulator(cluster).run(Self.poisson(20_000, meanGap: Double(service) / load, seed: seed))
        }
        let combined: CombinedReport = SimulationReport.combine(reports)
        // Pollaczek-Khinchine: the mean wait of M/D/1 is load / (2 (1 - load)) services.
        let expected: Double = load / (2 * (1 - load)) * 10
        let wait: Double = combined.queueTime.mean.mean
        #expect(abs(wait - expected) < max(3 * combined.queueTime.mean.halfWidth / 2, 0.01 * expected))
        #expect(abs(combined.queueTime.mean.halfWidth / expected) < 0.2)
        #expect(abs(combined.utilisation.mean - load) < 0.02)
        #expect(abs(combined.e2e.mean.mean - wait - 10) < 1e-6)
    }

    @Test("in a closed loop, clients are as many as throughput times latency and thinking (Little's law)")
    func closedLoop() {
        var options = SimulationOptions()
        options.load = .closedLoop(clients: 12, thinkTime: 200_000_000)
        let cluster = ClusterSpec(ReplicaSpec(scheduler: smallScheduler(), timing: LinearTiming()))
        let workload = TestWorkload(count: 4000, meanGap: 0).requests(seed: 4)
        let report = Simulator(cluster, options).run(workload)
        let perClient: Double = report.e2e.mean / 1000 + 0.2
        let clients: Double = report.throughput.requestsPerSecond * perClient
        // Only the beginning and the end, where not all clients are at work, are off.
        #expect(abs(clients - 12) < 0.1)
        #expect(report.completed == 4000)
    }

    @Test("two stages overlap as drawn by hand")
    func pipeline() {
        // One prompt of 4 tokens each, answers of 2, on two stages of 10 and 20 ms with 1 ms between them. Micro-batches
        // (r: request): r0's prompt 0-10 | 11-31; r1's comes at 5 and starts on stage 0 at 10: 10-20 | 31-51.
        // r0's decode is known at 31: 31-41 | 51-71; r1's at 51: 51-61 | 71-91.
        struct Uneven: StepTiming {
            var stages: Int { 2 }
            var egressTime: Nanoseconds { 500_000 }
            func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds {
                stage == 0 ? 10_000_000 : 20_000_000
            }
            func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 1_000_000 }
            func hostTime(of step: StepComposition) -> Nanoseconds { 0 }
            func ingressTime(promptTokens: Int) -> Nanoseconds { 0 }
        }
        let requests: [WorkloadRequest] = [0, 5_000_000].enumerated().map { (index, arrival) in
            WorkloadRequest(index: index, arrival: arrival, promptLength: 4, outputLength: 2)
        }
        var options = SimulationOptions()
        options.keepsRecords = true
        let cluster = ClusterSpec(ReplicaSpec(scheduler: smallScheduler(), timing: Uneven()))
        let report = Simulator(cluster, options).run(requests)
        let millis = { (time: Nanoseconds) -> Double in Double(time) / 1e6 }
        #expect(report.records.map { millis($0.firstToken) } == [31.5, 51.5])
        #expect(report.records.map { millis($0.end) } == [71.5, 91.5])
        #expect(report.records.map { millis($0.ttft) } == [31.5, 46.5])
        // Of 91 ms the stages work 40 and 80; the report lasts until the client has the last token.
        #expect(report.replicas[0].stageUtilisation == [40 / 91.5, 80 / 91.5])
        #expect(abs(report.replicas[0].bubbleShare - (1 - 120.0 / 182)) < 1e-12)
        #expect(report.itl.count == 2 && abs(report.itl.mean - 40) < 1e-9)
    }

    @Test("host time is hidden behind a busy stage, and delays an idle one")
    func hostTime() {
        struct Hosted: StepTiming {
            var stages: Int { 1 }
            var egressTime: Nanoseconds { 0 }
            func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds { 10 }
            func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
            func hostTime(of step: StepComposition) -> Nanoseconds { 4 }
            func ingressTime(promptTokens: Int) -> Nanoseconds { 100 }
        }
        // Without look-ahead every step waits for the host; with it only the first does.
        for (lookAhead, end) in [(0, 100 + 14 * 5), (1, 100 + 4 + 10 * 5)] {
            var settings: SchedulerConfiguration = smallScheduler()
            settings.lookAhead = lookAhead
            var options = SimulationOptions()
            options.keepsRecords = true
            let cluster = ClusterSpec(ReplicaSpec(scheduler: settings, timing: Hosted()))
            let one = [WorkloadRequest(index: 0, arrival: 0, promptLength: 4, outputLength: 5)]
            #expect(Simulator(cluster, options).run(one).records.map(\.end) == [Nanoseconds(end)])
        }
    }
}
