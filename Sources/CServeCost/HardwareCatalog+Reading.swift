// Catalogue files as written, merged entry by entry, and how their fields are read.
import CServeCore

/// The entries of all files, each with the file that spoke of it last.
struct WrittenCatalog: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        var file: String
        var path: String
        var object: JSONObject

        var fields: CatalogFields { CatalogFields(file: file, object: object, path: path) }
    }

    private var accelerators: [Entry] = []
    private var topologies: [Entry] = []
    private var nodes: [Entry] = []
    private var calibrations: [Entry] = []

    mutating func add(_ file: CatalogFile) throws(CatalogError) {
        let top = try CatalogFields(file)
        try top.check(known: ["schema", "comment", "accelerators", "topologies", "nodes", "calibrations"])
        let schema = try top.requiredString("schema")
        guard schema == HardwareCatalog.schema else {
            throw .unknownSchema(file: file.name, schema: schema, expected: HardwareCatalog.schema)
        }
        for one in try top.list("accelerators") { try Self.merge(one, into: &accelerators, keys: ["name"]) }
        for one in try top.list("topologies") { try Self.merge(one, into: &topologies, keys: ["accelerator"]) }
        for one in try top.list("nodes") { try Self.merge(one, into: &nodes, keys: ["provider", "name", "region"]) }
        calibrations += try top.list("calibrations").map { (fields: CatalogFields) -> Entry in
            Entry(file: fields.file, path: fields.path, object: fields.object)
        }
    }

    /// An entry of the same keys takes the members that the new one gives; a key that is not given matches any.
    private static func merge(
        _ fields: CatalogFields, into entries: inout [Entry], keys: [String]
    ) throws(CatalogError) {
        for key in keys where key == "name" || key == "accelerator" { _ = try fields.requiredString(key) }
        let same = entries.firstIndex { entry in
            keys.allSatisfy { fields.object[$0] == nil || entry.object[$0] == fields.object[$0] }
        }
        guard let same else {
            return entries.append(Entry(file: fields.file, path: fields.path, object: fields.object))
        }
        for (key, value) in fields.object.members { entries[same].object[key] = value }
        entries[same].file = fields.file
        entries[same].path = fields.path
    }

    func readAccelerators() throws(CatalogError) -> [AcceleratorSpec] {
        var all: [AcceleratorSpec] = []
        for entry in accelerators { all.append(try AcceleratorSpec(entry.fields)) }
        return all
    }

    func readTopologies() throws(CatalogError) -> [HardwareTopology] {
        var all: [HardwareTopology] = []
        for entry in topologies { all.append(try HardwareTopology(entry.fields)) }
        return all
    }

    func readNodes() throws(CatalogError) -> [NodeSpec] {
        var all: [NodeSpec] = []
        for entry in nodes { all.append(try NodeSpec(entry.fields)) }
        return all
    }

    func readCalibrations(accelerators known: Set<String>) throws(CatalogError) -> [MachineCalibration] {
        var all: [MachineCalibration] = []
        for entry in calibrations {
            let one: MachineCalibration
            do {
                one = try JSONValue.object(entry.object).decoded(file: entry.file)
            } catch {
                throw .badCalibration(file: entry.file, field: entry.path, reason: error.description)
            }
            guard known.contains(one.accelerator) else {
                throw .unknownNode(
                    file: entry.file, field: entry.path + "accelerator", name: one.accelerator, choices: known.sorted())
            }
            all.removeAll { $0.accelerator == one.accelerator && $0.model == one.model }
            all.append(one)
        }
        return all
    }

    func checkReferences(accelerators known: Set<String>) throws(CatalogError) {
        for entry in topologies + nodes {
            let name = try entry.fields.requiredString("accelerator")
            guard !known.contains(name) else { continue }
            throw .unknownNode(
                file: entry.file, field: entry.path + "accelerator", name: name, choices: known.sorted())
        }
    }
}

