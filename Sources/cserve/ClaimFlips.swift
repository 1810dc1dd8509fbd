// Where the claims flip: at which prices an A100 gives more tokens per dollar, over which links TP overtakes PP.

import CServeCore
import CServeCost

/// Break-even prices and links.
struct ClaimFlips {
    let bench: ClaimBench

    var text: String {
        get throws {
            "### Prices at which it flips\n\n" + (try prices()) + "### Links at which it flips\n\n" + (try links())
        }
    }

    // MARK: Prices

    /// One A100 is worth so many L4 as it is faster than a quarter of the four; list prices say which side they are on.
    private func prices() throws -> String {
        var rows: [[String]] = []
        for (model, workload) in ClaimThroughput.tasks {
            let four: Double = try bench.saturated(ClaimThroughput.pipeline(model, workload))?.outputRate ?? 0
            for accelerator in ["a100-40", "a100-80"] {
                let one = ClaimThroughput.alone(accelerator, "cserve", model, workload)
                let even: Double = (try bench.saturated(one)?.outputRate ?? 0) / (four / 4)
                rows.append(
                    ["\(model), \(workload)", accelerator, BenchText.figure(even)] + verdicts(accelerator, even))
            }
        }
        let head: [String] = ["task", "A100", "break-even ratio"] + Self.markets.map(\.title)
        return Self.priceText + "\n\n" + Markdown.table(head, rows) + "\n"
    }

    private static let priceText: String = """
        Tokens per dollar are equal where one A100 costs so many times one L4 as it is faster than one L4 of the four
        (cserve on both). Above that ratio four L4 as a pipeline win, below it the A100. Beside it the catalogue's.
        """

    /// Where prices are compared: L4 in nodes of at least so many; an A100 as its share of the cheapest node.
    private struct Market {
        var title: String
        var provider: String
        var nodeSize: Int
    }

    private static let markets: [Market] = [
        Market(title: "gcp, single L4", provider: "gcp", nodeSize: 1),
        Market(title: "gcp, nodes of 4 L4", provider: "gcp", nodeSize: 4),
        Market(title: "aws, nodes of 4 L4 (A100: an eighth of 8)", provider: "aws", nodeSize: 4),
    ]

    private func verdicts(_ accelerator: String, _ even: Double) -> [String] {
        Self.markets.map { market in
            guard let small = price("l4", market.provider, nodeSize: market.nodeSize),
                let large = price(accelerator, market.provider, nodeSize: 1)
            else { return "no price" }
            return "\(BenchText.figure(large / small)): " + (large / small > even ? "L4" : "A100")
        }
    }

    /// The lowest price per accelerator in a provider's nodes of at least so many.
    private func price(_ accelerator: String, _ provider: String, nodeSize: Int) -> Double? {
        bench.hardware.nodes.filter { node in
            node.accelerator == accelerator && node.provider == provider && node.count >= nodeSize
        }.compactMap { node in node.usdPerHour.map { $0 / Double(node.count) } }.min()
    }

    // MARK: Links

    private func links() throws -> String {
        var rows: [[String]] = []
        for (model, workload) in ClaimThroughput.tasks {
            for (name, link) in try Self.links(bench.hardware) {
                rows.append(["\(model), \(workload)", name] + (try row(model, workload, link)))
            }
            let even: Double? = try evenBandwidth(model, workload)
            let text: String = even.map { "NVLink of \(BenchText.figure($0 / 1e9)) GB/s" } ?? "no NVLink up to 900 GB/s"
            rows.append(["\(model), \(workload)", "equal at: \(text)", "", "", ""])
        }
        let head: [String] = ["task", "links of 4xL4", "tp4, generated tokens/s", "pp4", "pp4 over tp4"]
        return Self.linkText + "\n\n" + Markdown.table(head, rows) + "\n"
    }

    private static let linkText: String = """
        cserve on both sides; only the links change. L4 have no NVLink: those rows are L4 with the links that the
        catalogue gives the RTX 3090 (a bridge's bandwidth, from each to each) and the A100.
        """

    private static func links(_ catalog: HardwareCatalog) throws -> [(String, Interconnect)] {
        let small: AcceleratorSpec = try catalog.requireAccelerator("l4")
        let staged: Interconnect = try catalog.genericNode(small, count: 4, topology: .pcieHost).interconnect
        let peer: Interconnect = try catalog.genericNode(small, count: 4, topology: .pciePeer).interconnect
        let bridge: Interconnect = try catalog.genericNode(
            try catalog.requireAccelerator("rtx3090"), count: 4, topology: .nvlinkPairs
        ).interconnect
        let switched: Interconnect = try catalog.genericNode(try catalog.requireAccelerator("a100-40"), count: 4)
            .interconnect
        return [
            ("PCIe through the host, \(speed(staged))", staged), ("PCIe peer to peer, \(speed(peer))", peer),
            ("NVLink, \(speed(bridge))", Interconnect(kind: .nvswitch, link: bridge.link)),
            ("NVLink, \(speed(switched))", switched),
        ]
    }

    private static func speed(_ links: Interconnect) -> String {
        "\(BenchText.figure(links.link.bandwidth / 1e9)) GB/s"
    }

    private func row(_ model: String, _ workload: String, _ link: Interconnect) throws -> [String] {
        let rates: [Double] = try rates(model, workload, link)
        return rates.map { BenchText.figure($0) } + [BenchText.figure(rates[1] / rates[0])]
    }

    /// Generated tokens per second with TP4 and with PP4.
    private func rates(_ model: String, _ workload: String, _ link: Interconnect) throws -> [Double] {
        var deep: ClaimCase = ClaimThroughput.pipeline(model, workload)
        deep.link = link
        var wide: ClaimCase = deep
        (wide.tensor, wide.pipeline) = (4, 1)
        return try [wide, deep].map { try bench.saturated($0)?.outputRate ?? 0 }
    }

    /// The bandwidth of NVLink-like links at which TP4 is as fast as PP4, within a tenth; nil where it never is.
    private func evenBandwidth(_ model: String, _ workload: String) throws -> Double? {
        func isWider(_ bandwidth: Double) throws -> Bool {
            let link: Link = Link(latency: 5e-6, bandwidth: bandwidth)
            let rates: [Double] = try rates(model, workload, Interconnect(kind: .nvswitch, link: link))
            return rates[0] >= rates[1]
        }
        return try Bisection.least(from: 4e9, to: 900e9, within: 0.1, isWider)
    }
}

/// Searches along a scale of ratios.
enum Bisection {
    /// The least value in a range for which something holds that holds for all larger ones too, to a relative width; nil
    /// where it does not hold at the end.
    static func least(
        from low: Double, to high: Double, within width: Double, _ holds: (Double) throws -> Bool
    ) rethrows -> Double? {
        guard try holds(high) else { return nil }
        guard try !holds(low) else { return low }
        var (low, high): (Double, Double) = (low, high)
        while high / low > 1 + width {
            let middle: Double = (low * high).squareRoot()
            if try holds(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
