// One measured kernel: what it computed and how long it took, in the terms of the physical models.
import CServeCore

/// What a measured kernel computed.
public enum KernelWork: Hashable, Sendable {
    /// A matrix product of a type that tables name: `bfloat16`, `fp8`, `fp8_block`, ...
    case gemm(m: Double, n: Double, k: Double, type: String)
    /// Attention of like pieces of prompts.
    case prefill(requests: Double, tokens: Double, context: Double, shape: AttentionShape)
    /// Attention of like decodes; the context counts the token's own position.
    case decode(requests: Double, context: Double, shape: AttentionShape)

    /// The operator's name in curves and reports.
    public var name: String {
        switch self {
        case .gemm: "gemm"
        case .prefill: "prefill attention"
        case .decode: "decode attention"
        }
    }

    /// What tells one curve from another: the type of a product. Attention's forms are axes of one curve.
    var curve: CurveKind {
        switch self {
        case .gemm(_, _, _, let type): .gemm(type: type)
        case .prefill: .prefill
        case .decode: .decode
        }
    }

    /// Logarithms to the base 2, axis by axis.
    var coordinates: [Double] {
        switch self {
        case .gemm(let m, let n, let k, _): return [m, n, k].map(CostMath.log2)
        case .prefill(let requests, let tokens, let context, let shape):
            return KernelWork.attention(requests, tokens, shape) + [CostMath.log2(1 + context / tokens)]
        case .decode(let requests, let context, let shape): return KernelWork.attention(requests, context, shape)
        }
    }

    private static func attention(_ requests: Double, _ length: Double, _ shape: AttentionShape) -> [Double] {
        let window: Double = shape.window.map { min(Double($0), 1_048_576) } ?? 1_048_576
        let axes: [Double] = [
            requests, length, Double(shape.heads), Double(shape.kvHeads), Double(shape.headDim), window,
        ]
        return axes.map(CostMath.log2) + [shape.cacheBytes]
    }

    /// The physical model's time.
    func modelled(_ rates: DeviceRates, _ constants: [Double], isCold: Bool = false) -> Double {
        switch self {
        case .gemm(let m, let n, let k, let type):
            return GemmPhysics.seconds(
                GemmWork(m: m, n: n, k: k, type: type, rates: rates), rates, constants, isCold: isCold)
        case .prefill(let requests, let tokens, let context, let shape):
            let work = PrefillWork(requests: requests, tokens: tokens, context: context)
            return PrefillPhysics.seconds(work, shape, rates, peak: rates.halfPeak, constants)
        case .decode(let requests, let context, let shape):
            let work = DecodeWork(requests: requests, context: context)
            return DecodePhysics.seconds(work, shape, rates, constants, isCold: isCold)
        }
    }
}

/// A curve's operator and, for products, type.
public enum CurveKind: Hashable, Sendable {
    /// Matrix products of a type.
    case gemm(type: String)
    /// Attention of prompts.
    case prefill
    /// Attention of decodes.
    case decode

    /// The constants that hold for every accelerator.
    var constants: [Double] {
        switch self {
        case .gemm: GemmPhysics.constants
        case .prefill: PrefillPhysics.constants
        case .decode: DecodePhysics.constants
        }
    }

    /// Places of constants that measured rows cannot tell: prompts hardly ever wait for memory alone.
    var fixedConstants: Set<Int> { self == .prefill ? [PrefillPhysics.Constant.bandwidth.rawValue] : [] }

    /// Weights of the axes, neighbours and power of the interpolation: the best of a few tried on a seeded hold-out of the
    /// measured tables (docs/LOG.md).
    var metric: (weights: [Double], neighbours: Int, power: Double) {
        switch self {
        case .gemm: ([1, 1, 1], 6, 2)
        case .prefill: ([1, 1, 0.5, 0.5, 3, 3, 1, 1], 4, 2)
        case .decode: ([1, 1, 0.5, 0.5, 3, 3, 1], 4, 2)
        }
    }

    /// A name for files and reports.
    public var name: String {
        switch self {
        case .gemm(let type): "gemm " + type
        case .prefill: "prefill attention"
        case .decode: "decode attention"
        }
    }

    /// Reads ``name``.
    init?(name: String) {
        switch name {
        case "prefill attention": self = .prefill
        case "decode attention": self = .decode
        default:
            guard name.hasPrefix("gemm ") else { return nil }
            self = .gemm(type: String(name.dropFirst(5)))
        }
    }
}

extension GemmWork {
    /// Whether numbers of a type take a byte.
    static func isByte(_ type: String) -> Bool { type.hasPrefix("fp8") || type.hasPrefix("int8") }

    /// A product of a type that tables name; a type without a peak of its own is widened to 16 bits.
    init(m: Double, n: Double, k: Double, type: String, rates: DeviceRates) {
        let isByte: Bool = Self.isByte(type)
        let isNarrow: Bool = type.hasPrefix("int4") || type.hasPrefix("nvfp4") || type.hasPrefix("fp4")
        let wanted: ArithmeticType = type.hasPrefix("int8") ? .int8 : isByte ? .fp8 : .bfloat16
        let inputs: Double = isByte && rates.peaks[wanted] != nil ? 1 : 2
        self.init(
            m: m, n: n, k: k, weightBytes: isNarrow ? 0.53 : isByte ? 1 : 2, inputBytes: inputs,
            peak: rates.peaks[wanted] ?? rates.halfPeak)
        quantising = inputs == 1 ? Quantising(type: type) : nil
    }
}

/// One row of a measured table.
public struct KernelSample: Hashable, Sendable {
    /// What was computed.
    public var work: KernelWork
    /// How long it took.
    public var seconds: Double
    /// The row's line.
    public var line: Int

    /// Describes a row.
    public init(_ work: KernelWork, seconds: Double, line: Int = 0) {
        self.work = work
        self.seconds = seconds
        self.line = line
    }
}
