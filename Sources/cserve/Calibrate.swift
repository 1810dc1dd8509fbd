// `cserve calibrate`: fits curves to measured kernels, takes a model's profile, or fits a few scalars to a running server.

import ArgumentParser
import CServeCore
import CServeCost
import Foundation

/// Fits what the planner ships or carries.
struct Calibrate: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Fit the planner's curves to measurements.",
        discussion: """
            With --from, tables of measured kernels become utilisation curves; with --profile, a per-operator profile of one
            model on one accelerator becomes its calibration. With --url, a running server is probed: its step log where it keeps
            one (cserve serve --step-log 4096), else prompts alone and decodes together, timed from outside.

            EXAMPLES
              cserve calibrate --from ./measurements --source "who measured" -o curves.json
              cserve calibrate --profile ./profiles/RTX4090/meta-llama/Llama-3.1-8B/bf16 -o rtx4090-llama-8b.json
              cserve calibrate --url http://127.0.0.1:8000/v1 --model llama-3-8b --on l4 --engine vllm -o l4.json
            """)

    @Option(help: "A folder with hardware/gpus.csv and kernels/*.csv.", completion: .directory)
    var from: String?

    @Option(help: "A profile's folder, with tp1, tp2, ... in it.", completion: .directory)
    var profile: String?

    @Option(help: "A running server, such as http://127.0.0.1:8000/v1.")
    var url: String?

    @Option(name: .customLong("on"), help: "The hardware that the server runs on: l4, 4xl4, this-machine.")
    var hardwareName: String?

    @Option(help: "A key of the server (with --url).")
    var apiKey: String?

    @OptionGroup(title: "The server's model and settings (with --url)") var settings: EngineOptions
    @OptionGroup(title: "Hardware") var hardware: CatalogOptions

    @Option(help: "The server's engine: cserve, vllm, trtllm, or a profile's file.")
    var engine: String = "cserve"

    @Option(name: [.customShort("o"), .long], help: "Where the JSON goes (with --url it may be left out).")
    var out: String?

    @Option(help: "Who measured, for the file.")
    var source: String = "measured"

    @Option(help: "When the measurements were read: YYYY-MM-DD (default: today).")
    var date: String?

    @Option(help: "Points that a curve keeps at most.")
    var points: Int = 2400

    func validate() throws {
        let given: Int = [from, profile, url].count { $0 != nil }
        guard given == 1 else { throw ValidationError("Give one of --from, --profile and --url.") }
        guard url != nil || out != nil else { throw ValidationError("Say where the JSON goes with -o.") }
        if url != nil, settings.model == nil || hardwareName == nil {
            throw ValidationError("--url needs the served model and its hardware: --model llama-3-8b --on l4.")
        }
        guard points >= 50 else { throw ValidationError("--points must be at least 50.") }
    }

    @OptionGroup(title: "Records") var recording: RecordingOptions

    func run() async throws {
        try await Failure.explained { try await Recording.of(.profile, recording) { try await calibrate($0) } }
    }

    private func calibrate(_ record: Recording) async throws {
        let basis: String = url ?? profile ?? from ?? ""
        record.begin(title: "calibrate by \(basis)", model: settings.model)
        if let profile { try write(profile: profile) }
        if let from { try write(curves: from) }
        if let url { try await probe(url) }
        let made: [UInt8]? = out.flatMap { FileManager.default.contents(atPath: $0) }.map { [UInt8]($0) }
        record.finish(
            RunOutcome(summary: basis, results: .null, outputs: made.map { [("calibration.json", $0)] } ?? []))
    }

    private func probe(_ url: String) async throws {
        let recipe: Recipe = try settings.resolved()
        let calibration: ServerCalibration = ServerCalibration(
            url: url, key: apiKey, model: try ModelChoice.find(recipe.model),
            hardware: try hardware.catalog().choose(hardwareName ?? ""), engine: try EngineProfiles.profile(engine),
            recipe: recipe)
        try await calibration.run(to: out)
    }

    private func write(profile folder: String) throws {
        let calibration: Calibration = try DataFolder.profile(folder)
        let encoder: JSONEncoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try write([UInt8](try encoder.encode(calibration)))
        Console.say("\(calibration.title): \(calibration.profiles.count) numbers of ranks -> \(out ?? "")")
    }

    private func write(curves folder: String) throws {
        let progress: FidelityProgress = FidelityProgress(total: 40)
        let kernels: LibraryBuilder = try DataFolder(folder).kernels(most: points, progress: progress.step)
        guard !kernels.machines.isEmpty else {
            throw CalibrationError.noTables(
                folder: folder, expected: "kernels/*.csv with GEMM, attention or all-reduce")
        }
        for table in kernels.unplaced {
            Console.complain("\(table.file): no data sheet in hardware/gpus.csv; passed over.")
        }
        let today: String = String(Date().ISO8601Format().prefix(10))
        let built = kernels.build(source: source, date: date ?? today, progress: progress.step)
        progress.finish()
        try write(built.file.json.serialized())
        for cost in built.thinning {
            let errors: String =
                cost.errors.count == 0
                ? "nothing left out"
                : "left out: median \(Markdown.percent(cost.errors.median)), P90 \(Markdown.percent(cost.errors.p90))"
            Console.say("\(cost.curve): \(cost.kept) of \(cost.measured) points kept; \(errors)")
        }
    }

    private func write(_ bytes: [UInt8]) throws {
        guard let out else { return }
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: out))
        } catch {
            throw DataFolderError.unwritable(out, reason: error.localizedDescription)
        }
    }
}
