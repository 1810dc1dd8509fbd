// Judges the operator curves on measurements that they were not fitted to: rows left out, and whole accelerators left out.
import CServeCore

/// The operators' proof over the machines of a data folder.
public struct OperatorFidelity: Sendable {
    /// One line of the report.
    public struct Line: Sendable {
        /// The accelerator.
        public var accelerator: String
        /// The operator and its type.
        public var name: String
        /// The software's version; for whole accelerators left out, all of them.
        public var version: String
        /// The errors.
        public var errors: ErrorSummary
        /// Every error, for sums over lines.
        public var values: [Double]
    }

    /// The share of rows that are left out.
    public static let share: Double = 0.15
    private let machines: [LibraryBuilder.Machine]
    private let teachers: [ProfiledKernels]
    private let seed: UInt64

    /// Judges machines.
    /// - Parameter teachers: Accelerators that are not judged but help where one that is judged is left out.
    public init(_ machines: [LibraryBuilder.Machine], teachers: [ProfiledKernels] = [], seed: UInt64 = 1) {
        self.machines = machines.sorted { $0.name < $1.name }
        self.teachers = teachers
        self.seed = seed
    }

    private typealias MeasuredSet = (
        machine: LibraryBuilder.Machine, table: KernelTable, kind: CurveKind, samples: [KernelSample]
    )

    /// The measured kernels by machine, table and kind.
    private var sets: [MeasuredSet] {
        machines.flatMap { machine in
            machine.tables.flatMap { table in
                let kinds: [CurveKind: [KernelSample]] = Dictionary(grouping: table.samples, by: \.work.curve)
                return kinds.sorted { $0.key.name < $1.key.name }.map { (machine, table, $0.key, $0.value) }
            }
        }
    }

    /// Leaves rows out at random, fits to the others and predicts them.
    public func insideGrid(progress: (String) -> Void = { _ in }) -> [Line] {
        sets.map { set in
            progress(LibraryFile.name(set.machine.name, set.kind.name))
            let merged: [KernelSample] = KernelCurve.merged(set.samples)
            var generator = SearchGenerator(seed: seed)
            let out: Set<Int> = Set(
                generator.sample(max(1, Int(Double(merged.count) * Self.share)), below: merged.count))
            let rest: [KernelSample] = merged.indices.filter { !out.contains($0) }.map { merged[$0] }
            let curve = KernelCurve(
                set.kind, accelerator: set.machine.spec.name, rates: DeviceRates(set.machine.spec), samples: rest)
            let errors: [Double] = out.sorted().map {
                curve.time(of: merged[$0].work).seconds / merged[$0].seconds - 1
            }
            return line(set.machine, set.kind.name, set.table.versions, errors)
        }
    }

    private func line(
        _ machine: LibraryBuilder.Machine, _ name: String, _ versions: [String], _ errors: [Double]
    ) -> Line {
        Line(
            accelerator: machine.name, name: name, version: versions.joined(separator: ", "),
            errors: ErrorSummary(errors), values: errors)
    }

    /// Leaves each accelerator out: the constants are fitted to the others, and only its data sheet is known.
    /// - Parameters:
    ///   - hold: How strongly constants are held near those that ship, per squared logarithm.
    ///   - rounds: Fits with different seeds: the constants are their geometric means, since a search alone wanders.
    public func withoutAccelerator(
        hold: Double = 0.006, rounds: Int = 3, progress: (String) -> Void = { _ in }
    ) -> [Line] {
        let sets = sets
        return sets.map { set in
            progress("without " + LibraryFile.name(set.machine.name, set.kind.name))
            let others = lessons(for: set.kind, without: set.machine.spec, in: sets)
            let constants: [Double] =
                others.isEmpty
                ? set.kind.constants
                : averaged(set.kind, others, hold: hold, rounds: rounds)
            let rates = DeviceRates(set.machine.spec)
            let errors: [Double] = KernelCurve.merged(set.samples).map {
                $0.work.modelled(rates, constants) / $0.seconds - 1
            }
            return line(set.machine, set.kind.name, set.table.versions, errors)
        }
    }

