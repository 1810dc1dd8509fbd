// `cserve bench` against a running server: the same requests as in a simulation, sent when they are due.

import ArgumentParser
import CServeBench
import CServeCore
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
                  cserve bench --trace azure.csv --speedup 2 --out run.json --html run.html
                  cserve bench --prompts questions.jsonl --rate 2 --endpoint chat --format vllm --json
                """)

        @OptionGroup(title: "Server") var server: BenchServerOptions
        @OptionGroup(title: "Workload") var workload: WorkloadOptions
        @OptionGroup(title: "Run") var load: BenchLoadOptions
        @OptionGroup(title: "Result") var output: BenchOutputOptions
        @OptionGroup(title: "Records") var recording: RecordingOptions

        func run() async throws {
            try await Failure.explained {
                try output.check()
                let measured: MeasuredBench = try await Recording.of(.bench, recording) { try await measured($0) }
                try output.write(measured)
                guard measured.wasAnswered else { throw ExitCode.failure }
            }
        }

        /// Measures, and prints nothing but progress and notes.
        private func measured(_ record: Recording) async throws -> MeasuredBench {
            let given: Workload? = try load.workload(workload)
            let target: BenchTarget = try await BenchTarget.open(server)
            do {
                let measured: MeasuredBench = try await measure(given, on: target, record)
                await target.client.shutDown()
                return measured
            } catch {
                await target.client.shutDown()
                throw error
            }
        }

        private func measure(
            _ given: Workload?, on target: BenchTarget, _ record: Recording
        ) async throws -> MeasuredBench {
            let work: BenchWork = try await load.work(given, workload, target)
            for note in target.description.notes { Console.complain("Note: \(note)") }
            let session = BenchSession(target: target, settings: try load.settings())
            record.begin(
                title: "\(work.workload.name) against \(target.client.server)", model: target.description.model,
                seed: work.workload.seed)
            try await session.warmUp(work, requests: load.numWarmups)
            let run: BenchRun = await session.measure(work)
            let setting = BenchSetting(
                work.workload, endpoint: target.endpoint, maxConcurrency: load.maxConcurrency)
            let measured = MeasuredBench(
                run: run, result: try output.result(run, windows: try load.window()), setting: setting)
            record.finish(try measured.outcome)
            return measured
        }
    }
}

extension Bench.Serve: RepeatableCommand {
    func repeated(_ recording: Recording) async throws -> RunOutcome { try await measured(recording).outcome }
}

/// A measured run with its figures.
struct MeasuredBench {
    var run: BenchRun
    var result: BenchResult
    var setting: BenchSetting

    /// Whether any request was answered.
    var wasAnswered: Bool { run.requests.contains { $0.failure == nil } }

    /// What the record book keeps: the figures, and the whole with every request as a document.
    var outcome: RunOutcome {
        get throws {
            var whole: [UInt8] = []
            try result.write { whole += $0 }
            var figures: BenchResult = result
            figures.requests = nil
            let failed: Int = run.requests.count { $0.failure != nil }
            let summary: String =
                "\(run.requests.count - failed) of \(run.requests.count) answered, ttft p99 "
                + BenchText.time(result.report.ttft.p99 / 1e3)
            return RunOutcome(
                summary: summary, results: try JSONValue(encoding: figures), outputs: [("bench.json", whole)])
        }
    }
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
            let description: ServerDescription = try await ServerProbe(client, endpoint: endpoint)
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
