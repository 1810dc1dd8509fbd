// What a data sheet says of an accelerator, in the units that a kernel's time is made of.
import CServeCore

/// An accelerator's rates. What a sheet leaves out is filled in with a typical value.
public struct DeviceRates: Hashable, Sendable {
    /// Bytes per second of its memory.
    public var bandwidth: Double
    /// Streaming multiprocessors.
    public var processors: Double
    /// Bytes of the second-level cache.
    public var cache: Double
    /// Cycles per microsecond at boost clock.
    public var clock: Double
    /// Whether attention runs as FlashAttention-3: one block per processor that overlaps loads with arithmetic, heads of a
    /// group packed into one tile (Shah et al. 2024, arXiv:2407.08608: Hopper).
    public var hasAsynchronousAttention: Bool
    /// Bytes of shared memory of a processor, by compute capability. Source: CUDA C++ Programming Guide, technical
    /// specifications per compute capability.
    public var sharedMemory: Double
    /// Dense operations per second by type.
    public var peaks: [ArithmeticType: Double]

    /// Reads a data sheet.
    ///
    /// The boost clock is what the single-precision peak says: two operations per core and cycle, 128 cores in a processor,
    /// 64 in those of Volta, Turing and the A100 and A30 (NVIDIA's architecture papers).
    public init(_ spec: AcceleratorSpec) {
        let capability: String = spec.computeCapability ?? ""
        let cores: Double = capability.hasPrefix("7.") || capability == "8.0" ? 64 : 128
        bandwidth = spec.memoryBandwidth
        processors = Double(spec.processors ?? 100)
        cache = Double(spec.l2Bytes ?? 6_000_000)
        peaks = spec.peaks
        hasAsynchronousAttention = capability == "9.0" || capability.hasPrefix("10.")
        let shared: [String: Double] = [
            "7.0": 96e3, "7.5": 64e3, "8.0": 164e3, "8.7": 164e3, "9.0": 228e3, "10.0": 228e3,
        ]
        sharedMemory = shared[capability] ?? 100e3
        let single: Double = spec.peaks[.float32] ?? 0
        let derived: Double = single / (2 * cores * processors) / 1e6
        clock = spec.kind == .gpu && derived > 500 && derived < 4000 ? derived : 1700
    }

    /// The peak of 16-bit arithmetic, whichever of the two types has one.
    public var halfPeak: Double { peaks[.bfloat16] ?? peaks[.float16] ?? peaks[.float32] ?? 1e12 }

    /// Seconds of so many thousand cycles.
    func seconds(kilocycles: Double) -> Double { kilocycles * 1e-3 / clock }
}
