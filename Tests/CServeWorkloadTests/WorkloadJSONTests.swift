import CServeCore
import CServeWorkload
import Foundation
import Testing

@Suite("Workloads as JSON")
struct WorkloadJSONTests {
    private var samples: [Workload] {
        let pair: [LengthPair] = [LengthPair(prompt: 3, output: 4)]
        let range = LengthRange(min: 2, max: 90)
        let lengths: [RequestLengths] = [
            .fixed(prompt: 5, output: 6), .pairs(pair),
            .separate(
                prompt: .lognormal(median: 20.5, sigma: 0.5, within: range), output: .uniform(1, 8), correlation: 0.25),
            .independent(
                prompt: .normal(mean: 5, standardDeviation: 2, within: LengthRange()),
                output: .quantiles([LengthQuantile(share: 0, tokens: 1), LengthQuantile(share: 1, tokens: 9)])),
            .independent(prompt: .histogram([LengthBin(from: 1, to: 2, weight: 3)]), output: .fixed(1)),
        ]
        let arrivals: [ArrivalProcess] = [
            .poisson(rate: 2), .gamma(rate: 2, burstiness: 0.5), .constant(rate: 3), .allAtOnce,
            .ramp(from: 1, to: 2, over: 3 * .second / 2, growth: .exponential),
            .closedLoop(ClosedLoop(clients: 4, thinkTime: .fixed(.second / 4))),
            .closedLoop(ClosedLoop(clients: 9, wave: ConcurrencyWave(min: 1, max: 9, sustain: 5))),
        ]
        return arrivals.enumerated().map { place, process in
            let drawn = SyntheticRequests(
                lengths: lengths[place % lengths.count],
                prefixes: place % 2 == 0 ? SharedPrefixes(groups: 3, tokens: .fixed(9), zipfExponent: 1) : nil,
                conversations: place % 3 == 0
                    ? Conversations(turns: .uniform(1, 3), thinkTime: .exponential(mean: .second), maxTokens: 500) : nil
            )
            return Workload(
                name: "w\(place)", seed: UInt64.max - UInt64(place), drawing: drawn, arrivals: process, requests: 10,
                duration: place == 1 ? 5 * .second : nil)
        }
    }

    @Test("every kind of field comes back as it was written, by hand and through Codable")
    func roundTrip() throws {
        for workload in samples {
            #expect(try Workload(parsing: workload.json.serialized(.pretty)) == workload)
            let encoded: Data = try JSONEncoder().encode(workload)
            #expect(try JSONDecoder().decode(Workload.self, from: encoded) == workload)
            #expect(try Workload(json: workload.json).digest == workload.digest)
        }
        #expect(Set(samples.map(\.digest)).count == samples.count)
    }

    @Test("the digest is that of the canonical JSON and stays what it was")
    func digest() {
        let workload = Workload(
            name: "d", seed: 1, drawing: SyntheticRequests(lengths: .fixed(prompt: 5, output: 6)),
            arrivals: .poisson(rate: 2), requests: 10)
        // Origin: Python's hashlib.sha256 of this text.
        let canonical: String =
            "{\"arrivals\":{\"kind\":\"poisson\",\"rate_per_s\":2.0},\"lengths\":{\"output\":6,\"prompt\":5},"
            + "\"name\":\"d\",\"requests\":10,\"seed\":1}"
        #expect(workload.json.text(.init(sortKeys: true)) == canonical)
        #expect(workload.digest == "e1442b58fcbec2138519082fd43f39eb8b6c0f3925a9ea52a5a7b0faf786bc8b")
    }

    @Test("presets are found by every name, and lengths by their shape")
    func catalog() throws {
        let file: String = """
            {"name": "chat", "aliases": ["talk"], "summary": "s", "source": "t", "objective": "ttft:p99<1s",
             "workload": {"lengths": {"prompt": 5, "output": 6}, "arrivals": {"kind": "poisson", "rate_per_s": 1},
                          "requests": 3}}
            """
        let catalog = WorkloadCatalog([try WorkloadPreset(parsing: Array(file.utf8))])
        #expect(try catalog.workload(named: "Talk").name == "chat")
        #expect(catalog.preset(named: "chat")?.objective?.targets.count == 1)
        for text in ["1024/128", "1024x128", "1024,128"] {
            let request = try #require(try catalog.workload(named: text).stream().first { _ in true })
            #expect(request.promptLength == 1024 && request.outputLength == 128)
        }
        for text in ["1024/0", "1024/", "a/b", "-1/5", "chta"] {
            #expect(throws: WorkloadError.unknownName(text, presets: ["chat"])) { try catalog.workload(named: text) }
        }
    }
}
