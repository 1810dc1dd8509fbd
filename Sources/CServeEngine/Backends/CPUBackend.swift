// The CPU backend: the C kernels behind the `Backend` protocol, on a pool of threads that lives as long as the backend.

import CKernels
import CServeCore

/// A packed matrix in host memory, in the C kernels' layout.
public struct CPUWeight: @unchecked Sendable {
    /// The region; immutable after packing.
    let memory: HostMemory
    /// The first panel.
    let base: UnsafeMutableRawPointer
    /// How it is packed.
    let format: cs_format
    /// Output features.
    let rows: Int
    /// Input features.
    let columns: Int
    /// One f32 per row, or nil.
    let bias: UnsafePointer<Float>?
}

/// Runs a model with the C kernels of one instruction set.
///
/// Activations, norms, rope and softmax are f32. Products with f32 and f16 weights are f32; products with bf16 weights
/// round x to bf16 where ``CPUInstructionSet/roundsToBF16`` (to two bf16 terms for small weights, `CS_TWO_TERM_INPUTS`; sums
/// stay f32) and are f32 elsewhere. Numbers depend on the instruction set, the types and the shapes, never on the number of
/// threads or on what else is in the batch. Attention tiles are `CS_ATTENTION_TILE` positions.
///
/// Cost: weights take ``packedBytes(rows:columns:element:)``; each thread holds 1 MiB of scratch; steps allocate nothing.
public struct CPUBackend: Backend {
    /// Owns the pool; calls on it from several threads take turns.
    final class Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) {
            self.pointer = pointer
        }

        deinit {
            cs_context_destroy(pointer)
        }
    }

    let owner: Context
    /// The level of the kernels.
    public let instructionSet: CPUInstructionSet
    /// A wider level that the machine has and that computed wrongly.
    let refused: CPUInstructionSet?
    /// Threads, the caller's included.
    public let threads: Int

    @inline(__always)
    var context: OpaquePointer { owner.pointer }

    /// "cpu".
    public var name: String { "cpu" }

    /// "cpu" and the kernels' level, with one that was refused.
    public var title: String {
        let note = refused.map { "; \($0.rawValue) gave wrong products and is not used" } ?? ""
        return "\(name) (\(instructionSet.rawValue)\(note))"
    }

    /// Starts the pool.
    /// - Parameters:
    ///   - threads: Threads with the caller's; nil takes every core that this process may use.
    ///   - instructionSet: The kernels' level; nil takes the one that `CSERVE_CPU_ISA` names, or the machine's best that computes
    ///     right.
    ///   - ownsCores: Keeps each worker on a core of its own where there are as many threads as cores; a server does,
    ///     which shares them with nobody.
    /// - Throws: ``CPUBackendError``.
    public init(
        threads: Int? = nil, instructionSet: CPUInstructionSet? = nil, ownsCores: Bool = false
    ) throws {
        let choice = try instructionSet.map { InstructionSetChoice(level: $0) } ?? InstructionSetChoice.machine()
        try self.init(threads: threads, choice: choice, ownsCores: ownsCores)
    }

    /// Starts the pool at a level that was chosen.
    init(threads: Int?, choice: InstructionSetChoice, ownsCores: Bool = false) throws {
        let level = choice.level
        let count = threads ?? Int(cs_core_count())
        guard count >= 1 else { throw CPUBackendError.threadsOutOfRange(threads: count) }
        guard cs_isa_supported(level.isa) else {
            throw CPUBackendError.instructionSetNotSupported(asked: level, supported: CPUInstructionSet.supported)
        }
        guard count <= 4096, let made = cs_context_create(Int32(count), level.isa) else {
            throw CPUBackendError.threadsRefused(threads: count)
        }
        owner = Context(made)
        if ownsCores { Self.pin(made, threads: count) }
        self.instructionSet = level
        refused = choice.refused
        self.threads = count
    }

    /// With fewer threads than cores other processes may compute beside, perhaps on the same cores: workers stay free.
    private static func pin(_ context: OpaquePointer, threads: Int) {
        var cores = [Int32](repeating: 0, count: threads)
        let count = cs_cores(&cores, Int32(threads))
        if threads == Int(count) { cs_context_pin(context, cores, count) }
    }

    /// Core's, so that planning knows it; the kernels' own count of bytes holds it to be theirs.
    public func weightLayout(_ format: WeightFormat) -> WeightLayout { WeightPacking.cpu.layout(format) }

    /// The bytes of a packed matrix as the kernels count them: what ``weightLayout(_:)`` must reproduce.
    public static func packedBytes(rows: Int, columns: Int, format: WeightFormat) -> Int {
        cs_format_bytes(format.kernelFormat, rows, columns)
    }

    // MARK: Memory

    /// One mapping, with huge pages where the system offers them.
    public func allocate(_ what: String, bytes: Int) throws -> HostMemory {
        try HostMemory(what, bytes: bytes)
    }

    /// Packs on all threads, straight from the source's rows.
    public func pack(
        _ matrix: MatrixSource, layout: WeightLayout, into memory: HostMemory, at offset: Int
    ) throws -> CPUWeight {
        let rows = matrix.rows
        let bytes = layout.bytes(rows: rows, columns: matrix.columns)
        let biasBytes = (matrix.bias?.count ?? 0) * 4
        precondition(layout == weightLayout(layout.format), "a layout of another backend")
        precondition(offset >= 0 && offset + bytes + biasBytes <= memory.bytes, "weight outside region")
        let base = memory.base + offset
        var row = 0
        for part in matrix.parts {
            switch part {
            case .plain(let rows): pack(rows, layout.format, at: row, columns: matrix.columns, into: base)
            case .coded(let rows): pack(rows, layout.format, at: row, into: base)
            }
            row += part.rows
        }
        let bias = matrix.bias.map { HostVector($0, into: memory, at: offset + bytes).base }
        return CPUWeight(
            memory: memory, base: base, format: layout.format.kernelFormat, rows: rows, columns: matrix.columns,
            bias: bias)
    }

    /// Copies constants.
    public func upload(_ values: [Float], into memory: HostMemory, at offset: Int) -> HostVector {
        HostVector(values, into: memory, at: offset)
    }

    /// A view; nothing is copied.
    public func buffer(in memory: HostMemory, at offset: Int, rows: Int, columns: Int) -> HostBuffer {
        HostBuffer(memory, at: offset, rows: rows, columns: columns)
    }

    /// A view; nothing is copied.
    public func slice(_ buffer: HostBuffer, firstRow: Int) -> HostBuffer { buffer.slice(firstRow: firstRow) }

    /// A view of the region, laid out as `cs_kv_layer` says.
    public func cache(in memory: HostMemory, plan: KVCachePlan) -> PagedKVCache {
        precondition(plan.headDim <= Int(CS_MAX_HEAD_DIM), "heads are wider than CS_MAX_HEAD_DIM")
        return PagedKVCache(memory, plan: plan)
    }

    /// A touch of every page: 1.5 s for 2 GiB on a guest whose host has to find them, 0.1 s elsewhere (docs/LOG.md).
    public func populate(_ cache: PagedKVCache, bytes: Int) { cache.populate(bytes: bytes) }

    /// The host's own arrays: nothing is copied.
    public func prepare(_ inputs: BatchInputs) throws -> BatchInputs { inputs }

    /// Operations are done when their calls return.
    public func withHostRows<R>(
        _ buffer: HostBuffer, rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        try body(UnsafeMutableBufferPointer(start: buffer.base, count: rows * buffer.columns))
    }
}

extension WeightFormat {
    /// The C kernels' name.
    var kernelFormat: cs_format {
        switch self {
        case .plain(let element): cs_plain(element.kernelType)
        case .quantized(let format): format.kernelFormat
        }
    }
}

extension QuantizedFormat {
    /// The C kernels' name.
    var kernelFormat: cs_format {
        cs_format(
            type: code.kernelType, group: Int32(group ?? 0), scale_type: scale.kernelType, has_minimums: hasMinimums)
    }
}

extension QuantizedFormat.Code {
    /// The C kernels' name.
    var kernelType: cs_type {
        switch self {
        case .int8: CS_I8
        case .int4: CS_I4
        case .fp8: CS_F8
        }
    }
}

extension CacheFormat {
    /// The C kernels' name.
    var kernelType: cs_type {
        switch self {
        case .float32: CS_F32
        case .float16: CS_F16
        case .bfloat16: CS_BF16
        case .int8: CS_I8
        case .fp8: CS_F8
        }
    }
}

extension ElementType {
    /// The C kernels' name.
    var kernelType: cs_type {
        switch self {
        case .float32: CS_F32
        case .float16: CS_F16
        case .bfloat16: CS_BF16
        }
    }
}
