import CServeCore
import CServeWorkload
import Testing

@Suite("Workload streams")
struct StreamTests {
    private func workload(
        _ arrivals: ArrivalProcess, requests: Int? = 2000, duration: Nanoseconds? = nil, seed: UInt64 = 7,
        prefixes: SharedPrefixes? = nil, conversations: Conversations? = nil
    ) -> Workload {
        let lengths = RequestLengths.independent(
            prompt: .lognormal(median: 200, sigma: 0.8, within: LengthRange(min: 4, max: 4000)),
            output: .uniform(10, 90))
        return Workload(
            name: "test", seed: seed,
            drawing: SyntheticRequests(lengths: lengths, prefixes: prefixes, conversations: conversations),
            arrivals: arrivals, requests: requests, duration: duration)
    }

    @Test("the same seed gives the same requests, another seed others")
    func seeds() {
        let one = Array(workload(.poisson(rate: 3)).stream())
        #expect(one == Array(workload(.poisson(rate: 3)).stream()))
        #expect(one != Array(workload(.poisson(rate: 3), seed: 8).stream()))
        #expect(one.map(\.index) == Array(0..<2000))
    }

    @Test("another rate or process moves arrivals and nothing else")
    func rates() {
        let talk = Conversations(turns: .uniform(1, 4), thinkTime: .exponential(mean: 3 * .second))
        let prefix = SharedPrefixes(groups: 9, tokens: .uniform(5, 50), zipfExponent: 1)
        let slow = workload(.poisson(rate: 3), prefixes: prefix, conversations: talk)
        let others: [Workload] = [
            slow.scaled(toRate: 30), workload(.gamma(rate: 5, burstiness: 0.2), prefixes: prefix, conversations: talk),
            workload(.allAtOnce, prefixes: prefix, conversations: talk),
        ]
        let still: (WorkloadRequest) -> WorkloadRequest = { request in
            var copy = request
            copy.arrival = nil
            return copy
        }
        for other in others { #expect(slow.stream().map(still) == other.stream().map(still)) }
        // Ten times the rate: every arrival at a tenth of the time, to the nanosecond of rounding.
        for (one, ten) in zip(slow.stream(), slow.scaled(toRate: 30).stream()) {
            #expect(abs((one.arrival ?? 0) - (ten.arrival ?? 0) * 10) <= 10)
        }
    }

    @Test(
        "arrivals keep the rate and the burstiness that they are given",
        arguments: [
            (ArrivalProcess.poisson(rate: 20), 1.0), (.gamma(rate: 20, burstiness: 0.25), 2.0),
            (.gamma(rate: 20, burstiness: 4), 0.5), (.constant(rate: 20), 0.0),
        ])
    func burstiness(process: ArrivalProcess, variation: Double) {
        // vLLM: burstiness = 1 / CV^2.
        let figures = WorkloadStatistics(of: workload(process, requests: 20_000).stream())
        #expect(abs((figures.rate ?? 0) / 20 - 1) < 0.05)
        #expect(abs((figures.gapVariation ?? 9) - variation) < 0.05 * max(1, variation))
    }

    @Test("ramps reach their rate in the time that they are given", arguments: RampGrowth.allCases)
    func ramps(growth: RampGrowth) {
        let ramp = ArrivalProcess.ramp(from: 1, to: 41, over: 100 * .second, growth: growth)
        let arrivals: [Nanoseconds] = workload(ramp, requests: 6000).stream().compactMap(\.arrival)
        #expect(arrivals == arrivals.sorted())
        let within: (Double, Double) -> Double = { from, to in
            Double(arrivals.count { $0.seconds >= from && $0.seconds < to })
        }
        // The integral of the rate: linear 21 * 100; exponential 40 * 100 / ln 41.
        let whole: Double = growth == .linear ? 2100 : 1077.1
        #expect(abs(within(0, 100) - whole) < 5 * whole.squareRoot())
        let half: Double = growth == .linear ? 550 : 145.6
        #expect(abs(within(0, 50) - half) < 5 * half.squareRoot())
        #expect(abs(within(100, 200) / 100 - 41) < 5 * 0.64)
    }

    @Test("a falling ramp ends at its lower rate")
    func falling() {
        let ramp = ArrivalProcess.ramp(from: 40, to: 10, over: 50 * .second, growth: .linear)
        let arrivals: [Nanoseconds] = workload(ramp, requests: 3000).stream().compactMap(\.arrival)
        #expect(arrivals == arrivals.sorted())
        #expect(abs(Double(arrivals.count { $0 < 50 * .second }) - 1250) < 180)
    }

    @Test("a duration or a number of requests ends the stream, whichever comes first")
    func bounds() {
        #expect(Array(workload(.constant(rate: 10), requests: nil, duration: 5 * .second).stream()).count == 51)
        #expect(Array(workload(.constant(rate: 10), requests: 7, duration: 5 * .second).stream()).count == 7)
        #expect(workload(.allAtOnce, requests: 5).stream().allSatisfy { $0.arrival == 0 })
    }

    @Test("a closed loop has an order of issue but no arrivals")
    func closedLoop() {
        let loop = ClosedLoop(clients: 4, thinkTime: .fixed(2 * .second))
        let requests = Array(workload(.closedLoop(loop), requests: 10).stream())
        #expect(requests.count == 10)
        #expect(requests.allSatisfy { $0.arrival == nil && $0.after == nil && $0.thinkTime == 2 * .second })
    }

    @Test("a wave swings between its extremes and sustains them")
    func wave() {
        let wave = ConcurrencyWave(min: 2, max: 4, sustain: 3)
        let seen: [Int] = (0..<16).map { wave.clients(finished: $0) }
        #expect(seen == [4, 4, 4, 4, 4, 3, 3, 2, 2, 2, 2, 2, 3, 3, 4, 4])
        #expect(ClosedLoop(clients: 9).clients(finished: 100) == 9)
    }

    @Test("turns quote what was said before and wait for the answer")
    func conversations() throws {
        let talk = Conversations(turns: .fixed(3), thinkTime: .fixed(.second))
        let prefix = SharedPrefixes(tokens: .fixed(100))
        let requests = Array(workload(.poisson(rate: 1), requests: 6, prefixes: prefix, conversations: talk).stream())
        #expect(requests.map(\.after) == [nil, 0, 1, nil, 3, 4])
        #expect(requests.map(\.session) == [0, 0, 0, 1, 1, 1])
        #expect(requests.map { $0.arrival == nil } == [false, true, true, false, true, true])
        for (turn, next) in zip(requests, requests.dropFirst()) where next.after != nil {
            let answer = PromptSegment(.answer(turn.index), tokens: turn.outputLength)
            #expect(Array(next.segments.prefix(turn.segments.count + 1)) == turn.segments + [answer])
            #expect(next.thinkTime == .second)
            let before = turn.promptTokens(vocabularySize: 1000, seed: 7)
            #expect(Array(next.promptTokens(vocabularySize: 1000, seed: 7).prefix(before.count)) == before)
        }
        for request in requests { #expect(request.segments.reduce(0) { $0 + $1.tokens } == request.promptLength) }
        #expect(requests[0].segments[0] == requests[3].segments[0])
    }

    @Test("the rate counts every turn, also where conversations are cut")
    func turnsAndRate() {
        let whole = Conversations(turns: .uniform(1, 9))
        let cut = Conversations(turns: .uniform(1, 9), maxTokens: 1200)
        for talk in [whole, cut] {
            let figures = WorkloadStatistics(
                of: workload(.poisson(rate: 20), requests: 30_000, conversations: talk).stream())
            #expect(abs((figures.rate ?? 0) / 20 - 1) < 0.06)
            if talk.maxTokens != nil { #expect(figures.turns < 4.5) }
        }
        let longest: Int? = workload(.allAtOnce, conversations: cut).stream()
            .filter { $0.after != nil }.map { $0.promptLength + $0.outputLength }.max()
        #expect((longest ?? 0) <= 1200)
    }

    @Test("popular prefixes follow Zipf's law, and a share of requests has none")
    func prefixes() {
        let zipf = SharedPrefixes(groups: 4, tokens: .uniform(10, 500), zipfExponent: 1, share: 0.5)
        let requests = Array(workload(.poisson(rate: 1), requests: 20_000, prefixes: zipf).stream())
        let with = requests.filter { !$0.segments.isEmpty }
        #expect(abs(with.count - 10_000) < 360)
        let groups = Dictionary(grouping: with) { $0.segments[0] }.mapValues(\.count)
        // A group keeps its length; weights 1, 1/2, 1/3, 1/4 sum up to 25/12.
        #expect(groups.count == 4)
        let shares: [Double] = groups.values.sorted(by: >).map { Double($0) / Double(with.count) }
        for (share, expected) in zip(shares, [0.48, 0.24, 0.16, 0.12]) { #expect(abs(share - expected) < 0.02) }
    }

    @Test("a million requests need no memory of those before")
    func endless() {
        var stream = workload(.poisson(rate: 1000), requests: nil, duration: 3000 * .second).stream()
        var count: Int = 0
        var last: Nanoseconds = 0
        while let request = stream.next() {
            count += 1
            #expect((request.arrival ?? 0) >= last)
            last = request.arrival ?? 0
            if count == 100_000 { break }
        }
        #expect(count == 100_000)
    }
}
