// The file that `cserve profile` writes: a hardware catalogue of one accelerator, its calibrations among it.
import CServeCore

/// A machine's profile as a catalogue file.
public struct MachineFile: Hashable, Sendable {
    /// The machine as an accelerator.
    public var accelerator: AcceleratorSpec
    /// Models measured on it.
    public var calibrations: [MachineCalibration]

    /// Puts a file together.
    public init(accelerator: AcceleratorSpec, calibrations: [MachineCalibration]) {
        self.accelerator = accelerator
        self.calibrations = calibrations
    }

    /// The file's JSON, which ``HardwareCatalog`` reads.
    /// - Throws: what encoding throws for numbers that are not finite.
    public func json() throws -> JSONValue {
        let one = JSONObject([
            ("accelerator", .string(accelerator.name)), ("largest_node", .integer(1)),
            ("host_memory_bytes", .integer(accelerator.memoryBytes)),
        ])
        return .object(
            JSONObject([
                ("schema", .string(HardwareCatalog.schema)),
                ("accelerators", .array([try JSONValue(encoding: accelerator)])),
                ("topologies", .array([.object(one)])),
                ("calibrations", .array(try calibrations.map { try JSONValue(encoding: $0) })),
            ]))
    }
}

extension HardwareCatalog {
    /// What was measured on a placement's accelerator: the very model's calibration, else another model's scalars; nil where
    /// nothing was measured there.
    public func calibration(for placement: ReplicaPlacement) -> Calibration? {
        let own: [MachineCalibration] = calibrations.filter { $0.accelerator == placement.accelerator.name }
        let exact: MachineCalibration? = own.last { $0.differences(from: placement).isEmpty }
        let alike: MachineCalibration? = own.last { $0.model.weights == placement.precision.weights.title }
        return (exact ?? alike ?? own.last)?.calibration(for: placement)
    }
}
