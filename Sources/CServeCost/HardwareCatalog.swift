// What hardware there is, how its parts are linked and what it costs: catalogue files, laid over each other and looked up.
import CServeCore

/// Accelerators, topologies and nodes of catalogue files; later files override earlier ones field by field.
public struct HardwareCatalog: Hashable, Sendable {
    /// The version of the files' format.
    public static let schema = "cserve-hardware/1"

    /// Accelerators in the files' order.
    public internal(set) var accelerators: [AcceleratorSpec] = []
    /// How accelerators are linked where no instance says so.
    public internal(set) var topologies: [HardwareTopology] = []
    /// Nodes that can be had: the clouds' instances, and a user's own.
    public internal(set) var nodes: [NodeSpec] = []
    /// What was measured on accelerators; later ones of the same model and types replace earlier ones.
    public internal(set) var calibrations: [MachineCalibration] = []
    /// Prices per accelerator and hour that the user gave, by catalogue name; they replace every list price.
    public internal(set) var prices: [String: Double] = [:]
    private var written: WrittenCatalog = WrittenCatalog()

    /// Reads catalogue files.
    /// - Throws: ``CatalogError``, naming file and field.
    public init(_ files: [CatalogFile] = []) throws(CatalogError) {
        for file in files { try add(file) }
    }

    /// Lays a file over what is there: entries of the same name change the fields that they give, others are added.
    /// - Throws: ``CatalogError``, naming file and field; the catalogue is then as before.
    public mutating func add(_ file: CatalogFile) throws(CatalogError) {
        var next = written
        try next.add(file)
        let accelerators = try next.readAccelerators()
        let topologies = try next.readTopologies()
        let nodes = try next.readNodes()
        try next.checkReferences(accelerators: Set(accelerators.map(\.name)))
        let calibrations = try next.readCalibrations(accelerators: Set(accelerators.map(\.name)))
        written = next
        self.accelerators = accelerators
        self.topologies = topologies
        self.nodes = nodes
        self.calibrations = calibrations
    }

    // MARK: Look-ups

    /// An accelerator by its name, its title or one of its aliases, in any case and punctuation.
    public func accelerator(named name: String) -> AcceleratorSpec? {
        let key = NameMatch.key(name)
        if let exact = accelerators.first(where: { NameMatch.key($0.name) == key }) { return exact }
        return accelerators.first { one in
            ([one.title] + one.aliases + one.labels.values).contains { NameMatch.key($0) == key }
        }
    }

    /// A cloud's instance, or a user's node, by its name; `aws/g6.12xlarge` says whose.
    public func node(named name: String) -> NodeSpec? {
        let parts = name.split(separator: "/", maxSplits: 1)
        let provider = parts.count == 2 ? parts[0].lowercased() : nil
        let wanted = (parts.last ?? "").lowercased()
        return nodes.first { node in
            node.name.lowercased() == wanted && (provider == nil || node.provider.lowercased() == provider)
        }
    }

    /// An accelerator, or the error that lists the choices.
    public func requireAccelerator(_ name: String) throws(CatalogError) -> AcceleratorSpec {
        guard let found = accelerator(named: name) else { throw unknown(name) }
        return found
    }

    func unknown(_ name: String) -> CatalogError {
        let names = accelerators.map(\.name)
        let near = NameMatch.near(name, among: names + nodes.map(\.name))
        return .unknownHardware(name: name, near: near, accelerators: names)
    }

    // MARK: Nodes that nobody rents out

    /// A node of so many accelerators, linked as catalogued.
    /// - Parameter topology: The kind of links; nil takes the accelerator's usual one.
    /// - Throws: ``CatalogError/unknownTopology(name:accelerator:choices:)``.
    public func genericNode(
        _ accelerator: AcceleratorSpec, count: Int, topology: Interconnect.Kind? = nil
    ) throws(CatalogError) -> NodeSpec {
        let known = topologies.first { $0.accelerator == accelerator.name }
        let choices = known?.interconnects ?? []
        var interconnect = choices.first ?? Interconnect(kind: .pcieHost, link: accelerator.hostLink ?? Self.slowLink)
        if let topology, count > 1 {
            guard let chosen = choices.first(where: { $0.kind == topology }) else {
                throw .unknownTopology(
                    name: topology.rawValue, accelerator: accelerator.name, choices: choices.map(\.kind.rawValue))
            }
            interconnect = chosen
        }
        if count == 1 { interconnect.kind = .none }
        return NodeSpec(
            provider: "generic", name: "\(count)x\(accelerator.name)", accelerator: accelerator.name, count: count,
            interconnect: interconnect, network: known?.network, vcpus: nil, hostMemoryBytes: known?.hostMemoryBytes,
            usdPerHour: prices[accelerator.name].map { $0 * Double(count) },
            region: prices[accelerator.name] == nil ? nil : "own price", provenance: known?.provenance ?? [:])
    }

    /// How many accelerators of a kind one node holds, unless an instance says otherwise.
    public func largestNode(_ accelerator: String) -> Int {
        topologies.first { $0.accelerator == accelerator }?.largestNode ?? 8
    }

    /// For an accelerator without a topology and a host link: PCIe 3.0 x16 staged through the host (estimate).
    private static let slowLink = Link(latency: 20e-6, bandwidth: 6e9)
}

/// How accelerators of one kind are linked in nodes that are described by their count alone.
public struct HardwareTopology: Hashable, Sendable {
    /// The accelerator's catalogue name.
    public var accelerator: String
    /// The links that there are, the usual one first.
    public var interconnects: [Interconnect]
    /// Accelerators that a node holds at most.
    public var largestNode: Int
    /// To other nodes.
    public var network: Link?
    /// Memory of the host in bytes.
    public var hostMemoryBytes: Int?
    /// Sources by field name.
    public var provenance: [String: Provenance]
}
