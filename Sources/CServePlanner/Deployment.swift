// Copies of an option on whole machines, with what they cost.
import CServeCore
import CServeCost

/// So many replicas of an option.
struct Deployment: Sendable {
    var replica: FeasibleReplica
    var replicas: Int
    var nodes: [PlanNodes]
    /// US dollars per hour; infinite where no price is known.
    var usdPerHour: Double
    /// Requests per second that it carries within the targets, as found so far.
    var capacity: Double

    var accelerators: Int { replica.option.accelerators * replicas }
    var name: String { replica.option.name(replicas: replicas) }

    /// Puts replicas on machines.
    init(_ replica: FeasibleReplica, replicas: Int, catalog: HardwareCatalog, capacity: Double = 0) {
        self.replica = replica
        self.replicas = replicas
        self.capacity = capacity
        nodes = Machines.nodes(for: replica.option, replicas: replicas, catalog: catalog)
        usdPerHour = nodes.reduce(0.0) { (sum: Double, node: PlanNodes) -> Double in
            sum + Double(node.count) * (node.usdPerHour ?? .infinity)
        }
    }

    /// US dollars per hour of one accelerator.
    var usdPerAccelerator: Double {
        let there: Int = nodes.reduce(0) { $0 + $1.count * $1.accelerators }
        return usdPerHour / Double(max(1, there))
    }
}

/// Finds machines.
enum Machines {
    /// The cheapest machines for so many replicas, from the provider and with the links of the option's own.
    static func nodes(for option: ReplicaOption, replicas: Int, catalog: HardwareCatalog) -> [PlanNodes] {
        let accelerator: String = option.placement.accelerator.name
        let count: Int = option.accelerators * replicas
        guard let rental = option.rental, catalog.prices[accelerator] == nil else {
            return generic(option, count: count, catalog: catalog)
        }
        let kind: Interconnect = option.placement.node.interconnect
        let rentals: [Rental] = catalog.rentals(
            accelerator, count: count, perNode: option.perNode, provider: rental.provider, region: rental.region)
        let best: Rental? = rentals.first { (one: Rental) -> Bool in
            option.accelerators == 1 || one.items.allSatisfy { $0.node.interconnect == kind }
        }
        if let best, best.usdPerHour <= rental.usdPerHour * Double(replicas) {
            return best.items.map { nodes(of: $0.node, count: $0.count) }
        }
        return rental.items.map { nodes(of: $0.node, count: $0.count * replicas) }
    }

    /// Nodes that nobody rents out, or that have the user's own price.
    private static func generic(_ option: ReplicaOption, count: Int, catalog: HardwareCatalog) -> [PlanNodes] {
        let accelerator: AcceleratorSpec = option.placement.accelerator
        let largest: Int = max(option.perNode, catalog.largestNode(accelerator.name) / option.perNode * option.perNode)
        var node: NodeSpec = option.placement.node
        let each: Int = min(count, largest)
        node.count = each
        node.name = "\(each)x\(accelerator.name)"
        node.usdPerHour = catalog.prices[accelerator.name].map { $0 * Double(each) }
        let whole: PlanNodes = nodes(of: node, count: count / each)
        guard count % each > 0 else { return [whole] }
        node.count = count % each
        node.name = "\(node.count)x\(accelerator.name)"
        node.usdPerHour = catalog.prices[accelerator.name].map { $0 * Double(node.count) }
        return [whole, nodes(of: node, count: 1)]
    }

    /// So many of a machine.
    static func nodes(of node: NodeSpec, count: Int) -> PlanNodes {
        PlanNodes(
            provider: node.provider, instance: node.name, count: count, accelerators: node.count,
            interconnect: node.interconnect.kind, usdPerHour: node.usdPerHour, region: node.region,
            priceSource: node.usdPerHour == nil ? nil : node.provenance["usd_per_hour"] ?? node.provenance["*"])
    }
}
