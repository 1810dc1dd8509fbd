// One kernel on one shape, ready to be timed or counted: what `cserve bench kernels` and the instruction counts run.

import CServeCore

/// A kernel with the work that one call of it does.
public struct KernelCase {
    /// Runs the kernel once; `call` counts the calls, so that weights can be taken in turn.
    public typealias Body = (_ call: Int) -> Void

    /// `linear`, `attention`, `rows`, `sampling` or `packing`.
    public var family: String
    /// What it computes on which shape, in words that `--filter` searches.
    public var name: String
    /// Operations of one call, a multiply-add counted as two; 0 for kernels that only move numbers.
    public var operations: Double = 0
    /// Bytes that one call reads and writes at least.
    public var bytes: Double
    /// The arithmetic that bounds the operations.
    public var arithmetic: Peak = .float32
    /// Where the bytes come from.
    public var source: Peak
    /// Reserves what one call needs and returns it.
    public var prepare: (CPUBackend) throws -> Body

    /// Every case of `cserve bench kernels`, in the shapes of TinyLlama-1.1B.
    public static func all() -> [KernelCase] {
        linearCases() + attentionCases() + rowCases() + samplingCases() + packingCases()
    }
}

/// Numbers to compute with: normally distributed, from a fixed seed.
enum KernelNumbers {
    /// Mean 0, deviation `scale`.
    static func normal(_ count: Int, scale: Float = 1, seed: UInt64 = 1) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func unit() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / 16_777_216
        }
        // The sum of four uniform numbers has the deviation sqrt(1/3).
        return (0..<count).map { _ in (unit() + unit() + unit() + unit() - 2) * 1.732 * scale }
    }

    /// Fills memory with normal numbers of a type, one run of them over and over.
    static func fill(_ memory: HostMemory, _ element: ElementType) {
        let run = normal(8192)
        let bytes = run.count * element.size
        withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 64) { converted in
            guard let from = converted.baseAddress else { return }
            run.withUnsafeBufferPointer {
                ElementConversion.fromFloat($0.baseAddress!, count: run.count, element, into: from)
            }
            for start in stride(from: 0, to: memory.bytes, by: bytes) {
                (memory.base + start).copyMemory(from: from, byteCount: min(bytes, memory.bytes - start))
            }
        }
    }

    /// Activations `[rows, columns]` on a backend.
    static func buffer(_ backend: CPUBackend, rows: Int, columns: Int) throws -> HostBuffer {
        let memory = try backend.allocate("A kernel's rows", bytes: rows * columns * 4)
        fill(memory, .float32)
        return backend.buffer(in: memory, at: 0, rows: rows, columns: columns)
    }
}
