// `cserve fidelity`: judges every kind of prediction on a folder of measurements and writes the page that says so.

import ArgumentParser
import CServeCost
import Foundation

/// Judges predictions.
struct Fidelity: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Judge the planner's predictions on measurements.",
        discussion: """
            The folder holds hardware/, kernels/, serving/ and traces/; a part that is absent is skipped with a note.
            The claims need no folder: they are predicted from what ships.

            EXAMPLES
              cserve fidelity --data ./measurements --out docs/results/fidelity.md
              cserve fidelity --data ./measurements --only operators
              cserve fidelity --only claims
              cserve fidelity machine                       this machine, served and simulated
            """,
        subcommands: [Machine.self])

    /// The sections, in the page's order. A new proof is one file and one entry.
    static var sections: [any FidelitySection.Type] {
        [FidelityOperators.self, FidelityRequests.self, FidelityServing.self, FidelityClaims.self]
    }

    @Option(help: "A folder of measurements.", completion: .directory)
    var data: String?

    @Option(name: [.customShort("o"), .long], help: "Where the page goes (default: standard output).")
    var out: String?

    @Option(help: "Only this section.")
    var only: String?

    func validate() throws {
        let names: [String] = Fidelity.sections.map { $0.name }
        if let only, !names.contains(only) {
            throw ValidationError("There is no section \"\(only)\". Choose one of \(names.joined(separator: ", ")).")
        }
    }

    /// Refuses to judge without measurements. Not in `validate()`, which runs before a subcommand too.
    func checkData() throws {
        let needsData: Bool = Fidelity.sections.contains { $0.needsData && (only == nil || $0.name == only) }
        if needsData, data == nil {
            throw ValidationError("Name a folder of measurements with --data. Only \"claims\" does without one.")
        }
    }

    func run() throws {
        try checkData()
        try Failure.explained {
            let folder: DataFolder = try data.map { try DataFolder($0) } ?? .none
            var page: String = Fidelity.head
            for section in Fidelity.sections where only == nil || section.name == only {
                page += "\n## \(section.title)\n\n" + (try text(of: section, folder))
            }
            try write(page)
        }
    }

    private func text(of section: any FidelitySection.Type, _ folder: DataFolder) throws -> String {
        let progress: FidelityProgress = FidelityProgress(total: 64)
        var note: String = "the folder lacks its measurements"
        let text: String? = try section.markdown(folder, progress: progress, note: &note)
        progress.finish()
        return text ?? "Skipped: \(note).\n"
    }

    private static let head: String = """
        # How right the predictions are

        Written by `cserve fidelity --data DIR --out docs/results/fidelity.md`. Errors are |predicted / measured - 1|; the
        bias is the median of predicted / measured - 1. Every measured row is predicted or counted as passed over.

        """

    private func write(_ page: String) throws {
        guard let out else { return Console.say(page) }
        do {
            try page.write(toFile: out, atomically: true, encoding: .utf8)
        } catch {
            throw DataFolderError.unwritable(out, reason: error.localizedDescription)
        }
    }
}
