// The search for what a server carries, against queues whose capacity is known.
import CServeCore
import Testing

@testable import CServeBench

@Suite("Searches for the load that a server carries")
struct LoadSearchTests {
    /// Runs a search against a single server with a queue.
    private func search(
        _ search: LoadSearch, capacity: Double, requests: Int = 3000, seed: UInt64 = 5, slo: String? = nil
    ) throws -> LoadCurve {
        var search: LoadSearch = search
        let objective: ServiceLevelObjective? = try slo.map { try ServiceLevelObjective(parsing: $0) }
        while let probe = search.next {
            let run: BenchRun
            switch probe {
            case .clients: run = sequential(capacity: capacity)
            case .rate(let rate):
                run = queueRun(
                    rate: rate, capacity: capacity, requests: requests, seed: seed &+ UInt64(search.points.count))
            }
            search.record(LoadPoint(probe, try BenchReport(run: run, slo: objective)))
            try #require(search.points.count <= 16)
        }
        return LoadCurve(search, target: "queue", model: "m", objective: objective)
    }

    /// One client: each request is sent when the answer before it has come.
    private func sequential(capacity: Double) -> BenchRun {
        let time: Double = 1000 / capacity
        return run((0..<20).map { answered($0, due: Double($0) * time, ttft: time / 2, gaps: [time / 2]) })
    }

    @Test("The capacity of a queue is found within the tolerance and what a run tells", arguments: [0.7, 10, 430])
    func capacity(_ capacity: Double) throws {
        let curve: LoadCurve = try search(LoadSearch(), capacity: capacity)
        let low: Double = try #require(curve.saturation.passing)
        let high: Double = try #require(curve.saturation.failing)
        #expect(high / low <= 1.05)
        // A rate is called carried while the wait grows by less than 5% of the time.
        #expect(low > capacity * 0.93 && high < capacity * 1.12, "\(low) to \(high) of \(capacity)")
        #expect(abs(curve.saturationRequestRate / capacity - 1) < 0.1)
        #expect(curve.withinTargets == curve.saturation)
        // For M/M/1 throughput over latency, l (m - l), is largest at half the capacity; doubling may miss it by a half.
        let knee: Double = try #require(curve.knee)
        #expect(knee >= capacity * 0.25 && knee <= capacity)
    }

    @Test("The highest rate that keeps a target is that of queueing theory")
    func target() throws {
        // M/M/1: E2E is exponential with rate capacity - load, so its median is ln 2 / (capacity - load): 138.6 ms at load 5
        // of 10. Here the last token comes with the end of service.
        let curve: LoadCurve = try search(LoadSearch(), capacity: 10, requests: 20_000, slo: "e2e:p50<138.6ms")
        let low: Double = try #require(curve.withinTargets.passing)
        let high: Double = try #require(curve.withinTargets.failing)
        #expect(high / low <= 1.05)
        #expect(low > 4.5 && high < 5.5, "\(low) to \(high)")
        // The sweep went on to saturation all the same.
        let failing: Double = try #require(curve.saturation.failing)
        #expect(failing > 9)
    }

    @Test("A target that no load keeps ends the search below what one client gets")
    func hopeless() throws {
        let curve: LoadCurve = try search(LoadSearch(start: 5), capacity: 10, requests: 300, slo: "ttft:p50<1us")
        #expect(curve.withinTargets.passing == nil && curve.points.count <= 16)
        #expect(curve.findings.last == "Within ttft:p50<1us: at no rate tried, down to 0.0781/s.")
    }

    @Test("Answers under way at a run's end are no overload; a load at twice the capacity is one")
    func longAnswers() throws {
        // 30 requests, one a second, answered in 20 s each: two thirds are still under way when the last is sent.
        let slow = run((0..<30).map { answered($0, due: Double($0) * 1000, ttft: 100, gaps: [19_900]) })
        #expect(LoadPoint(.rate(1), try BenchReport(run: slow)).follows)
        // Each waits half a second longer than the one before it.
        let queued = run((0..<30).map { answered($0, due: Double($0) * 500, ttft: 100 + Double($0) * 500, gaps: [10]) })
        let report = try BenchReport(run: queued)
        #expect(abs(report.waitGrowth - 1) < 0.1)
        #expect(!LoadPoint(.rate(2), report).follows)
    }

    @Test("A start, a ceiling and a number of runs are kept")
    func bounds() throws {
        var some = LoadSearch(start: 2, ceiling: 5)
        #expect(some.next == .rate(2))
        var curve: LoadCurve = try search(some, capacity: 10)
        #expect(curve.points.map(\.probe) == [.rate(2), .rate(4), .rate(5)])
        #expect(curve.saturation.passing == 5 && curve.saturation.failing == nil)
        #expect(curve.findings[0].hasSuffix("answers keep pace up to 5.0/s, the highest rate tried."))
        some = LoadSearch(mostRuns: 3)
        curve = try search(some, capacity: 10)
        #expect(curve.points.count == 3)
    }

    @Test("A server that fails every request ends the search at once")
    func broken() throws {
        var search = LoadSearch()
        var runs: Int = 0
        while let probe = search.next {
            let all = run((0..<20).map { failed($0, due: Double($0), after: 1, .status(500, "")) })
            search.record(LoadPoint(probe, try BenchReport(run: all)))
            runs += 1
        }
        #expect(runs == 1)
        let curve = LoadCurve(search, target: "t", model: "m", objective: nil)
        #expect(curve.knee == nil && curve.text.contains("100% failed"))
    }

    @Test("A curve's table, JSON and page show the loads in order")
    func forms() throws {
        let curve: LoadCurve = try search(
            LoadSearch(mostRuns: 5), capacity: 10, requests: 400, slo: "ttft:p99<300ms")
        let rows: [Substring] = curve.text.split(separator: "\n")
        #expect(rows[0] == "m at queue" && rows[2].contains("1 client") && rows[3].contains("/s"))
        #expect(rows.contains { $0.hasPrefix("Knee: ") } && rows.contains { $0.hasPrefix("Within ttft:p99<300ms: ") })
        let json: JSONValue = curve.json
        #expect(json["points"]?[0]?["probe"] == ["clients": 1])
        #expect(json["schema"] == "cserve-bench-sweep/1" && json["points"]?.arrayValue?.count == 5)
        #expect(try json.decoded(as: LoadCurve.self, file: "sweep.json") == curve)
        #expect(curve.html.contains("<svg") && !curve.html.contains("<script"))
    }
}
