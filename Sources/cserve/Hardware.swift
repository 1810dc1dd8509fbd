// `cserve hardware`: what hardware planning knows, what it costs, and where the numbers come from.

import ArgumentParser
import CServeCore
import CServeCost
import Foundation

/// Lists accelerators, or explains one piece of hardware.
struct Hardware: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "List the hardware that planning knows, with prices; or one piece of it, with sources.",
        discussion: """
            EXAMPLES
              cserve hardware                     accelerators with their cheapest price per hour
              cserve hardware l4 --provider aws   one accelerator: sources, links, instances
              cserve hardware 4xl4                four in a node: links, and the cheapest way to rent them
              cserve hardware g6.12xlarge         one instance
            """)

    @Argument(help: "An accelerator, an instance, or a choice such as 4xl4 or 2x(g6.12xlarge).")
    var name: String?

    @Option(help: "Only instances and prices of this provider: aws, azure, gcp, snowflake.")
    var provider: String?

    @Flag(help: "Print one JSON object, in the schema that --hardware reads.")
    var json: Bool = false

    @OptionGroup var options: CatalogOptions

    func run() throws {
        try Failure.explained(asJSON: json) {
            let catalog: HardwareCatalog = try options.catalog()
            try check(catalog)
            let report: HardwareReport = HardwareReport(catalog: catalog, provider: provider?.lowercased())
            guard let name else { return Console.say(json ? try report.json() : report.list()) }
            if let accelerator = catalog.accelerator(named: name) {
                return Console.say(json ? try report.json(accelerator) : report.details(accelerator))
            }
            let choice: HardwareChoice = try catalog.choose(name)
            Console.say(json ? try report.json(choice) : report.details(choice))
        }
    }

    private func check(_ catalog: HardwareCatalog) throws {
        let known: [String] = Set(catalog.nodes.map(\.provider)).sorted()
        guard let provider, !known.contains(provider.lowercased()) else { return }
        throw HardwareError.unknownProvider(provider, known: known)
    }
}

/// A choice that the catalogue does not have.
enum HardwareError: Error, Hashable, CustomStringConvertible {
    case unknownProvider(String, known: [String])

    var description: String {
        switch self {
        case .unknownProvider(let name, let known):
            "No prices of \"\(name)\" are known. Choose one of \(known.joined(separator: ", "))."
        }
    }
}
