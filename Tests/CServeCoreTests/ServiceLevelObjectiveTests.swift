import CServeCore
import Testing

@Suite("Service level objectives")
struct ServiceLevelObjectiveTests {
    @Test("the written form is read and written again")
    func roundTrip() throws {
        let objective = try ServiceLevelObjective(parsing: "ttft:p99<1s, tpot-p95<=50ms,e2e:mean<1.5s,itl<2ms")
        #expect(
            objective.targets == [
                LatencyTarget(.ttft, .percentile(99), atMost: .second),
                LatencyTarget(.tpot, .percentile(95), atMost: 50 * .millisecond),
                LatencyTarget(.e2e, .mean, atMost: 1500 * .millisecond),
                LatencyTarget(.itl, .percentile(99), atMost: 2 * .millisecond),
            ])
        #expect(objective.description == "ttft:p99<1s,tpot:p95<50ms,e2e:mean<1.5s,itl:p99<2ms")
        #expect(try ServiceLevelObjective(parsing: objective.description) == objective)
    }

    @Test("goodput's rule takes every limit for each request")
    func goodput() throws {
        let objective = try ServiceLevelObjective(parsing: "ttft:p50<1s,tpot<50ms")
        #expect(objective.isMet(ttft: .second, tpot: 50 * .millisecond, e2e: .max))
        #expect(objective.isMet(ttft: .second, tpot: nil, e2e: 0))
        #expect(!objective.isMet(ttft: .second + 1, tpot: nil, e2e: 0))
        #expect(!objective.isMet(ttft: 0, tpot: 51 * .millisecond, e2e: 0))
    }

    @Test(
        "what cannot be read is explained",
        arguments: [
            ("", ServiceLevelError.empty, "No latency target was given. Write for example ttft:p99<1s,tpot:p95<50ms."),
            (
                "ttft", ServiceLevelError.malformed("ttft"),
                "\"ttft\" is no latency target. Write METRIC:STATISTIC<LIMIT, for example ttft:p99<1s."
            ),
            (
                "speed:p99<1s", ServiceLevelError.unknownMetric("speed"),
                "\"speed\" is no latency. Choose one of ttft, tpot, itl, e2e."
            ),
            (
                "ttft:p42<1s", ServiceLevelError.unknownStatistic("p42"),
                "\"p42\" is no statistic. Choose one of mean, p50, p90, p95, p99, max."
            ),
            (
                "ttft<-1s", ServiceLevelError.badLimit("ttft<-1s"),
                "\"ttft<-1s\" has no limit above zero. Write a span with its unit: 50ms, 1s, 1.5s."
            ),
        ])
    func errors(text: String, error: ServiceLevelError, message: String) {
        #expect(throws: error) { try ServiceLevelObjective(parsing: text) }
        #expect(error.description == message)
    }

    @Test(
        "spans are read with their unit",
        arguments: [("50ms", 50_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000), ("7us", 7000)])
    func spans(text: String, span: Nanoseconds) {
        #expect(SpanText.nanoseconds(text) == span)
    }

    @Test("what is no span is none", arguments: ["", "5", "ms", "-1s", "1 fortnight", "nans", "1e30s"])
    func noSpans(text: String) {
        #expect(SpanText.nanoseconds(text) == nil)
    }
}