    /// Predicts every accelerator by its data sheet and the constants that ship, which were fitted to all of these.
    public func byShippedConstants() -> [Line] {
        sets.map { set in
            let rates = DeviceRates(set.machine.spec)
            let errors: [Double] = KernelCurve.merged(set.samples).map {
                $0.work.modelled(rates, set.kind.constants) / $0.seconds - 1
            }
            return line(set.machine, set.kind.name, set.table.versions, errors)
        }
    }

    private func averaged(
        _ kind: CurveKind, _ others: [(rates: DeviceRates, samples: [KernelSample])], hold: Double, rounds: Int
    ) -> [Double] {
        var sums: [Double] = kind.constants.map { _ in 0 }
        for round in 0..<rounds {
            let fitted = KernelCurve.fit(kind, others, hold: hold, seed: seed &+ 100 &* UInt64(round))
            for place in sums.indices { sums[place] += CMath.log(fitted[place]) / Double(rounds) }
        }
        return sums.map(CMath.exp)
    }

    private func lessons(
        for kind: CurveKind, without spec: AcceleratorSpec, in sets: [MeasuredSet]
    ) -> [(rates: DeviceRates, samples: [KernelSample])] {
        let measured = sets.filter { $0.machine.spec.name != spec.name && teaches($0.kind, kind) }.map {
            (rates: DeviceRates($0.machine.spec), samples: $0.samples)
        }
        let profiled = teachers.filter { $0.spec.name != spec.name }.map { teacher in
            (rates: DeviceRates(teacher.spec), samples: teacher.samples.filter { teaches($0.work.curve, kind) })
        }
        return measured + profiled.filter { !$0.samples.isEmpty }
    }

    /// Whether a kind's constants are fitted to another one's rows: products of every type take those of 16-bit ones.
    private func teaches(_ teacher: CurveKind, _ kind: CurveKind) -> Bool {
        guard case .gemm = kind else { return teacher == kind }
        return teacher == .gemm(type: "bfloat16")
    }

    /// Leaves messages of sums out and predicts them from the curve of the others.
    public func collectives() -> [Line] {
        machines.flatMap { machine -> [Line] in
            let curves: [CollectiveCurve] = LibraryBuilder.collectives(machine)
            var generator = SearchGenerator(seed: seed)
            var errors: [String: [Double]] = [:]
            for curve in curves where curve.points.count >= 4 && curve.isSum {
                // The first and the last point bound the grid; of the others a seventh is left out at a time.
                let order: [Int] = generator.sample(curve.points.count - 2, below: curve.points.count - 2)
                for fold in 0..<min(7, order.count) {
                    let out: Set<Int> = Set(order.indices.filter { $0 % 7 == fold }.map { order[$0] + 1 })
                    let rest: [Int] = curve.points.indices.filter { !out.contains($0) }
                    let other = CollectiveCurve(curve.key, rest.map { curve.points[$0] })
                    errors[curve.key.way, default: []] += out.sorted().map {
                        other.time(bytes: curve.points[$0].bytes).seconds / curve.points[$0].seconds - 1
                    }
                }
            }
            return errors.sorted { $0.key < $1.key }.map { line(machine, "all-reduce " + $0.key, [], $0.value) }
        }
    }

    /// Predicts every sum from the links alone.
    public func collectivesFromLinks() -> [Line] {
        machines.flatMap { machine -> [Line] in
            var errors: [String: [Double]] = [:]
            for curve in LibraryBuilder.collectives(machine) where curve.isSum {
                for point in curve.points {
                    let predicted: Double = CollectiveTheory().seconds(
                        bytes: point.bytes, ranks: curve.key.ranks, link: machine.interconnect.link, way: curve.key.way)
                    errors[curve.key.way, default: []].append(predicted / point.seconds - 1)
                }
            }
            return errors.sorted { $0.key < $1.key }.map { line(machine, "all-reduce " + $0.key, [], $0.value) }
        }
    }
}
