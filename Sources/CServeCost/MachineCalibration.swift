// What `cserve profile` writes beside an accelerator's sheet: one model's calibration there, and for what it holds.
import CServeCore

/// A calibration measured on one accelerator of a catalogue file, with what it was measured of and by.
public struct MachineCalibration: Hashable, Codable, Sendable {
    /// The accelerator's catalogue name.
    public var accelerator: String
    /// The model that was measured.
    public var model: ProfiledModel
    /// The machine and the program.
    public var machine: MachineFingerprint
    /// The times, with the interval of held-out errors.
    public var calibration: Calibration
    /// Passes that were measured and not fitted to: what is predicted for them.
    public var heldOut: ErrorFigures
    /// The same passes predicted from data sheet and scalars alone, as for a model that was not profiled.
    public var heldOutByScalars: ErrorFigures

    /// Puts a calibration beside what it was measured of.
    public init(
        accelerator: String, model: ProfiledModel, machine: MachineFingerprint, calibration: Calibration,
        heldOut: ErrorFigures, heldOutByScalars: ErrorFigures
    ) {
        self.accelerator = accelerator
        self.model = model
        self.machine = machine
        self.calibration = calibration
        self.heldOut = heldOut
        self.heldOutByScalars = heldOutByScalars
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case accelerator
        case model
        case machine
        case calibration
        case heldOut = "held_out"
        case heldOutByScalars = "held_out_by_scalars"
    }
}

/// A model as it was profiled.
public struct ProfiledModel: Hashable, Codable, Sendable {
    /// What it was called.
    public var name: String
    /// ``ModelShape/formDigest``: a model of the same form takes the same time.
    public var digest: String
    /// How its layers' matrices were stored: `bfloat16`, `int8`.
    public var weights: String
    /// How keys and values were stored.
    public var cache: String

    /// Describes a model.
    public init(name: String, digest: String, weights: String, cache: String) {
        self.name = name
        self.digest = digest
        self.weights = weights
        self.cache = cache
    }

    /// Describes a model with its types.
    public init(name: String, shape: ModelShape, weights: WeightFormat, cache: CacheFormat) {
        self.init(name: name, digest: shape.formDigest, weights: weights.title, cache: cache.rawValue)
    }
}

/// Where and with what something was measured.
public struct MachineFingerprint: Hashable, Codable, Sendable {
    /// The processor, as it calls itself.
    public var processor: String
    /// Cores that the process might use.
    public var cores: Int
    /// Threads that computed.
    public var threads: Int
    /// The kernels' level.
    public var instructionSet: String
    /// Memory in bytes.
    public var memoryBytes: Int
    /// The operating system and its version.
    public var system: String
    /// The program and its version.
    public var generator: String
    /// When, in UTC.
    public var date: String

    /// Describes a machine.
    public init(
        processor: String, cores: Int, threads: Int, instructionSet: String, memoryBytes: Int, system: String,
        generator: String, date: String
    ) {
        self.processor = processor
        self.cores = cores
        self.threads = threads
        self.instructionSet = instructionSet
        self.memoryBytes = memoryBytes
        self.system = system
        self.generator = generator
        self.date = date
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case processor
        case cores
        case threads
        case instructionSet = "instruction_set"
        case memoryBytes = "memory_bytes"
        case system
        case generator
        case date
    }
}

/// Relative errors as a file keeps them.
public struct ErrorFigures: Hashable, Codable, Sendable {
    /// Predictions.
    public var count: Int
    /// The median of the magnitudes.
    public var median: Double
    /// The 90th percentile of the magnitudes.
    public var p90: Double
    /// The median with its sign.
    public var bias: Double

    /// Keeps a summary.
    public init(_ summary: ErrorSummary) {
        count = summary.count
        median = summary.median
        p90 = summary.p90
        bias = summary.bias
    }
}

extension MachineCalibration {
    /// The range that a plan states where shapes are borrowed: no better than for neighbouring shapes.
    static let borrowedInterval = ErrorInterval(low: -0.25, high: 0.25)

    /// The calibration for a placement: whole where the very model was measured in the same types, else its scalars, with a
    /// note of what is borrowed.
    func calibration(for placement: ReplicaPlacement) -> Calibration {
        let differences: [String] = differences(from: placement)
        guard !differences.isEmpty else { return calibration }
        var borrowed: Calibration = calibration
        borrowed.profiles = []
        let own: ErrorInterval = Self.borrowedInterval
        borrowed.interval = ErrorInterval(
            low: min(own.low, -heldOutByScalars.p90), high: max(own.high, heldOutByScalars.p90))
        borrowed.note =
            "Times on \(accelerator) are borrowed from \(model.name) (\(model.weights), KV cache \(model.cache)): "
            + "\(differences.joined(separator: "; ")). cserve profile --model measures this one."
        return borrowed
    }

    /// What keeps the measured operators from being this placement's.
    func differences(from placement: ReplicaPlacement) -> [String] {
        var differences: [String] = []
        if placement.shape.formDigest != model.digest { differences.append("the model has other shapes") }
        let weights: String = placement.precision.weights.title
        if weights != model.weights { differences.append("weights are \(weights)") }
        let cache: String = placement.precision.cache.rawValue
        if cache != model.cache { differences.append("the KV cache is \(cache)") }
        if placement.accelerators > 1 { differences.append("the model is divided") }
        if let threads = placement.recipe.threads, threads != machine.threads {
            differences.append("\(threads) threads in place of \(machine.threads)")
        }
        return differences
    }
}

extension ModelShape {
    /// Identifies what a step's time depends on: layers, widths, heads, windows, experts, vocabulary.
    public var formDigest: String {
        var parts: [String] = [
            "\(family)", "\(layers)", "\(hiddenSize)", "\(intermediateSize)", "\(heads)", "\(kvHeads)", "\(headDim)",
            "\(vocabularySize)", "\(activation)", "\(queryKeyNorm)", "\(sandwichNorms)",
            slidingWindow.map { "\($0)" } ?? "-", slidingLayers.map { $0 ? "1" : "0" }.joined(),
        ]
        if let mixture {
            parts += ["\(mixture.experts)", "\(mixture.perToken)", "\(mixture.intermediateSize)"]
            parts += ["\(mixture.sharedIntermediateSize ?? 0)", mixture.layers.map { $0 ? "1" : "0" }.joined()]
        }
        return SHA256.hexadecimal(of: Array(parts.joined(separator: " ").utf8))
    }
}

extension WeightFormat {
    /// The name by which profiles tell formats apart: `bfloat16`, `int8`, `int4 in groups of 32`.
    public var title: String {
        switch self {
        case .plain(let element): element.rawValue
        case .quantized(let format):
            format.code.rawValue + (format.group.map { " in groups of \($0)" } ?? "")
        }
    }
}
