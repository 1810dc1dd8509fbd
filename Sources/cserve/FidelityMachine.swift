// `cserve fidelity machine`: serves workloads on this machine, predicts the same, and writes how far apart they are.

import ArgumentParser
import CServeCore
import CServeEngine
import CServeServer
import Foundation

extension Fidelity {
    /// Compares on this machine.
    struct Machine: AsyncParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            commandName: "machine",
            abstract: "Serve workloads on this machine and compare with what the simulator predicts.",
            discussion: """
                EXAMPLES
                  cserve fidelity machine --workload chat,rag
                  cserve fidelity machine --model ./Llama-3.2-1B --quantization int8 --workload my.json --rounds 7
                  cserve fidelity machine --results cells.json -o docs/results/predicted-measured.md --only-page

                The page goes to -o FILE, else to standard output. Profile passes and live runs take turns; medians are
                compared. Run it while nothing else computes.
                """)

        @OptionGroup(title: "Model and engine") var engine: EngineOptions

        @Option(help: "Presets, shared-prefix, fixed lengths or workload files, with commas.")
        var workload: String = "chat,rag,batch,shared-prefix"

        @Option(help: "Loads as shares of what the machine carries, with commas.")
        var loads: String = "0.1,0.4,0.6,0.8,1.2"

        @Option(help: "Live repeats of every load.")
        var rounds: Int = 5

        @Option(help: "Seconds that a live run takes about.")
        var seconds: Double = 6

        @Option(help: "A JSON file that keeps the cells of several calls.", completion: .file())
        var results: String?

        /// Takes `-o` wherever it stands.
        @ParentCommand var page: Fidelity

        @Flag(help: "Measure nothing: write the page from --results.")
        var onlyPage: Bool = false

        func validate() throws {
            guard rounds >= 1 else { throw ValidationError("--rounds is \(rounds). Use 1 or more.") }
            guard seconds > 0 else { throw ValidationError("--seconds is \(seconds). Use more than 0.") }
            guard !onlyPage || results != nil else { throw ValidationError("--only-page needs --results.") }
            guard shares.allSatisfy({ $0 > 0 && $0 < 10 }), !shares.isEmpty else {
                throw ValidationError("--loads is \"\(loads)\". Use shares such as 0.1,0.8,1.2.")
            }
        }

        private var shares: [Double] { loads.split(separator: ",").map { Double($0) ?? -1 } }

        func run() async throws {
            try await Failure.explained {
                var cells: [FidelityCell] = try kept()
                if !onlyPage {
                    try await measure { fresh in
                        cells = cells.filter { old in !fresh.contains { $0.key == old.key } } + fresh
                        guard let results else { return }
                        try PlanInputs.write(try JSONValue(encoding: cells).serialized(.pretty), to: results)
                    }
                }
                let page: String = MachineFidelityPage(cells: cells).text
                guard let file: String = self.page.out else { return Console.say(page) }
                try PlanInputs.write(Array(page.utf8), to: file)
            }
        }

        private func kept() throws -> [FidelityCell] {
            guard let results, FileManager.default.fileExists(atPath: results) else { return [] }
            return try JSONValue(parsing: try PlanInputs.read(results)).decoded(file: results)
        }

        private func measure(_ afterRound: ([FidelityCell]) throws -> Void) async throws {
            var recipe: Recipe = try engine.resolved()
            try ModelLoader.checkFolder(recipe.model)
            try recipe.checkRunnable()
            try ProfileError.check(recipe, name: "fidelity", file: results ?? page.out ?? "page.md")
            if engine.maxNumSeqs == nil { recipe.maxNumSeqs = min(32, recipe.maxNumSeqs) }
            let checkpoint: Checkpoint = try ModelLoader.checkpoint(recipe.model)
            let shape: ModelShape = try checkpoint.shape()
            recipe.maxModelLen = recipe.maxModelLen ?? min(2048, shape.lengthLimit(asked: nil))
            let meter: ProgressMeter = ProgressMeter(quiet: false)
            let probe: ModelProbe = try ModelProbe(
                checkpoint: checkpoint, recipe: recipe, availableBytes: MachineMemory.available(),
                progress: { meter.show($0.bytes, of: $0.totalBytes) })
            let backend: CPUBackend = try CPUBackend(threads: recipe.threads)
            let machine = MachineFacts.fingerprint(
                threads: backend.threads, instructionSet: backend.instructionSet.rawValue,
                generator: "cserve \(ServerVersion.number)")
            var plan: FidelityPlan = FidelityPlan(workloads: workload.split(separator: ",").map(String.init))
            (plan.shares, plan.rounds, plan.seconds) = (shares, rounds, seconds)
            let fidelity: MachineFidelity = MachineFidelity(
                try MachineMeasurer(probe, recipe: recipe, isQuick: shape.parameterCount > 500_000_000),
                machine: machine, plan: plan)
            let progress: FidelityProgress = FidelityProgress(total: 2 + plan.workloads.count * shares.count * rounds)
            defer { progress.finish() }
            try await fidelity.run(progress.step, afterRound: afterRound)
        }
    }
}
