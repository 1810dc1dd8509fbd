// `cserve bench offline`: prefill and decode of a model through the engine's own step, as llama-bench reports them.

import ArgumentParser
import CServeCore
import CServeEngine
import Foundation

extension Bench {
    /// Prefill and decode without HTTP.
    struct Offline: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Measure prefill and decode of a model without HTTP.",
            discussion: """
                One step of the engine is timed from the scheduler to the requests' events: schedule, inputs, forward pass,
                greedy sampling, events. Not included: loading, tokenizing, text, HTTP.

                pp512        tokens per second of one prompt of 512 random tokens, up to its first sampled token
                tg128 b32    tokens per second of 32 requests that decode together, over 128 steps (@ d256: behind prompts
                             of 256 tokens)
                of peak      pp: share of the machine's arithmetic; tg: share of its read bandwidth that reading the weights takes;
                             both peaks are measured beside every repeat
                overhead     share of the time outside the forward pass
                """)

        @OptionGroup(title: "Model and engine") var engine: EngineOptions

        @Option(name: [.customShort("p"), .long], help: "Prompt lengths to compute, with commas; 0 for none.")
        var promptTokens: NumberList = NumberList([512])

        @Option(name: [.customShort("n"), .long], help: "Decode steps to time; 0 for none.")
        var outputTokens: Int = 128

        @Option(name: [.customShort("b"), .long], help: "Requests that decode together, with commas.")
        var batch: NumberList = NumberList([1, 4, 8, 32])

        @Option(name: [.customShort("d"), .long], help: "Prompt tokens behind which the decode is timed, with commas.")
        var depth: NumberList = NumberList([1])

        @Option(name: [.customShort("r"), .long], help: "Repeats of every test, after one that warms up.")
        var repeats: Int = 5

        @Flag(help: "Print one JSON object.")
        var json: Bool = false

        func validate() throws {
            guard repeats >= 1 else { throw ValidationError("--repeats is \(repeats). Use 1 or more.") }
            guard outputTokens >= 0 else {
                throw ValidationError("--output-tokens is \(outputTokens). Use 0 (no decode) or more.")
            }
            guard batch.values.allSatisfy({ $0 >= 1 }) else {
                throw ValidationError("--batch takes numbers from 1 on.")
            }
        }

        @OptionGroup(title: "Records") var recording: RecordingOptions

        func run() throws {
            try Failure.explained(asJSON: json) { try Recording.of(.bench, recording) { try measure($0) } }
        }

        private func measure(_ record: Recording) throws {
            let session: OfflineSession = try OfflineSession(try recipe(), quiet: json)
            let tests: [OfflineTest] = tests
            for test in tests { try session.check(test) }
            record.begin(title: "bench offline", model: engine.model ?? Recipe.builtInModel)
            if !json { Console.say(session.headline + "\n\n" + OfflineSession.head) }
            var results: [OfflineResult] = []
            for (index, test) in tests.enumerated() {
                session.progress("\(index + 1)/\(tests.count) \(test.name)")
                results.append(session.measure(test, repeats: repeats))
                session.progress("")
                if !json { Console.say(session.line(results[index])) }
            }
            let report: JSONValue = session.json(results)
            record.finish(RunOutcome(summary: "\(tests.count) tests", results: report))
            Console.say(json ? report.text(.pretty) : "\n" + session.peaks)
        }

        private var tests: [OfflineTest] {
            let prompts: [OfflineTest] = promptTokens.values.filter { $0 > 0 }.map { .prefill(tokens: $0) }
            guard outputTokens > 0 else { return prompts }
            return prompts
                + depth.values.flatMap { depth in
                    batch.values.map { .decode(batch: $0, depth: max(1, depth), steps: outputTokens) }
                }
        }

        /// The flags' recipe, with room for the largest batch and no more.
        private func recipe() throws -> Recipe {
            var recipe: Recipe = try engine.resolved()
            if engine.maxNumSeqs == nil { recipe.maxNumSeqs = batch.values.max() ?? 1 }
            recipe.maxNumBatchedTokens = max(recipe.maxNumBatchedTokens, recipe.maxNumSeqs)
            try ModelLoader(recipe: recipe, text: try TextOptions.parse([]), servedNames: []).check()
            return recipe
        }
    }
}
