// Turns measured tables into curves for shipping: the newest version of each, thinned, with what thinning costs.
import CServeCore

/// Gathers measured tables by accelerator.
public struct LibraryBuilder: Sendable {
    /// A measured accelerator with its tables.
    public struct Machine: Sendable {
        /// The accelerator's name, and the machine's where it is a special one: `A100-80GB-SXM pairwise nvlink`.
        public var name: String
        /// Its data sheet.
        public var spec: AcceleratorSpec
        /// How the measured machine's accelerators reach each other.
        public var interconnect: Interconnect
        /// Its tables.
        public var tables: [KernelTable]
    }

    /// What thinning costs a curve: the error of the rows that were left out, predicted from those that stayed.
    public struct Thinning: Sendable {
        /// The curve, as ``LibraryFile/name(_:_:)``.
        public var curve: String
        /// Points measured and kept.
        public var measured: Int
        /// Points kept.
        public var kept: Int
        /// The errors of the others.
        public var errors: ErrorSummary
    }

    /// The machines.
    public private(set) var machines: [Machine] = []
    /// Points that a curve keeps at most.
    public let most: Int

    /// Gathers nothing yet.
    public init(most: Int = 2400) { self.most = most }

    /// Tables of accelerators that no data sheet names: nothing can be fitted to them.
    public private(set) var unplaced: [(file: String, rows: Int)] = []

    /// Adds a table; one of an accelerator that no data sheet names goes to ``unplaced``.
    public mutating func add(_ table: KernelTable, sheets: DataSheets) {
        let prefix: String = LibraryBuilder.prefix(of: table.file)
        let words: [Substring] = prefix.split(separator: "_")
        var spec: AcceleratorSpec? = sheets.accelerator(prefix: prefix)
        var name: String = spec?.name ?? ""
        if spec == nil, table.isTopology, let first = words.first {
            // A DGX holds the form with NVLink switches.
            spec = sheets.accelerator(prefix: first + (words.contains("dgx") ? "_sxm" : ""))
            name = ([spec?.name ?? ""] + words.dropFirst().map(String.init)).joined(separator: " ")
        }
        guard let spec else {
            unplaced.append((table.file, table.rows))
            return
        }
        if let place = machines.firstIndex(where: { $0.name == name }) {
            machines[place].tables.append(table)
        } else {
            let links: Interconnect = LibraryBuilder.links(words, of: spec, sheets)
            machines.append(Machine(name: name, spec: spec, interconnect: links, tables: [table]))
        }
    }

    /// A table's name may say how its machine is linked: pairs by NVLink, or switches.
    private static func links(_ words: [Substring], of spec: AcceleratorSpec, _ sheets: DataSheets) -> Interconnect {
        let standard: Interconnect =
            sheets.links[spec.name] ?? Interconnect(kind: .pcieHost, link: Link(latency: 1e-5, bandwidth: 1e10))
        guard words.contains("pairwise") else { return standard }
        return Interconnect(
            kind: .nvlinkPairs, link: standard.link, farLink: Link(latency: 1e-5, bandwidth: 12e9))
    }

    /// What stands before the operator in a table's name: `a100_sxm` of `a100_sxm_gemm_vllm_0.14.0_gemm.csv`.
    static func prefix(of file: String) -> String {
        let name: Substring = file.split(separator: "/").last ?? ""
        var words: [Substring] = []
        for word in name.split(separator: "_") {
            if ["gemm", "attention", "comm", "all", "send"].contains(word) { break }
            words.append(word)
        }
        return words.joined(separator: "_")
    }

    /// The rows of every kind that a machine has, those of the newest version only.
    static func newest(_ tables: [KernelTable]) -> [CurveKind: (samples: [KernelSample], version: String)] {
        var found: [CurveKind: (samples: [KernelSample], version: String)] = [:]
        for table in tables.sorted(by: { version(of: $0) < version(of: $1) }) {
            let text: String = table.versions.last ?? ""
            let kinds: [CurveKind: [KernelSample]] = Dictionary(grouping: table.samples, by: \.work.curve)
            for (kind, samples) in kinds { found[kind] = (samples, text) }
        }
        return found
    }

    private static func version(of table: KernelTable) -> Double {
        let parts: [Double] = (table.versions.last ?? "").split(separator: ".").map { Double($0) ?? 0 }
        return parts.prefix(3).reduce(0) { $0 * 1000 + $1 } * (parts.count < 3 ? 1000 : 1)
    }

    /// Fits, thins and packs everything.
    /// - Parameter progress: Told the name of every curve that is begun.
    public func build(
        source: String, date: String, progress: (String) -> Void = { _ in }
    ) -> (file: LibraryFile, thinning: [Thinning]) {
        var accelerators: [UtilisationLibrary.Accelerator] = []
        var curves: [KernelCurve] = []
        var collectives: [CollectiveCurve] = []
        var origins: [String: LibraryFile.Origin] = [:]
        var costs: [Thinning] = []
        for machine in machines.sorted(by: { $0.name < $1.name }) {
            let name: String = machine.name
            accelerators.append(
                UtilisationLibrary.Accelerator(name: name, spec: machine.spec, interconnect: machine.interconnect))
            for (kind, rows) in LibraryBuilder.newest(machine.tables).sorted(by: { $0.key.name < $1.key.name }) {
                let title: String = LibraryFile.name(name, kind.name)
                progress(title)
                let (curve, cost) = thinned(kind, machine.spec, rows.samples, title: title)
                curves.append(curve)
                costs.append(cost)
                origins[title] = LibraryFile.Origin(version: rows.version, source: source, date: date)
            }
            collectives += LibraryBuilder.collectives(machine).filter { $0.isSum || $0.key.way == "send" }.map(
                \.thinned)
        }
        let library = UtilisationLibrary(accelerators: accelerators, curves: curves, collectives: collectives)
        return (LibraryFile(library: library, origins: origins), costs)
    }

    private func thinned(
        _ kind: CurveKind, _ spec: AcceleratorSpec, _ samples: [KernelSample], title: String
    ) -> (KernelCurve, Thinning) {
        let rates = DeviceRates(spec)
        let merged: [KernelSample] = KernelCurve.merged(samples)
        var generator = SearchGenerator(seed: 11)
        let kept: Set<Int> = Set(generator.sample(most, below: merged.count))
        let stays: [KernelSample] = merged.indices.filter { kept.contains($0) }.map { merged[$0] }
        let curve = KernelCurve(
            kind, accelerator: String(title.dropLast(kind.name.count + 1)), rates: rates, samples: stays)
        let errors: [Double] = merged.indices.filter { !kept.contains($0) }.map {
            curve.time(of: merged[$0].work).seconds / merged[$0].seconds - 1
        }
        let cost = Thinning(
            curve: title, measured: merged.count, kept: stays.count, errors: ErrorSummary(errors))
        return (curve, cost)
    }

    /// The machine's collectives.
    static func collectives(_ machine: Machine) -> [CollectiveCurve] {
        var points: [CollectiveCurve.Key: [CollectiveCurve.Point]] = [:]
        for table in machine.tables {
            for message in table.messages {
                let key = CollectiveCurve.Key(
                    accelerator: machine.name, way: message.way, ranks: message.ranks)
                points[key, default: []].append(message.point)
            }
        }
        return points.map { CollectiveCurve($0.key, $0.value) }.sorted {
            ($0.key.way, $0.key.ranks) < ($1.key.way, $1.key.ranks)
        }
    }
}
