// One option of a plan: engine settings on hardware, with what they are foreseen to do.

/// Settings on hardware, at a load.
public struct PlanOption: Hashable, Codable, Sendable {
    /// A short name, unique in its plan: `4xl4 tp2 pp2 fp8`.
    public var name: String
    /// For what it was picked; empty for a runner-up.
    public var roles: [PlanRole]
    /// The engine's settings.
    public var recipe: Recipe
    /// The hardware.
    public var hardware: PlanHardware
    /// What it will do.
    public var prediction: PlanPrediction
    /// Where the time of a step goes, largest first.
    public var breakdown: [PlanStepShare]

    /// Describes an option.
    public init(
        name: String, roles: [PlanRole] = [], recipe: Recipe, hardware: PlanHardware, prediction: PlanPrediction,
        breakdown: [PlanStepShare] = []
    ) {
        self.name = name
        self.roles = roles
        self.recipe = recipe
        self.hardware = hardware
        self.prediction = prediction
        self.breakdown = breakdown
    }
}

/// For what an option stands out; docs/design/0010-picks-of-a-plan.md defines each.
public enum PlanRole: String, Hashable, Codable, Sendable, CaseIterable {
    /// The least latency at the demanded rate; without a rate, the most throughput within the targets.
    case bestPerformance = "best performance"
    /// The fewest dollars per hour that meet the demands.
    case lowestCost = "lowest cost"
    /// The most throughput within the targets per dollar.
    case bestValue = "best value"
    /// The most throughput within the targets.
    case sweetSpot = "sweet spot"
    /// No other point is better in throughput, latency or cost without being worse in another.
    case frontier
    /// Nothing meets the demands; this comes nearest.
    case nearest
}

/// The hardware of an option.
public struct PlanHardware: Hashable, Codable, Sendable {
    /// The accelerator's catalogue name.
    public var accelerator: String
    /// The vendor's name.
    public var title: String
    /// Accelerators that the option uses.
    public var accelerators: Int
    /// Bytes of memory of one of them.
    public var memoryBytes: Int
    /// Machines, whole ones: what is paid for. The replicas lie on the first kind unless it is full.
    public var nodes: [PlanNodes]
    /// How clusters name the accelerator, by the label's key.
    public var labels: [String: String]

    /// Describes hardware.
    public init(
        accelerator: String, title: String, accelerators: Int, memoryBytes: Int, nodes: [PlanNodes],
        labels: [String: String] = [:]
    ) {
        self.accelerator = accelerator
        self.title = title
        self.accelerators = accelerators
        self.memoryBytes = memoryBytes
        self.nodes = nodes
        self.labels = labels
    }

    /// US dollars per hour of all nodes; nil where a price is not known.
    public var usdPerHour: Double? {
        nodes.reduce(0) { (sum: Double?, node: PlanNodes) -> Double? in
            guard let sum, let price = node.usdPerHour else { return nil }
            return sum + price * Double(node.count)
        }
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case accelerator
        case title
        case accelerators
        case memoryBytes = "memory_bytes"
        case nodes
        case labels
    }
}

/// Machines of one kind.
public struct PlanNodes: Hashable, Codable, Sendable {
    /// Who rents them out.
    public var provider: String
    /// The instance's name.
    public var instance: String
    /// How many.
    public var count: Int
    /// Accelerators in each.
    public var accelerators: Int
    /// How they reach each other.
    public var interconnect: Interconnect.Kind
    /// Price of one in US dollars per hour; nil: unknown.
    public var usdPerHour: Double?
    /// Where the price holds.
    public var region: String?
    /// Where the price comes from, with its date.
    public var priceSource: Provenance?

    /// Describes machines.
    public init(
        provider: String, instance: String, count: Int, accelerators: Int, interconnect: Interconnect.Kind,
        usdPerHour: Double? = nil, region: String? = nil, priceSource: Provenance? = nil
    ) {
        self.provider = provider
        self.instance = instance
        self.count = count
        self.accelerators = accelerators
        self.interconnect = interconnect
        self.usdPerHour = usdPerHour
        self.region = region
        self.priceSource = priceSource
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case provider
        case instance
        case count
        case accelerators
        case interconnect
        case usdPerHour = "usd_per_hour"
        case region
        case priceSource = "price_source"
    }
}