extension AcceleratorSpec {
    init(_ fields: CatalogFields) throws(CatalogError) {
        try fields.check(known: Self.known)
        self.init(
            name: try fields.requiredString("name"), title: try fields.requiredString("title"),
            aliases: try fields.strings("aliases"), kind: try fields.choice("kind", Kind.self) ?? .gpu,
            architecture: try fields.requiredString("architecture"),
            computeCapability: try fields.string("compute_capability"),
            memoryBytes: try fields.requiredInt("memory_bytes"),
            memoryBandwidth: try fields.requiredDouble("memory_bandwidth_bytes_per_s"),
            peaks: try Self.peaks(fields), l2Bytes: try fields.int("l2_bytes"),
            processors: try fields.int("processors"), hostLink: try Link(fields.fields("host_link")),
            watts: try fields.double("tdp_w"),
            labels: try fields.members("labels") { (inner, key) throws(CatalogError) in try inner.requiredString(key) },
            provenance: try Provenance.byField(fields))
    }

    private static let known = [
        "name", "title", "aliases", "kind", "architecture", "compute_capability", "memory_bytes",
        "memory_bandwidth_bytes_per_s", "peak_ops_per_s", "l2_bytes", "processors", "host_link", "tdp_w", "labels",
        "provenance", "note",
    ]

    private static func peaks(_ fields: CatalogFields) throws(CatalogError) -> [ArithmeticType: Double] {
        let inner = try fields.requiredFields("peak_ops_per_s")
        try inner.check(known: ArithmeticType.allCases.map(\.rawValue))
        var peaks: [ArithmeticType: Double] = [:]
        for type in ArithmeticType.allCases { peaks[type] = try inner.double(type.rawValue) }
        guard !peaks.isEmpty else { throw .missing(file: fields.file, field: inner.path + "float16") }
        return peaks
    }
}

extension Link {
    init?(_ fields: CatalogFields?) throws(CatalogError) {
        guard let fields else { return nil }
        try fields.check(known: ["latency_s", "bandwidth_bytes_per_s"])
        self.init(
            latency: try fields.requiredDouble("latency_s", orZero: true),
            bandwidth: try fields.requiredDouble("bandwidth_bytes_per_s"))
    }
}

extension Interconnect {
    init(_ fields: CatalogFields) throws(CatalogError) {
        try fields.check(known: ["kind", "link", "far_link"])
        guard let kind = try fields.choice("kind", Kind.self) else {
            throw .missing(file: fields.file, field: fields.path + "kind")
        }
        guard let link = try Link(fields.fields("link")) else {
            throw .missing(file: fields.file, field: fields.path + "link")
        }
        self.init(kind: kind, link: link, farLink: try Link(fields.fields("far_link")))
    }
}

extension Provenance {
    static func byField(_ fields: CatalogFields) throws(CatalogError) -> [String: Provenance] {
        try fields.members("provenance") { (all, key) throws(CatalogError) in
            let one = try all.requiredFields(key)
            try one.check(known: ["source", "date", "estimate"])
            return Provenance(
                source: try one.requiredString("source"), date: try one.requiredString("date"),
                isEstimate: try one.bool("estimate"))
        }
    }
}

extension HardwareTopology {
    init(_ fields: CatalogFields) throws(CatalogError) {
        try fields.check(known: [
            "accelerator", "interconnects", "largest_node", "network", "host_memory_bytes", "provenance",
        ])
        var interconnects: [Interconnect] = []
        for one in try fields.list("interconnects") { interconnects.append(try Interconnect(one)) }
        self.init(
            accelerator: try fields.requiredString("accelerator"), interconnects: interconnects,
            largestNode: try fields.int("largest_node") ?? 8, network: try Link(fields.fields("network")),
            hostMemoryBytes: try fields.int("host_memory_bytes"), provenance: try Provenance.byField(fields))
    }
}

extension NodeSpec {
    init(_ fields: CatalogFields) throws(CatalogError) {
        try fields.check(known: [
            "provider", "name", "accelerator", "count", "interconnect", "network", "vcpus", "host_memory_bytes",
            "usd_per_hour", "region", "provenance", "note",
        ])
        self.init(
            provider: try fields.string("provider") ?? "own", name: try fields.requiredString("name"),
            accelerator: try fields.requiredString("accelerator"), count: try fields.requiredInt("count"),
            interconnect: try Interconnect(fields.requiredFields("interconnect")),
            network: try Link(fields.fields("network")), vcpus: try fields.int("vcpus"),
            hostMemoryBytes: try fields.int("host_memory_bytes"), usdPerHour: try fields.double("usd_per_hour"),
            region: try fields.string("region"), provenance: try Provenance.byField(fields))
    }
}
