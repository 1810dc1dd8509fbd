// A small physical model of matrix products: tiles in waves over the processors, bytes over the memory, and a start.
import CServeCore

/// One product `[n, k] x [k, m]`.
public struct GemmWork: Hashable, Sendable {
    /// Vectors (tokens).
    public var m: Double
    /// Output features.
    public var n: Double
    /// Input features.
    public var k: Double
    /// Bytes of a stored weight.
    public var weightBytes: Double
    /// Bytes of an activation that is read.
    public var inputBytes: Double
    /// Dense operations per second of the type.
    public var peak: Double
    /// How the activations come to 8 bits; nil where they stay as they are.
    var quantising: Quantising?

    /// Describes a product.
    public init(m: Double, n: Double, k: Double, weightBytes: Double, inputBytes: Double, peak: Double) {
        self.m = m
        self.n = n
        self.k = k
        self.weightBytes = weightBytes
        self.inputBytes = inputBytes
        self.peak = peak
    }

    /// The speed of light: arithmetic or memory, whichever takes longer.
    public func lightTime(_ rates: DeviceRates) -> Double { max(2 * m * n * k / peak, bytes / rates.bandwidth) }

    var bytes: Double { weightBytes * n * k + inputBytes * m * k + 2 * m * n }
}

/// What stands before and in a product of 8-bit activations: kernels that quantise them, and what scales cost the product.
struct Quantising: Hashable, Sendable {
    /// Bytes moved per activation.
    var bytes: Double
    /// Kernels beside the product.
    var kernels: Double
    /// The share of the product's arithmetic that is left.
    var compute: Double = 1

    /// One kernel reads 16 bits and writes 8.
    static let fused = Quantising(bytes: 3, kernels: 1)
    /// vLLM 0.14 measured by itself quantises by PyTorch's operations (largest magnitude, widening, scaling, clamping,
    /// narrowing): five kernels more, and the 30 bytes that the L40S's rows show, whose time grows with activations alone.
    static let eager = Quantising(bytes: 30, kernels: 5)
    /// Scales for blocks of 128 inputs: quantising, laying out the scales, and between every 128 inputs a multiply-add per
    /// result outside of the tensor cores, 2/67 beside 256/1979 of a TFLOP on an H100 (data sheet): 23% more.
    static let block = Quantising(bytes: 3, kernels: 3, compute: 0.81)

    /// The way of a type that tables name; nil for types without quantised activations.
    init?(type: String) {
        guard GemmWork.isByte(type) else { return nil }
        self = type.hasSuffix("_block") ? .block : type.hasSuffix("_eager") ? .eager : .fused
    }

    init(bytes: Double, kernels: Double, compute: Double = 1) {
        self.bytes = bytes
        self.kernels = kernels
        self.compute = compute
    }
}

/// The model of matrix products. Its constants are in cycles and shares, so that they carry over between accelerators.
enum GemmPhysics {
    /// Places of the constants.
    enum Constant: Int, CaseIterable {
        /// Thousand cycles of a kernel that does nothing.
        case floor
        /// Share of the arithmetic peak that the largest tile reaches.
        case compute
        /// Share of the memory's bandwidth that is reached.
        case bandwidth
        /// Thousand cycles of one step of 64 input features, however small the tile.
        case step
        /// How sharply arithmetic and memory overlap: 1 adds them, infinity takes the longer.
        case sharpness
        /// Processors that saturate the memory: one in so many.
        case saturation
        /// Thousand cycles of summing a divided inner dimension.
        case split
        /// Bytes per cycle that a processor reads from the second-level cache.
        case cacheRate
        /// Share of the cache that repeated runs find their matrices in.
        case cacheShare
    }

    /// Fitted to 16-bit products on A100, H100, L40S and A40 (docs/results/fidelity.md has the errors without each of them).
    /// 8-bit products take the same ones, and their ``Quantising``.
    static let constants: [Double] = [5.2, 0.83, 0.78, 0.15, 3.9, 4, 3.1, 6.5, 0.18]

    /// Tiles that libraries choose among: rows, columns, share of the best tile's arithmetic.
    private static let tiles: [(m: Double, n: Double, share: Double)] = [
        (16, 64, 0.35), (32, 64, 0.5), (64, 64, 0.65), (64, 128, 0.8), (128, 64, 0.8), (128, 128, 0.93), (128, 256, 1),
        (256, 128, 1),
    ]

    /// The time of the best tile and division of the inner dimension.
    /// - Parameter isCold: Whether the weights come from memory, as in a model that is larger than the cache.
    static func seconds(_ work: GemmWork, _ rates: DeviceRates, _ constants: [Double], isCold: Bool = false) -> Double {
        func constant(_ place: Constant) -> Double { constants[place.rawValue] }
        let memory: Double = rates.bandwidth * constant(.bandwidth)
        let cached: Double = max(memory, rates.processors * constant(.cacheRate) * rates.clock * 1e6)
        let room: Double = constant(.cacheShare) * rates.cache
        let hit: Double = isCold ? 0 : min(1, max(0, 2 - work.bytes / room))
        let moved: Double = work.bytes * (hit / cached + (1 - hit) / memory)
        let step: Double = rates.seconds(kilocycles: constant(.step))
        let split: Double = rates.seconds(kilocycles: constant(.split))
        let sharpness: Double = constant(.sharpness)
        let compute: Double = constant(.compute) * (work.quantising?.compute ?? 1)
        var best: Double = .infinity
        for tile in tiles {
            let area: Double = (work.m / tile.m).rounded(.up) * (work.n / tile.n).rounded(.up)
            let perStep: Double = 2 * tile.m * tile.n / (work.peak / rates.processors * compute * tile.share)
            var parts: Double = 1
            while parts <= 32, parts == 1 || work.k / parts >= 256 {
                let depth: Double = work.k / parts
                let count: Double = area * parts
                let waves: Double = (count / rates.processors).rounded(.up)
                let busy: Double = waves * max(perStep * depth, (depth / 64).rounded(.up) * step)
                let active: Double = min(1, count / rates.processors * constant(.saturation))
                var time: Double = overlapped(busy, moved / active, sharpness)
                if parts > 1 { time += split + 4 * work.m * work.n * parts / (rates.bandwidth * 2) }
                best = min(best, time)
                parts *= 2
            }
        }
        let start: Double = rates.seconds(kilocycles: constant(.floor))
        guard let quantising = work.quantising else { return start + best }
        let numbers: Double = work.m * work.k
        // A pass reads and writes at most 8 bytes a number: what fits the cache is still there for the next pass.
        let kept: Double = min(1, max(0, 2 - min(quantising.bytes, 8) * numbers / rates.cache))
        return start * (1 + quantising.kernels) + best
            + quantising.bytes * numbers * (kept / cached + (1 - kept) / memory)
    }

    /// Two times that overlap more or less.
    @inline(__always)
    static func overlapped(_ left: Double, _ right: Double, _ sharpness: Double) -> Double {
        let longer: Double = max(left, right)
        let ratio: Double = min(left, right) / longer
        guard ratio > 0.1 else { return longer }
        return longer * CostMath.pow(1 + CostMath.pow(ratio, sharpness), 1 / sharpness)
    }
}
