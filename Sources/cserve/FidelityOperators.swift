// The first proof: operators on rows and accelerators that the curves were not fitted to.

import CServeCost
import Foundation

/// Operators: matrix products, attention, sums across ranks.
enum FidelityOperators: FidelitySection {
    static let name: String = "operators"
    static let title: String = "Operators"

    static func markdown(_ folder: DataFolder, progress: FidelityProgress, note: inout String) throws -> String? {
        let kernels: LibraryBuilder = try folder.kernels(progress: progress.step)
        guard !kernels.machines.isEmpty else {
            note = "kernels/ holds no tables of accelerators that hardware/gpus.csv names"
            return nil
        }
        let proof: OperatorFidelity = OperatorFidelity(kernels.machines, teachers: try folder.profiledKernels())
        let inside: [OperatorFidelity.Line] = proof.insideGrid(progress: progress.step)
        let without: [OperatorFidelity.Line] = proof.withoutAccelerator(progress: progress.step)
        return rows(kernels) + errors("Inside the measured grid", insideText, inside + proof.collectives())
            + errors("Without the accelerator", withoutText, without + proof.collectivesFromLinks())
            + errors("By the constants that ship", shippedText, proof.byShippedConstants())
    }

    private static let insideText: String = """
        15% of the rows (repeated ones merged first, seed 1) are left out; constants and curve are fitted to the others.
        Sums across ranks keep the first and the last message size.
        """
    private static let withoutText: String = """
        The constants of the physical model are fitted anew to the other accelerators, held near those that ship; of the
        accelerator itself only the data sheet is used. Decodes of the per-model profiles (other accelerators) help to fit.
        Products of 8 bits take the constants of the others' 16-bit products,
        so that none of their own rows was seen, beside what quantising costs by counting kernels and bytes (the 30 bytes a number
        of version 0.14 were read off the L40S's rows, the only ones of that kind). Sums take the data sheet's links.
        """

    private static let shippedText: String = """
        What an accelerator without measurements gets: its data sheet and the shipped constants. These were fitted to A100,
        H100 and L40S too, so that here the three are no strangers; for a new accelerator the table before is the measure.
        """

    private static func errors(_ title: String, _ text: String, _ lines: [OperatorFidelity.Line]) -> String {
        let head: [String] = ["accelerator", "operator", "versions", "rows", "median", "P90", "bias"]
        var rows: [[String]] = lines.map { row($0.accelerator, $0.name, $0.version, $0.errors) }
        var sums: [String: [Double]] = [:]
        for line in lines where !line.name.hasPrefix("all-reduce") {
            let kind: String = line.name.hasPrefix("gemm") ? "gemm, all types" : line.name
            sums[line.accelerator + "|" + kind, default: []] += line.values
        }
        for (key, values) in sums.sorted(by: { $0.key < $1.key }) {
            let parts: [String] = key.components(separatedBy: "|")
            rows.append(row("**\(parts[0])**", parts[1], "all", ErrorSummary(values)))
        }
        return "### \(title)\n\n\(text)\n\n" + Markdown.table(head, rows) + "\n"
    }

    private static func row(_ accelerator: String, _ name: String, _ version: String, _ errors: ErrorSummary)
        -> [String]
    {
        [
            accelerator, name, version, "\(errors.count)", Markdown.percent(errors.median),
            Markdown.percent(errors.p90), Markdown.percent(errors.bias),
        ]
    }

    /// Every table with its rows: those taken and those passed over, with the reasons.
    private static func rows(_ kernels: LibraryBuilder) -> String {
        var rows: [[String]] = []
        for machine in kernels.machines {
            for table in machine.tables {
                var reasons: [String: Int] = [:]
                for skip in table.skipped { reasons[skip.reason, default: 0] += 1 }
                let text: String = reasons.map { "\($0.value): \($0.key)" }.sorted().joined(separator: "; ")
                let name: String = table.file.components(separatedBy: "/").last ?? table.file
                rows.append([
                    machine.name, name, "\(table.rows)",
                    "\(table.skipped.count)" + (text.isEmpty ? "" : " (\(text))"),
                ])
            }
        }
        for table in kernels.unplaced {
            rows.append(["unknown", table.file, "\(table.rows)", "\(table.rows) (no data sheet in hardware/gpus.csv)"])
        }
        return Markdown.table(["accelerator", "table", "rows", "passed over"], rows) + "\n"
    }
}
