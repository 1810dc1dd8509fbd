// Hardware as tables for a terminal and as JSON.

import CServeCore
import CServeCost
import Foundation

/// Says what a catalogue holds.
struct HardwareReport {
    var catalog: HardwareCatalog
    var provider: String?

    // MARK: Text

    /// The accelerators, one a line.
    func list() -> String {
        var table: TextTable = TextTable(
            [
                "NAME", "ARCHITECTURE", "MEMORY", "GB/s", "FP16", "BF16", "FP8", "INT8", "WATTS", "USD/h",
                "CHEAPEST AS",
            ], right: [2, 3, 4, 5, 6, 7, 8, 9])
        for one in catalog.accelerators {
            let rental: Rental? = catalog.cheapest(one.name, count: 1, provider: provider)
            if provider != nil && rental == nil { continue }
            table.add(row(one))
        }
        return table.text + "\n\nPeaks in dense TFLOP/s (TOP/s); USD/h per accelerator, on demand, dated list prices. "
            + "Details and sources: cserve hardware NAME."
    }

    private func row(_ one: AcceleratorSpec) -> [String] {
        let peaks: [String] = [ArithmeticType.float16, .bfloat16, .fp8, .int8].map { (type: ArithmeticType) -> String in
            one.peaks[type].map { Self.number($0 / 1e12) } ?? "-"
        }
        var row: [String] = [
            one.name, one.architecture, Self.gibibytes(one.memoryBytes), Self.number(one.memoryBandwidth / 1e9),
        ]
        row += peaks
        row.append(one.watts.map(Self.number) ?? "-")
        guard let each: Rental = cheapestEach(one.name) else { return row + ["-", ""] }
        row.append(Self.usd(each.usdPerHour / Double(each.accelerators)))
        row.append("\(each.name) (\(each.provider), \(each.region ?? "-"))")
        return row
    }

    /// The instance whose price per accelerator is least, of any size.
    private func cheapestEach(_ accelerator: String) -> Rental? {
        let sizes: Set<Int> = Set(catalog.nodes.filter { $0.accelerator == accelerator }.map(\.count)).union([1])
        return sizes.sorted().compactMap { catalog.cheapest(accelerator, count: $0, perNode: $0, provider: provider) }
            .min { $0.usdPerHour / Double($0.accelerators) < $1.usdPerHour / Double($1.accelerators) }
    }

