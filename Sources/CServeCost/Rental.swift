// The cheapest way to rent accelerators: which instances, of whom and where.
import CServeCore

/// Instances that together hold what was asked for.
public struct Rental: Hashable, Sendable {
    /// So many of one instance.
    public struct Item: Hashable, Sendable {
        /// The instance.
        public var node: NodeSpec
        /// How many.
        public var count: Int
    }

    /// The instances.
    public var items: [Item]
    /// What they cost together, in US dollars per hour.
    public var usdPerHour: Double

    /// Accelerators paid for: no fewer than asked.
    public var accelerators: Int { items.reduce(0) { $0 + $1.count * $1.node.count } }
    /// Who rents them out.
    public var provider: String { items.first?.node.provider ?? "" }
    /// Where the prices hold.
    public var region: String? { items.first?.node.region }
    /// As people write it: `2x(g6.12xlarge) + g6.xlarge`.
    public var name: String {
        items.map { $0.count == 1 ? $0.node.name : "\($0.count)x(\($0.node.name))" }.joined(separator: " + ")
    }
}

extension HardwareCatalog {
    /// The cheapest rental of at least so many accelerators, from one provider in one region.
    /// - Parameters:
    ///   - accelerator: Its catalogue name.
    ///   - count: Accelerators needed.
    ///   - perNode: Accelerators that must share a node (those of one replica); a node's remainder lies idle.
    ///   - provider: Only this one.
    ///   - region: Only this one.
    /// - Returns: nil where nobody rents out such nodes.
    public func cheapest(
        _ accelerator: String, count: Int, perNode: Int = 1, provider: String? = nil, region: String? = nil
    ) -> Rental? {
        rentals(accelerator, count: count, perNode: perNode, provider: provider, region: region).first
    }

    /// The cheapest rental of each provider and region, cheapest first.
    public func rentals(
        _ accelerator: String, count: Int, perNode: Int = 1, provider: String? = nil, region: String? = nil
    ) -> [Rental] {
        if let price = prices[accelerator] { return [ownRental(accelerator, count: count, price: price)] }
        let usable = nodes.filter { node in
            node.accelerator == accelerator && node.usdPerHour != nil && node.count >= perNode
                && (provider == nil || node.provider == provider?.lowercased())
                && (region == nil || node.region == region)
        }
        let places = Dictionary(grouping: usable) { "\($0.provider) \($0.region ?? "")" }
        return places.values.compactMap { Self.fill($0, count: count, perNode: max(1, perNode)) }
            .sorted { ($0.usdPerHour, $0.name) < ($1.usdPerHour, $1.name) }
    }

    private func ownRental(_ name: String, count: Int, price: Double) -> Rental {
        let spec = accelerators.first { $0.name == name }
        let node = spec.flatMap { try? genericNode($0, count: count) }
        return Rental(items: node.map { [Rental.Item(node: $0, count: 1)] } ?? [], usdPerHour: price * Double(count))
    }

    /// Fewest dollars that cover the count with whole instances (unbounded knapsack).
    private static func fill(_ nodes: [NodeSpec], count: Int, perNode: Int) -> Rental? {
        let slots = nodes.map { $0.count / perNode * perNode }
        var cost = [0.0]
        var last = [-1]
        for need in stride(from: 1, through: count, by: 1) {
            var best = (usd: Double.infinity, index: -1)
            for index in nodes.indices {
                let usd = (nodes[index].usdPerHour ?? .infinity) + cost[max(0, need - slots[index])]
                // Among equals the larger instance: fewer machines.
                let isLarger = best.index >= 0 && slots[index] > slots[best.index]
                if usd < best.usd - 1e-9 || (usd < best.usd + 1e-9 && isLarger) { best = (usd, index) }
            }
            cost.append(best.usd)
            last.append(best.index)
        }
        guard cost[count].isFinite, count > 0 else { return nil }
        var amounts = Array(repeating: 0, count: nodes.count)
        var need = count
        while need > 0 {
            amounts[last[need]] += 1
            need -= slots[last[need]]
        }
        let items = nodes.indices.filter { amounts[$0] > 0 }.map { Rental.Item(node: nodes[$0], count: amounts[$0]) }
        return Rental(items: items.sorted { $0.node.count > $1.node.count }, usdPerHour: cost[count])
    }
}
