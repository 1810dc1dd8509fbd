// `cserve calibrate`: fits utilisation curves to measured kernels, or takes a model's profile as its calibration.

import ArgumentParser
import CServeCore
import CServeCost
import Foundation

/// Fits what the planner ships or carries.
struct Calibrate: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Fit the planner's curves to measurements.",
        discussion: """
            With --from, tables of measured kernels become utilisation curves; with --profile, a per-operator profile of one
            model on one accelerator becomes its calibration.

            EXAMPLES
              cserve calibrate --from ./measurements --source "who measured" -o curves.json
              cserve calibrate --profile ./profiles/RTX4090/meta-llama/Llama-3.1-8B/bf16 -o rtx4090-llama-8b.json
            """)

    @Option(help: "A folder with hardware/gpus.csv and kernels/*.csv.", completion: .directory)
    var from: String?

    @Option(help: "A profile's folder, with tp1, tp2, ... in it.", completion: .directory)
    var profile: String?

    @Option(name: [.customShort("o"), .long], help: "Where the JSON goes.")
    var out: String

    @Option(help: "Who measured, for the file.")
    var source: String = "measured"

    @Option(help: "When the measurements were read: YYYY-MM-DD (default: today).")
    var date: String?

    @Option(help: "Points that a curve keeps at most.")
    var points: Int = 2400

    func validate() throws {
        guard (from == nil) != (profile == nil) else { throw ValidationError("Give either --from or --profile.") }
        guard points >= 50 else { throw ValidationError("--points must be at least 50.") }
    }

    func run() throws {
        try Failure.explained {
            if let profile { try write(profile: profile) }
            if let from { try write(curves: from) }
        }
    }

    private func write(profile folder: String) throws {
        let calibration: Calibration = try DataFolder.profile(folder)
        let encoder: JSONEncoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try write([UInt8](try encoder.encode(calibration)))
        Console.say("\(calibration.title): \(calibration.profiles.count) numbers of ranks -> \(out)")
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
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: out))
        } catch {
            throw DataFolderError.unwritable(out, reason: error.localizedDescription)
        }
    }
}
