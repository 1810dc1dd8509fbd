// Products with packed weights, and the packing itself.

import CKernels
import CServeCore

extension KernelCase {
    /// Weights are taken in turn from so many bytes, so that they come from memory as they do in a model.
    public static let coldBytes = 128 << 20

    /// The formats that products are measured with.
    public static let weightFormats: [(name: String, format: WeightFormat)] = [
        ("f32", .plain(.float32)), ("bf16", .plain(.bfloat16)), ("f16", .plain(.float16)),
        ("int8", .quantized(QuantizedFormat(.int8))),
        ("int4", .quantized(QuantizedFormat(.int4, group: 32, scale: .float16))),
        ("fp8", .quantized(QuantizedFormat(.fp8))),
    ]

    /// `out = x * weight^T`: `x [rows, inputs]`, `weight [outputs, inputs]`.
    /// - Parameter coldBytes: Bytes of weights that calls go round in; 0 for one matrix.
    public static func linear(
        _ name: String, _ format: WeightFormat, rows: Int, inputs: Int, outputs: Int,
        coldBytes: Int = KernelCase.coldBytes
    ) -> KernelCase {
        let size = CPUBackend.packedBytes(rows: outputs, columns: inputs, format: format)
        return KernelCase(
            family: "linear", name: "linear \(name) \(inputs)x\(outputs) m\(rows)",
            operations: 2 * Double(rows * inputs * outputs), bytes: Double(size + 4 * rows * (inputs + outputs)),
            arithmetic: format.arithmetic, source: coldBytes > 0 ? .read : .cachedRead
        ) { backend in
            let copies = max(1, (coldBytes + size - 1) / size)
            let weights = try weights(backend, format, rows: outputs, columns: inputs, copies: copies)
            let x = try KernelNumbers.buffer(backend, rows: rows, columns: inputs)
            let out = try KernelNumbers.buffer(backend, rows: rows, columns: outputs)
            return { call in backend.linear(x, weights[call % copies], rows: rows, into: out) }
        }
    }

    static func linearCases() -> [KernelCase] {
        weightFormats.flatMap { name, format in
            [(2048, 2048), (2048, 11264), (5632, 2048)].flatMap { inputs, outputs in
                [1, 4, 8, 32, 512].map { linear(name, format, rows: $0, inputs: inputs, outputs: outputs) }
            }
        }
    }

    /// One matrix, copied as often as asked for.
    private static func weights(
        _ backend: CPUBackend, _ format: WeightFormat, rows: Int, columns: Int, copies: Int
    ) throws -> [CPUWeight] {
        let size = CPUBackend.packedBytes(rows: rows, columns: columns, format: format)
            .rounded(upTo: MemoryPlan.alignment)
        let memory = try backend.allocate("A kernel's weights", bytes: size * copies)
        let source = try backend.allocate("A kernel's source", bytes: rows * columns * 4)
        KernelNumbers.fill(source, .float32)
        pack(backend, source, .float32, format, rows: rows, columns: columns, into: memory)
        return (0..<copies).map { copy in
            let base = memory.base + copy * size
            if copy > 0 { base.copyMemory(from: memory.base, byteCount: size) }
            return CPUWeight(
                memory: memory, base: base, format: format.kernelFormat, rows: rows, columns: columns, bias: nil)
        }
    }

    /// Packs, or quantises and packs.
    private static func pack(
        _ backend: CPUBackend, _ source: HostMemory, _ element: ElementType, _ format: WeightFormat, rows: Int,
        columns: Int, into memory: HostMemory
    ) {
        let kernel = format.kernelFormat
        switch format {
        case .plain:
            cs_pack(
                backend.context, kernel.type, memory.base, 0, columns, source.base, element.kernelType, columns, rows)
        case .quantized:
            cs_quantize(
                backend.context, kernel, memory.base, 0, columns, source.base, element.kernelType, columns, rows)
        }
    }

    /// Packing stored bf16 numbers `[outputs, inputs]` for the kernels.
    public static func packing(_ name: String, _ format: WeightFormat, inputs: Int, outputs: Int) -> KernelCase {
        let size = CPUBackend.packedBytes(rows: outputs, columns: inputs, format: format)
        return KernelCase(
            family: "packing", name: "packing bf16 to \(name) \(inputs)x\(outputs)",
            bytes: Double(2 * inputs * outputs + size), source: .read
        ) { backend in
            let memory = try backend.allocate("A kernel's weights", bytes: size)
            let source = try backend.allocate("A kernel's source", bytes: 2 * inputs * outputs)
            KernelNumbers.fill(source, .bfloat16)
            return { _ in pack(backend, source, .bfloat16, format, rows: outputs, columns: inputs, into: memory) }
        }
    }

    static func packingCases() -> [KernelCase] {
        weightFormats.map { packing($0.name, $0.format, inputs: 2048, outputs: 11264) }
    }
}
