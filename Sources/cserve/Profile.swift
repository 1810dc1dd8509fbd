// `cserve profile`: measures this machine with a model and writes what planning takes for hardware.

import ArgumentParser
import CServeCore
import CServeCost
import CServeEngine
import CServePlanner
import CServeServer
import Foundation

/// Profiles this machine.
struct Profile: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Measure this machine with a model, for cserve plan and cserve simulate.",
        discussion: """
            EXAMPLES
              cserve profile --model ./Llama-3.2-1B-Instruct -o here.json
              cserve simulate --model ./Llama-3.2-1B-Instruct --hardware here.json --on this-machine -w chat --rate 2
              cserve plan --model ./Llama-3.2-1B-Instruct --hardware here.json --gpus this-machine -w chat --rate 1
              cserve profile --quick

            Measured are read bandwidth and arithmetic peaks, every operator of the model by shape as it runs in a forward
            pass, sampling, and what the engine adds to a step. Passes that take no part tell the error. Planning another
            model, or other types, borrows the machine's rates and says so; several files may be given with --hardware.
            Run it while nothing else computes.
            """)

    @OptionGroup(title: "Model and engine") var engine: EngineOptions

    @Option(help: "What the machine is called in --on and --gpus.")
    var name: String = "this-machine"

    @Option(
        name: [.customShort("o"), .long], help: "Where the profile goes (default: NAME.json).", completion: .file())
    var output: String?

    @Flag(help: "Fewer shapes and rounds: some seconds, and larger errors.")
    var quick: Bool = false

    @Flag(help: "Print the profile as JSON.")
    var json: Bool = false

    @OptionGroup(title: "Records") var recording: RecordingOptions

    func run() async throws {
        do {
            try await Recording.of(.profile, recording) { try await measure($0) }
        } catch {
            try Failure.explained(asJSON: json) { throw error }
        }
    }

    private func measure(_ record: Recording) async throws {
        let recipe: Recipe = try engine.resolved()
        try ModelLoader.checkFolder(recipe.model)
        try recipe.checkRunnable()
        let file: String = output ?? "\(name).json"
        try ProfileError.check(recipe, name: name, file: file)
        record.begin(title: name, model: recipe.model)
        let began: Date = Date()
        let bar: ProgressBar = ProgressBar()
        let loading: ProgressMeter = ProgressMeter(quiet: false)
        let profiler: MachineProfiler = try MachineProfiler(recipe, name: name, isQuick: quick) {
            loading.show($0.bytes, of: $0.totalBytes)
        }
        let machine: MachineFile = try await profiler.run { phase, done, total in
            bar.show(PlanProgress(phase: phase, done: done, total: total))
        }
        bar.clear()
        let bytes: [UInt8] = try machine.json().serialized(.pretty)
        let title: String = machine.accelerator.title
        record.finish(RunOutcome(summary: title, results: .null, outputs: [("profile.json", bytes)]))
        try PlanInputs.write(bytes, to: file)
        guard !json else { return Console.say(try machine.json().text(.pretty)) }
        let seconds: Double = Date().timeIntervalSince(began)
        Console.say(ProfileText(machine: machine, peaks: profiler.measuredPeaks, seconds: seconds, file: file).text)
    }
}

extension MachineProfiler {
    static var version: String { ServerVersion.number }
}

/// Why a machine cannot be profiled.
enum ProfileError: Error, Hashable, CustomStringConvertible {
    case notOnCPU(device: String)
    case badName(String)
    case nameTaken(String)
    case unwritable(file: String)

    var description: String {
        switch self {
        case .notOnCPU(let device): "--device \(device) is not what a profile measures. Use cpu, or leave it out."
        case .badName(let name):
            "--name \"\(name)\" cannot name hardware. Use lower-case letters, digits and dashes, a letter first."
        case .nameTaken(let name):
            "--name \(name) is in the catalogue already, and would be mixed with it. Choose another name."
        case .unwritable(let file):
            "\(file) cannot be written. Name a file in a folder that is there and yours with -o."
        }
    }

    /// Refuses what would fail after the measurement.
    static func check(_ recipe: Recipe, name: String, file: String) throws {
        guard ["auto", "cpu"].contains(recipe.device) else { throw Self.notOnCPU(device: recipe.device) }
        guard name.wholeMatch(of: /[a-z][a-z0-9-]*/) != nil else { throw Self.badName(name) }
        let catalog: HardwareCatalog = try Catalogs.hardware()
        guard catalog.accelerator(named: name) == nil, catalog.node(named: name) == nil else {
            throw Self.nameTaken(name)
        }
        let folder: String = URL(filePath: file).deletingLastPathComponent().path
        let manager: FileManager = FileManager.default
        var isFolder: ObjCBool = false
        let isThere: Bool = manager.fileExists(atPath: file, isDirectory: &isFolder)
        let isFree: Bool = isThere ? !isFolder.boolValue && manager.isWritableFile(atPath: file) : true
        guard isFree, isThere || manager.isWritableFile(atPath: folder) else { throw Self.unwritable(file: file) }
    }
}

/// A profile as a terminal shows it.
struct ProfileText {
    let machine: MachineFile
    let peaks: [(peak: Peak, samples: Samples)]
    let seconds: Double
    let file: String

    var text: String {
        guard let one = machine.calibrations.first else { return "Nothing was measured." }
        var table: TextTable = TextTable(["peak", "median", "from", "to"], right: [1, 2, 3])
        for (peak, samples) in peaks {
            table.add([
                peak.rawValue, BenchText.rate(samples.median, peak), BenchText.figure(samples.least / 1e9),
                BenchText.figure(samples.greatest / 1e9),
            ])
        }
        let scalars: Calibration.Scalars = one.calibration.scalars
        return [
            "\(machine.accelerator.title), \(one.machine.instructionSet)",
            "\(one.model.name): weights \(one.model.weights), KV cache \(one.model.cache)", table.text,
            "Engine: \(BenchText.time(scalars.hostStep ?? 0)) a step and "
                + "\(BenchText.time(scalars.hostRequest ?? 0)) a request beside the forward pass",
            "\(one.heldOut.count) passes held out: \(figures(one.heldOut)); as for an unprofiled model, by scalars: "
                + figures(one.heldOutByScalars),
            "Written to \(file) in \(BenchText.figure(seconds)) s. Use it: --hardware \(file) --on \(machine.accelerator.name)",
        ].joined(separator: "\n")
    }

    private func figures(_ errors: ErrorFigures) -> String {
        "median \(Markdown.percent(errors.median)), P90 \(Markdown.percent(errors.p90)), bias "
            + Markdown.percent(errors.bias)
    }
}
