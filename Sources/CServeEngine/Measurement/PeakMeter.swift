// What this machine can do at most, measured beside whatever is compared with it.

import CKernels
import CServeCore

/// A limit of the machine that a computation may run into.
public enum Peak: String, Hashable, Codable, Sendable, CaseIterable {
    /// Bytes per second read from memory.
    case read
    /// Bytes per second read from the cores' own caches.
    case cachedRead = "cached_read"
    /// Single-precision multiply-adds, in operations (two each) per second.
    case float32
    /// Dot products of bf16 pairs, in operations per second.
    case bfloat16
    /// Dot products of bytes, in operations per second.
    case int8

    /// Whether it counts bytes.
    public var isMemory: Bool { self == .read || self == .cachedRead }
}

/// Measures peaks with a backend's threads and instruction set; each measurement takes some milliseconds.
///
/// Other machines' programs and this host's neighbours move a peak by a third within minutes: measure it in the same
/// breath as the figure beside it, and compare medians.
public final class PeakMeter {
    /// Bytes read for ``Peak/read``: far more than any cache of today's machines of a few cores.
    public static let readBytes = 256 << 20
    private static let cachedBytesPerThread = 256 << 10

    private let backend: CPUBackend
    private let memory: HostMemory

    /// Takes ``readBytes`` of memory.
    /// - Throws: ``EngineError/outOfMemory(what:bytes:)``.
    public init(_ backend: CPUBackend) throws {
        self.backend = backend
        memory = try HostMemory("The memory whose reading is measured", bytes: Self.readBytes)
        // Untouched pages are all one page of zeros, which a cache holds.
        memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: memory.bytes)
    }

    /// Measures once: bytes or operations per second; nil where the instruction set has no such instruction.
    public func measure(_ peak: Peak) -> Double? {
        switch peak {
        case .read: return read(memory.bytes, piece: 1 << 20, times: 1)
        case .cachedRead:
            let piece = Self.cachedBytesPerThread
            return read(piece * backend.threads, piece: piece, times: 400)
        case .float32: return compute(CS_ARITHMETIC_F32)
        case .bfloat16: return compute(CS_ARITHMETIC_BF16)
        case .int8: return compute(CS_ARITHMETIC_INT8)
        }
    }

    private func read(_ bytes: Int, piece: Int, times: Int) -> Double {
        let start = MonotonicClock.now()
        _ = cs_peak_read(backend.context, memory.base, bytes, piece, Int32(times))
        return Double(bytes * times) / (MonotonicClock.now() - start).seconds
    }

    private func compute(_ arithmetic: cs_arithmetic) -> Double? {
        let start = MonotonicClock.now()
        let operations = cs_peak_compute(backend.context, arithmetic, 50_000)
        return operations > 0 ? operations / (MonotonicClock.now() - start).seconds : nil
    }
}

extension WeightFormat {
    /// The arithmetic that products with such weights are made of where the instruction set has it; else it is
    /// ``Peak/float32``. f16 weights are never rounded to bf16; e4m3 ones meet activations in bf16.
    public var arithmetic: Peak {
        switch self {
        case .plain(.bfloat16): .bfloat16
        case .plain: .float32
        case .quantized(let format): format.code == .fp8 ? .bfloat16 : .int8
        }
    }
}