    /// One accelerator with its sources, links and instances.
    func details(_ one: AcceleratorSpec) -> String {
        var lines: [String] = ["\(one.title) (\(one.name))"]
        var facts: TextTable = TextTable(["", "VALUE", "SOURCE"])
        func add(_ name: String, _ value: String, _ field: String) {
            facts.add([name, value, Self.source(one.provenance, field)])
        }
        add("memory", "\(Self.gibibytes(one.memoryBytes)) (\(ByteCount(one.memoryBytes)))", "memory_bytes")
        add("bandwidth", "\(Self.number(one.memoryBandwidth / 1e9)) GB/s", "memory_bandwidth_bytes_per_s")
        for type in ArithmeticType.allCases {
            let peak: String = one.peaks[type].map { "\(Self.number($0 / 1e12)) TFLOP/s" } ?? "not supported"
            add(type.rawValue, peak, "peak_ops_per_s")
        }
        if let link = one.hostLink { add("host link", Self.link(link), "host_link") }
        if let watts = one.watts { add("power", "\(Self.number(watts)) W", "tdp_w") }
        if let processors = one.processors { add("processors", "\(processors)", "processors") }
        lines.append(facts.text)
        lines.append(topologyLines(one.name))
        lines.append(instances { $0.accelerator == one.name })
        return lines.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private func topologyLines(_ name: String) -> String {
        guard let topology = catalog.topologies.first(where: { $0.accelerator == name }) else { return "" }
        var table: TextTable = TextTable(["LINKS IN A NODE", "NEIGHBOURS", "OTHERS"])
        for one in topology.interconnects {
            table.add([one.kind.rawValue, Self.link(one.link), one.farLink.map(Self.link) ?? ""])
        }
        let source: String = Self.source(topology.provenance, "interconnects")
        let network: String = topology.network.map { "\nTo other nodes: " + Self.link($0) } ?? ""
        return table.text + "\nSource: " + source + network
    }

    private func instances(_ wanted: (NodeSpec) -> Bool) -> String {
        var table: TextTable = TextTable(
            [
                "INSTANCE", "PROVIDER", "REGION", "COUNT", "LINKS", "VCPUS", "HOST MEMORY", "USD/h", "EACH", "PRICED",
            ], right: [3, 5, 6, 7, 8])
        let found: [NodeSpec] = catalog.nodes.filter { wanted($0) && (provider == nil || $0.provider == provider) }
        for node in found.sorted(by: { Self.each($0) < Self.each($1) }) {
            let vcpus: String = node.vcpus.map { "\($0)" } ?? "-"
            let each: String = node.usdPerHour.map { Self.usd($0 / Double(node.count)) } ?? "-"
            let priced: Provenance? = node.provenance["usd_per_hour"] ?? node.provenance["*"]
            table.add([
                node.name, node.provider, node.region ?? "-", "\(node.count)", node.interconnect.kind.rawValue, vcpus,
                node.hostMemoryBytes.map(Self.gibibytes) ?? "-", node.usdPerHour.map(Self.usd) ?? "-", each,
                priced?.date ?? "-",
            ])
        }
        return table.isEmpty ? "Nobody in the catalogue rents it out." : table.text
    }

    /// A choice: its parts, and how to rent them.
    func details(_ choice: HardwareChoice) -> String {
        var lines: [String] = [
            "\(choice.name): \(choice.accelerators) x \(choice.accelerator.title), "
                + "\(ByteCount(choice.accelerators * choice.accelerator.memoryBytes)) of memory in all"
        ]
        let node: NodeSpec = choice.node
        lines.append("Node: \(node.count) x \(node.accelerator), \(node.provider)")
        if node.count > 1 {
            let far: String = node.interconnect.farLink.map { "; beyond neighbours " + Self.link($0) } ?? ""
            lines.append("Links: \(node.interconnect.kind.rawValue), \(Self.link(node.interconnect.link))\(far)")
        }
        if let network = node.network { lines.append("To other nodes: " + Self.link(network)) }
        if let usd = choice.usdPerHour {
            let source: String = Self.source(node.provenance, "usd_per_hour")
            lines.append("Price: \(Self.usd(usd)) USD/h (\(node.region ?? "-")) \(source)")
        } else {
            lines.append(contentsOf: rentalLines(choice))
        }
        return lines.joined(separator: "\n")
    }

    private func rentalLines(_ choice: HardwareChoice) -> [String] {
        let rentals: [Rental] = catalog.rentals(
            choice.accelerator.name, count: choice.accelerators, perNode: choice.node.count, provider: provider)
        if rentals.isEmpty { return ["Price: nobody in the catalogue rents it out; give one with --price."] }
        return rentals.map { rental in
            "Price: \(Self.usd(rental.usdPerHour)) USD/h as \(rental.name) (\(rental.provider), \(rental.region ?? "-"))"
        }
    }

    // MARK: JSON

    /// The whole catalogue.
    func json() throws -> String {
        try encoded(
            Written(
                accelerators: catalog.accelerators,
                nodes: catalog.nodes.filter { provider == nil || $0.provider == provider }))
    }

    /// One accelerator and its instances.
    func json(_ one: AcceleratorSpec) throws -> String {
        let nodes: [NodeSpec] = catalog.nodes.filter {
            $0.accelerator == one.name && (provider == nil || $0.provider == provider)
        }
        return try encoded(Written(accelerators: [one], nodes: nodes))
    }

    /// A choice: the accelerator, the node, how many, and the cheapest rental.
    func json(_ choice: HardwareChoice) throws -> String {
        var written: Written = Written(accelerators: [choice.accelerator], nodes: [choice.node])
        written.count = choice.nodes
        written.usdPerHour =
            choice.usdPerHour
            ?? catalog.cheapest(
                choice.accelerator.name, count: choice.accelerators, perNode: choice.node.count, provider: provider)?
            .usdPerHour
        return try encoded(written)
    }

    private struct Written: Encodable {
        var schema: String = HardwareCatalog.schema
        var accelerators: [AcceleratorSpec]
        var nodes: [NodeSpec]
        var count: Int?
        var usdPerHour: Double?

        enum CodingKeys: String, CodingKey {
            case schema
            case accelerators
            case nodes
            case count = "node_count"
            case usdPerHour = "usd_per_hour"
        }
    }

    private func encoded(_ value: Written) throws -> String {
        let encoder: JSONEncoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    // MARK: Words

    private static func each(_ node: NodeSpec) -> Double { (node.usdPerHour ?? .infinity) / Double(node.count) }

    private static func source(_ all: [String: Provenance], _ field: String) -> String {
        guard let one = all[field] ?? all["*"] else { return "" }
        return "\(one.source) (\(one.date)\(one.isEstimate == true ? ", estimate" : ""))"
    }

    private static func link(_ link: Link) -> String {
        "\(number(link.bandwidth / 1e9)) GB/s after \(number(link.latency * 1e6)) us"
    }

    private static func gibibytes(_ bytes: Int) -> String {
        "\(number((Double(bytes) / 1_073_741_824 * 100).rounded() / 100)) GiB"
    }

    /// Three significant digits at most behind the point.
    static func number(_ value: Double) -> String {
        let rounded: Double = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// Dollars with cents, or with a digit more below one.
    static func usd(_ value: Double) -> String {
        let digits: Int = value < 1 ? 4 : 2
        return String(format: "%.\(digits)f", value)
    }
}
