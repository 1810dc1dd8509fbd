// Memory of the host for backends that compute there: one mapping per region, so that a plan's bytes are what is taken.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A zeroed, page-aligned region of host memory, unmapped when its last reference goes.
///
/// Ownership: whoever holds a reference may read; only the thread that runs the model writes, after loading.
public final class HostMemory: @unchecked Sendable {
    /// The first byte.
    public let base: UnsafeMutableRawPointer
    /// Its size.
    public let bytes: Int

    /// Maps a region.
    /// - Throws: ``EngineError/outOfMemory(what:bytes:)``.
    public init(_ what: String, bytes: Int) throws {
        let size = max(bytes, 1)
        guard let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapped != MAP_FAILED
        else { throw EngineError.outOfMemory(what: what, bytes: bytes) }
        base = mapped
        self.bytes = bytes
        #if os(Linux)
            if size >= 4 << 20 { madvise(mapped, size, 14) }  // MADV_HUGEPAGE: fewer TLB misses on streamed weights.
        #endif
    }

    deinit {
        munmap(base, max(bytes, 1))
    }
}

/// f32 activations in host memory: row `r` starts at `base + r * columns`.
///
/// Holds its region alive. Only the thread that runs the model touches the values.
public struct HostBuffer: @unchecked Sendable {
    /// The region.
    public let memory: HostMemory
    /// The first number.
    public let base: UnsafeMutablePointer<Float>
    /// Rows.
    public let rows: Int
    /// Numbers per row, and the stride.
    public let columns: Int

    /// A view of `rows * columns` f32 numbers at `offset` bytes.
    public init(_ memory: HostMemory, at offset: Int, rows: Int, columns: Int) {
        let isInside = offset >= 0 && offset % 4 == 0 && offset + rows * columns * 4 <= memory.bytes
        precondition(isInside, "view outside region")
        self.memory = memory
        base = (memory.base + offset).assumingMemoryBound(to: Float.self)
        self.rows = rows
        self.columns = columns
    }

    private init(_ memory: HostMemory, base: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
        self.memory = memory
        self.base = base
        self.rows = rows
        self.columns = columns
    }

    /// The view from `firstRow` on.
    public func slice(firstRow: Int) -> HostBuffer {
        HostBuffer(memory, base: base + firstRow * columns, rows: rows - firstRow, columns: columns)
    }

    /// The start of a row.
    @inline(__always)
    public func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * columns }
}

/// f32 constants in host memory.
public struct HostVector: @unchecked Sendable {
    /// The region.
    public let memory: HostMemory
    /// The first number.
    public let base: UnsafePointer<Float>
    /// How many.
    public let count: Int

    /// Copies constants into a region.
    public init(_ values: [Float], into memory: HostMemory, at offset: Int) {
        let isInside = offset >= 0 && offset % 4 == 0 && offset + values.count * 4 <= memory.bytes
        precondition(isInside, "vector outside region")
        let start = (memory.base + offset).assumingMemoryBound(to: Float.self)
        values.withUnsafeBufferPointer { start.initialize(from: $0.baseAddress!, count: $0.count) }
        self.memory = memory
        base = UnsafePointer(start)
        count = values.count
    }
}
