// What planning knows of hardware: accelerators, how they are linked within a node, and what an instance costs.

/// Where a number comes from.
public struct Provenance: Hashable, Codable, Sendable {
    /// A datasheet, a public file, a measurement with its command.
    public var source: String
    /// When it was published, read or measured: `2026-01-19`.
    public var date: String
    /// Whether it is an estimate rather than a quoted or measured number.
    public var isEstimate: Bool?

    /// Names a source.
    public init(source: String, date: String, isEstimate: Bool? = nil) {
        self.source = source
        self.date = date
        self.isEstimate = isEstimate
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case source
        case date
        case isEstimate = "estimate"
    }
}

/// What arithmetic units multiply.
public enum ArithmeticType: String, Hashable, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    /// IEEE single precision.
    case float32
    /// IEEE half precision, sums in single.
    case float16
    /// bfloat16, sums in single.
    case bfloat16
    /// Floats of eight bits.
    case fp8
    /// Integers of eight bits.
    case int8
}

/// A way for bytes.
public struct Link: Hashable, Codable, Sendable {
    /// Seconds before the first byte arrives.
    public var latency: Double
    /// Bytes per second, one direction.
    public var bandwidth: Double

    /// Describes a link.
    public init(latency: Double, bandwidth: Double) {
        self.latency = latency
        self.bandwidth = bandwidth
    }

    /// The seconds that a message takes.
    public func time(bytes: Double) -> Double { latency + bytes / bandwidth }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case latency = "latency_s"
        case bandwidth = "bandwidth_bytes_per_s"
    }
}

/// One accelerator (or the CPU as one), as its datasheet or a profile tells.
public struct AcceleratorSpec: Hashable, Codable, Sendable {
    /// What kind it is.
    public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
        /// A GPU with memory of its own.
        case gpu
        /// The host's processor and memory.
        case cpu
    }

    /// The catalogue's short name in lower case: `l4`, `a100-40`.
    public var name: String
    /// The vendor's name: `NVIDIA L4`.
    public var title: String
    /// Other names that people type: `a100`, `A100-SXM4-80GB`.
    public var aliases: [String]
    /// What kind it is.
    public var kind: Kind
    /// The vendor's architecture in lower case: `turing`, `ampere`, `ada`, `hopper`, `zen4`. Siblings lend utilisation curves.
    public var architecture: String
    /// CUDA compute capability, `8.9`; nil for CPUs.
    public var computeCapability: String?
    /// Memory in bytes, as the driver reports it.
    public var memoryBytes: Int
    /// Peak memory bandwidth in bytes per second.
    public var memoryBandwidth: Double
    /// Peak dense operations per second (a multiply-add counts as two) by type; a type that is missing is not supported.
    public var peaks: [ArithmeticType: Double]
    /// Second-level cache in bytes.
    public var l2Bytes: Int?
    /// Streaming multiprocessors, or cores.
    public var processors: Int?
    /// Between host memory and this accelerator, one direction: what weight streaming and staged transfers use.
    public var hostLink: Link?
    /// Thermal design power in watts.
    public var watts: Double?
    /// How clusters name it, by the label's key (`cloud.google.com/gke-accelerator`, `nvidia.com/gpu.product`).
    public var labels: [String: String]
    /// Sources by field name; `*` stands for all fields without one of their own.
    public var provenance: [String: Provenance]

    /// Describes an accelerator.
    public init(
        name: String, title: String, aliases: [String] = [], kind: Kind = .gpu, architecture: String,
        computeCapability: String? = nil, memoryBytes: Int, memoryBandwidth: Double, peaks: [ArithmeticType: Double],
        l2Bytes: Int? = nil,
        processors: Int? = nil, hostLink: Link? = nil, watts: Double? = nil, labels: [String: String] = [:],
        provenance: [String: Provenance] = [:]
    ) {
        self.name = name
        self.title = title
        self.aliases = aliases
        self.kind = kind
        self.architecture = architecture
        self.computeCapability = computeCapability
        self.memoryBytes = memoryBytes
        self.memoryBandwidth = memoryBandwidth
        self.peaks = peaks
        self.l2Bytes = l2Bytes
        self.processors = processors
        self.hostLink = hostLink
        self.watts = watts
        self.labels = labels
        self.provenance = provenance
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case name
        case title
        case aliases
        case kind
        case architecture
        case computeCapability = "compute_capability"
        case memoryBytes = "memory_bytes"
        case memoryBandwidth = "memory_bandwidth_bytes_per_s"
        case peaks = "peak_ops_per_s"
        case l2Bytes = "l2_bytes"
        case processors
        case hostLink = "host_link"
        case watts = "tdp_w"
        case labels
        case provenance
    }
}

/// How the accelerators of a node reach each other.
public struct Interconnect: Hashable, Codable, Sendable {
    /// The kind of links.
    public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
        /// Only one accelerator.
        case none
        /// PCIe, staged through the host: no peer-to-peer path.
        case pcieHost = "pcie-host"
        /// PCIe with peer-to-peer transfers.
        case pciePeer = "pcie-p2p"
        /// NVLink between pairs; PCIe between pairs.
        case nvlinkPairs = "nvlink-pairs"
        /// NVLink from each to each through switches.
        case nvswitch
        /// Memory that all share (CPU sockets).
        case shared
    }

    /// The kind of links.
    public var kind: Kind
    /// Between two neighbours, one direction.
    public var link: Link
    /// Between accelerators that are no neighbours (`nvlinkPairs`: PCIe); nil: as between neighbours.
    public var farLink: Link?

    /// Describes an interconnect.
    public init(kind: Kind, link: Link, farLink: Link? = nil) {
        self.kind = kind
        self.link = link
        self.farLink = farLink
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case kind
        case link
        case farLink = "far_link"
    }
}

/// A machine that can be had: accelerators, links, host, and its price where it is rented.
public struct NodeSpec: Hashable, Codable, Sendable {
    /// Who rents it out (`aws`, `gcp`, `azure`), or `generic`.
    public var provider: String
    /// The instance's name, or a name of ours: `g6.12xlarge`, `4xl4`.
    public var name: String
    /// The accelerator's catalogue name.
    public var accelerator: String
    /// Accelerators in the node.
    public var count: Int
    /// How they reach each other.
    public var interconnect: Interconnect
    /// To other nodes; nil: the node stands alone.
    public var network: Link?
    /// Virtual processors of the host.
    public var vcpus: Int?
    /// Memory of the host in bytes.
    public var hostMemoryBytes: Int?
    /// On-demand list price in US dollars per hour; nil: not rented out.
    public var usdPerHour: Double?
    /// Where the price holds.
    public var region: String?
    /// Sources by field name; `*` stands for all fields without one of their own.
    public var provenance: [String: Provenance]

    /// Describes a node.
    public init(
        provider: String, name: String, accelerator: String, count: Int, interconnect: Interconnect,
        network: Link? = nil, vcpus: Int? = nil, hostMemoryBytes: Int? = nil, usdPerHour: Double? = nil,
        region: String? = nil, provenance: [String: Provenance] = [:]
    ) {
        self.provider = provider
        self.name = name
        self.accelerator = accelerator
        self.count = count
        self.interconnect = interconnect
        self.network = network
        self.vcpus = vcpus
        self.hostMemoryBytes = hostMemoryBytes
        self.usdPerHour = usdPerHour
        self.region = region
        self.provenance = provenance
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case provider
        case name
        case accelerator
        case count
        case interconnect
        case network
        case vcpus
        case hostMemoryBytes = "host_memory_bytes"
        case usdPerHour = "usd_per_hour"
        case region
        case provenance
    }
}
