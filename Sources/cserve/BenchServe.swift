// `cserve bench` against a running server: the same requests as in a simulation, sent when they are due.

import ArgumentParser
import CServeBench
import CServeCore
import CServeRecords
import CServeWorkload
import Foundation

extension Bench {
    /// Measures a server.
    struct Serve: AsyncParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Send a workload to a server and measure its answers (what cserve bench does by itself).",
            discussion: """
                Any server with OpenAI's API will do: cserve, vLLM, llama-server. Requests leave when they are due, whatever
                the server does; how late they left is part of the report. Prompts are token ids where the server takes them,
                else words that are one token each, so that lengths are exact.

                EXAMPLES
                  cserve bench --url http://127.0.0.1:8000 --workload chat --rate 4 --duration 60s
                  cserve bench --workload 1024/128 --concurrency 16 --requests 200 --slo ttft:p99<1s,tpot:p95<50ms
                  cserve bench --workload rag --sweep --slo ttft:p99<2s --html sweep.html
                  cserve bench --simulate 4xl4,pp=4 --model llama-3-8b --workload chat --rate 8
                  cserve bench --trace azure.csv --speedup 2 --out run.json --html run.html
                  cserve bench --prompts questions.jsonl --rate 2 --endpoint chat --format vllm --json
                """)

        @OptionGroup(title: "Server") var server: BenchServerOptions
        @OptionGroup(title: "Workload") var workload: WorkloadOptions
        @OptionGroup(title: "Run") var load: BenchLoadOptions
        @OptionGroup(title: "Sweep") var sweep: BenchSweepOptions
        @OptionGroup(title: "Simulation") var simulation: BenchSimulationOptions
        @OptionGroup(title: "Result") var output: BenchOutputOptions
        @OptionGroup(title: "Records") var recording: RecordingOptions

        func run() async throws {
            try await Failure.explained {
                try output.check(isSweep: sweep.sweep)
                try sweep.check()
                _ = try (load.settings(), load.window())
                let kind: RecordKind = simulation.simulate == nil ? .bench : .simulation
                switch try await Recording.of(kind, recording, { try await measured($0) }) {
                case .curve(let curve): try output.write(curve)
                case .run(let run):
                    try output.write(run)
                    guard run.wasAnswered else { throw ExitCode.failure }
                }
            }
        }

        /// Measures, and prints nothing but progress and notes.
        private func measured(_ record: Recording) async throws -> MeasuredLoad {
            let given: Workload? = try load.workload(workload)
            if let deployment = simulation.simulate {
                guard let given else { throw WorkloadOptionError.conflict("--simulate", "--prompts") }
                return try simulate(deployment, given, record)
            }
            let target: BenchTarget = try await BenchTarget.open(server)
            do {
                let measured: MeasuredLoad = try await measure(given, on: target, record)
                await target.client.shutDown()
                return measured
            } catch {
                await target.client.shutDown()
                throw error
            }
        }

        private func measure(
            _ given: Workload?, on target: BenchTarget, _ record: Recording
        ) async throws -> MeasuredLoad {
            let work: BenchWork = try await load.work(given, workload, target)
            for note in target.description.notes { Console.complain("Note: \(note)") }
            let session = BenchSession(target, settings: try load.settings())
            record.begin(
                title: "\(work.workload.name) against \(target.client.server)", model: target.description.model,
                seed: work.workload.seed)
            await session.warmUp(work, requests: load.numWarmups)
            let measured: MeasuredLoad =
                sweep.sweep
                ? .curve(try await curve(work, session, target)) : .run(try await single(work, session, target))
            record.finish(try measured.outcome)
            return measured
        }

        private func single(
            _ work: BenchWork, _ session: BenchSession, _ target: BenchTarget
        ) async throws -> MeasuredBench {
            let run: BenchRun = await session.measure(work)
            let setting = BenchSetting(
                work.workload, endpoint: target.endpoint, maxConcurrency: load.maxConcurrency)
            return MeasuredBench(run: run, result: try output.result(run, windows: try load.window()), setting: setting)
        }

        private func curve(
            _ work: BenchWork, _ session: BenchSession, _ target: BenchTarget
        ) async throws -> LoadCurve {
            var work: BenchWork = work
            if workload.duration == nil { work.workload.duration = nil }
            if workload.requests == nil { work.workload.requests = nil }
            let sweeper = BenchSweep(
                session: session, work: work, settings: try load.settings(), windows: try load.window(),
                objective: try output.objective())
            let search = LoadSearch(
                start: workload.rate, tolerance: sweep.sweepTolerance, mostRuns: sweep.sweepRuns)
            return try await sweeper.curve(
                search, target: "\(target.client.server)", model: target.description.model)
        }
    }
}

extension Bench.Serve: RepeatableCommand {
    func repeated(_ recording: Recording) async throws -> RunOutcome { try await measured(recording).outcome }
}

/// A server that has been asked about itself.
struct BenchTarget: Sendable {
    let client: StreamingClient
    let endpoint: BenchEndpoint
    let options: BenchServerOptions
    let extra: JSONObject
    var description: ServerDescription

    /// Connects and asks.
    static func open(_ options: BenchServerOptions) async throws -> BenchTarget {
        let endpoint: BenchEndpoint = try options.api()
        let extra: JSONObject = try options.extra()
        let client = StreamingClient(try ServerAddress(parsing: options.url), headers: try options.headers())
        do {
            let description: ServerDescription = try await CServeBench.ServerProbe(client, endpoint: endpoint)
                .describe(model: options.model, form: options.promptForm, vocabularySize: options.vocabSize)
            return BenchTarget(
                client: client, endpoint: endpoint, options: options, extra: extra, description: description)
        } catch {
            await client.shutDown()
            throw error
        }
    }

    /// What writes a workload's requests.
    func writer(_ work: BenchWork) -> RequestWriter {
        var isTokens: Bool = false
        if case .tokens = work.source { isTokens = true }
        return RequestWriter(
            endpoint: endpoint, model: description.model, source: work.source, seed: work.workload.seed,
            ignoresEOS: options.ignoreEos, wantsTokens: isTokens && work.workload.hasTurns, extra: extra)
    }
}

/// What is sent.
struct BenchWork: Sendable {
    var workload: Workload
    var source: PromptSource
}

extension Workload {
    /// Whether requests may continue answers.
    var hasTurns: Bool {
        switch content {
        case .synthetic(let drawn): drawn.conversations != nil
        case .trace(let replay): (0..<replay.trace.count).contains { replay.trace.request($0).after != nil }
        }
    }
}
