import CServeCore
import CServeCost
import CServeScheduling
import Testing

@testable import CServeSimulator
@testable import CServeWorkload

@Suite("Reports")
struct ReportTests {
    @Test("the histogram's percentiles are within 0.1% of the exact ones, its mean and maximum exact")
    func histogram() {
        for scale in [3, 900, 50_000, 30_000_000] {
            var random = SeededGenerator(seed: UInt64(scale))
            let spans: [Nanoseconds] = (0..<20_000).map { _ in
                Nanoseconds(Double(scale) * (0.5 + random.unit() * random.unit() * 40))
            }
            var histogram = GapHistogram()
            for span in spans { histogram.add(span) }
            let exact = LatencySummary(of: spans)
            let summary: LatencySummary = histogram.summary
            let pairs: [(Double, Double)] = [
                (summary.p50, exact.p50), (summary.p90, exact.p90), (summary.p95, exact.p95), (summary.p99, exact.p99),
            ]
            for (found, wanted) in pairs { #expect(abs(found - wanted) <= wanted * 0.001) }
            #expect(summary.count == exact.count && summary.max == exact.max)
            #expect(abs(summary.mean - exact.mean) < exact.mean * 1e-12)
        }
    }

    @Test("histograms add up, and a weight counts as so many spans")
    func histogramSum() {
        var left = GapHistogram()
        left.add(7, times: 3)
        var right = GapHistogram()
        for _ in 0..<3 { right.add(7) }
        #expect(left == right)
        right.add(Nanoseconds.max)
        left.add(right)
        #expect(left.count == 7 && left.summary.max == Double(Nanoseconds.max) / 1e6)
        #expect(left.percentile(50) == 7e-6)
    }

    @Test("a window's totals do not depend on when it is asked for, however wide the bins have grown")
    func timeline() {
        var timeline = ThroughputTimeline()
        for step in 0..<100_000 {
            timeline.addTokens(2, at: Nanoseconds(step) * 1_000_000)
            if step % 10 == 0 { timeline.addRequest(at: Nanoseconds(step) * 1_000_000) }
            if step % 20 == 0 { timeline.addPrompt(5, at: Nanoseconds(step) * 1_000_000) }
        }
        let (sum, span) = timeline.total(from: 20 * .second, to: 90 * .second)
        #expect(span > 69 * .second && span <= 70 * .second)
        #expect(abs(Double(sum.outputTokens) / span.seconds - 2000) < 2)
        #expect(abs(Double(sum.requests) / span.seconds - 100) < 1)
        #expect(abs(Double(sum.promptTokens) / span.seconds - 250) < 5)
    }

    @Test("Student's interval of five runs is that of the textbook")
    func student() {
        // Mean 3, standard deviation sqrt(2.5), t(4) = 2.776.
        let estimate = Estimate(of: [1, 2, 3, 4, 5])
        #expect(estimate.mean == 3)
        #expect(abs(estimate.halfWidth - 2.776 * (2.5 / 5).squareRoot()) < 1e-12)
        #expect(Estimate(of: [4]).halfWidth == 0)
        #expect(StudentT.quantile(degrees: 30) == 2.042 && StudentT.quantile(degrees: 200) == 1.984)
    }

    @Test("refused and impossible requests fail with their reason, count as offered, and lower goodput")
    func failures() {
        var settings: SchedulerConfiguration = smallScheduler(seqs: 1)
        settings.maxQueuedRequests = 2
        var options = SimulationOptions()
        options.objective = ServiceLevelObjective([LatencyTarget(.ttft, .percentile(99), atMost: 1000 * .second)])
        options.keepsRecords = true
        var requests: [WorkloadRequest] = (0..<6).map {
            WorkloadRequest(index: $0, arrival: 0, promptLength: 20, outputLength: 10)
        }
        requests.append(WorkloadRequest(index: 6, arrival: 1, promptLength: 1000, outputLength: 100))
        requests.append(
            WorkloadRequest(index: 7, arrival: nil, promptLength: 9, outputLength: 9, session: 6, after: 6))
        requests.append(WorkloadRequest(index: 8, arrival: nil, promptLength: 9, outputLength: 9, after: 0))
        let cluster = ClusterSpec(ReplicaSpec(scheduler: settings, timing: LinearTiming()))
        let report = Simulator(cluster, options).run(requests)
        #expect(report.failures == [.queueFull: 4, .tooLong: 1, .answerBeforeMissing: 1])
        #expect(report.offered == 9 && report.completed == 3 && report.failed == 6)
        #expect(report.goodShare == 3.0 / 9)
        #expect(report.records.filter { $0.failure == nil }.map(\.index) == [0, 1, 8])
    }

    @Test("energy and price follow from time, power and rate")
    func bills() {
        var options = SimulationOptions()
        options.busyWatts = 300
        options.idleWatts = 100
        options.usdPerReplicaHour = 3.6
        let cluster = ClusterSpec(ReplicaSpec(scheduler: smallScheduler(), timing: LinearTiming()), count: 2)
        let report = Simulator(cluster, options).run(TestWorkload(count: 50, meanGap: 90_000_000).requests(seed: 1))
        let seconds: Double = report.duration.seconds
        let busy: Double = report.utilisation * 2 * seconds
        #expect(abs(report.joules - (busy * 300 + (2 * seconds - busy) * 100)) < 1e-6 * report.joules)
        #expect(abs(report.usd - 2 * 0.001 * seconds) < 1e-9)
    }

    @Test("the same inputs give the same report, and another seed of texts another")
    func determinism() {
        let cluster = ClusterSpec(ReplicaSpec(scheduler: smallScheduler(), timing: LinearTiming()), count: 2)
        let requests = TestWorkload(count: 200, meanGap: 50_000_000, sharedTexts: 4).requests(seed: 8)
        #expect(Simulator(cluster).run(requests) == Simulator(cluster).run(requests))
    }

    @Test("conversations find their earlier turns in the cache")
    func turns() {
        var requests: [WorkloadRequest] = []
        for index in 0..<10 {
            var request = WorkloadRequest(index: index, arrival: nil, promptLength: 100, outputLength: 50)
            if index > 0 {
                // The prompt quotes all that was said before.
                request.promptLength = 100 + 60 * index
                request.segments = [PromptSegment(.text(1), tokens: 100)]
                for turn in 0..<index {
                    request.segments += [
                        PromptSegment(.answer(turn), tokens: 50), PromptSegment(.text(UInt64(10 + turn)), tokens: 10),
                    ]
                }
                request.after = index - 1
                request.session = 0
                request.thinkTime = .second
            } else {
                request.segments = [PromptSegment(.text(1), tokens: 100)]
            }
            requests.append(request)
        }
        let cluster = ClusterSpec(ReplicaSpec(scheduler: smallScheduler(), timing: LinearTiming()))
        let report = Simulator(cluster).run(requests)
        #expect(report.completed == 10)
        #expect(report.prefixHitShare > 0.7)
        // Nine pauses of a second, and ten answers of 50 steps.
        #expect(report.duration > 9 * .second)
    }
}
