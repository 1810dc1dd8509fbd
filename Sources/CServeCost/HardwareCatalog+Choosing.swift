// Hardware as people write it (`4xl4`, `2x(g6.12xlarge)`), prices as people give them (`l4=0.71`).
import CServeCore

/// What somebody chose: so many nodes of a kind.
public struct HardwareChoice: Hashable, Sendable {
    /// As written, tidied: `4xl4`, `2x(g6.12xlarge)`.
    public var name: String
    /// The accelerator.
    public var accelerator: AcceleratorSpec
    /// One node; its price where it is rented out or the user gave one.
    public var node: NodeSpec
    /// Nodes.
    public var nodes: Int

    /// Accelerators in all.
    public var accelerators: Int { node.count * nodes }
    /// What the nodes cost together, where the node has a price; a generic node's is found by
    /// ``HardwareCatalog/cheapest(_:count:perNode:provider:region:)``.
    public var usdPerHour: Double? { node.usdPerHour.map { $0 * Double(nodes) } }
}

extension HardwareCatalog {
    /// Reads hardware as people write it.
    ///
    /// `l4` and `4xl4` are accelerators in a generic node (more than it holds: several nodes); `4xl4:pcie-p2p` names the
    /// links; `g6.12xlarge`, `aws/g6.12xlarge` are instances; `2xg6.12xlarge` and `2x(4xl4)` are several nodes.
    /// - Throws: ``CatalogError``, listing the choices.
    public func choose(_ text: String) throws(CatalogError) -> HardwareChoice {
        let plain = text.filter { !$0.isWhitespace }.lowercased()
        guard !plain.isEmpty else { throw .badHardware(text: text, reason: "it is empty") }
        // A name may itself begin like a count: look it up as it stands before taking it apart.
        if let node = node(named: plain) { return try choice(node, nodes: 1) }
        let (count, rest) = try Self.counted(plain, of: text)
        if rest.hasPrefix("(") {
            guard rest.hasSuffix(")"), rest.count > 2 else {
                throw .badHardware(text: text, reason: "a bracket is not closed")
            }
            var inner = try choose(String(rest.dropFirst().dropLast()))
            inner.nodes *= count
            inner.name = inner.nodes == 1 ? inner.node.name : "\(inner.nodes)x(\(inner.node.name))"
            return inner
        }
        if let node = node(named: rest) { return try choice(node, nodes: count) }
        return try generic(rest, count: count, text: text)
    }

    private func choice(_ node: NodeSpec, nodes: Int) throws(CatalogError) -> HardwareChoice {
        let name = nodes == 1 ? node.name : "\(nodes)x(\(node.name))"
        return HardwareChoice(
            name: name, accelerator: try requireAccelerator(node.accelerator), node: node, nodes: nodes)
    }

    private func generic(_ rest: String, count: Int, text: String) throws(CatalogError) -> HardwareChoice {
        let parts = rest.split(separator: ":", maxSplits: 1).map(String.init)
        let accelerator = try requireAccelerator(parts.first ?? rest)
        var topology: Interconnect.Kind?
        if parts.count == 2 {
            guard let kind = Interconnect.Kind(rawValue: parts[1]) else {
                let known = topologies.first { $0.accelerator == accelerator.name }?.interconnects ?? []
                throw .unknownTopology(
                    name: parts[1], accelerator: accelerator.name, choices: known.map(\.kind.rawValue))
            }
            topology = kind
        }
        let most = largestNode(accelerator.name)
        guard count > most else {
            let node = try genericNode(accelerator, count: count, topology: topology)
            return HardwareChoice(name: node.name, accelerator: accelerator, node: node, nodes: 1)
        }
        guard count % most == 0 else {
            throw .badHardware(
                text: text, reason: "a node holds \(most) \(accelerator.name) at most, and \(count) is no multiple")
        }
        let node = try genericNode(accelerator, count: most, topology: topology)
        return HardwareChoice(
            name: "\(count / most)x(\(node.name))", accelerator: accelerator, node: node, nodes: count / most)
    }

    /// `4xl4` is 4 and `l4`; without a count, 1.
    private static func counted(_ plain: String, of text: String) throws(CatalogError) -> (Int, String) {
        let digits = plain.prefix { $0.isASCII && $0.isNumber }
        let rest = plain.dropFirst(digits.count)
        guard !digits.isEmpty, let mark = rest.first, mark == "x" || mark == "*" || mark == "×" else {
            return (1, plain)
        }
        guard let count = Int(digits), (1...4096).contains(count) else {
            throw .badHardware(text: text, reason: "\(digits) is not a count from 1 to 4096")
        }
        return (count, String(rest.dropFirst()))
    }

    /// Takes a price as people give it: `l4=0.71` per accelerator and hour, `g6.12xlarge=3.9` per instance and hour.
    /// - Throws: ``CatalogError``.
    public mutating func setPrice(_ text: String) throws(CatalogError) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let usd = Double(parts[1]), usd.isFinite, usd >= 0 else { throw .badPrice(text: text) }
        let own = Provenance(source: "given by the user", date: "today")
        if let accelerator = accelerator(named: parts[0]) {
            prices[accelerator.name] = usd
            return
        }
        guard let node = node(named: parts[0]) else { throw unknown(parts[0]) }
        for index in nodes.indices where nodes[index].name == node.name && nodes[index].provider == node.provider {
            nodes[index].usdPerHour = usd
            nodes[index].provenance["usd_per_hour"] = own
        }
    }
}
