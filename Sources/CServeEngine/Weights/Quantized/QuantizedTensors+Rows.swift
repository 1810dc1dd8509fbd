// compressed-tensors and fp8: matrices stored with output features first, as bytes or packed into words of 32 bits.

import CServeCore

extension QuantizedTensors {
    /// compressed-tensors' pack-quantized: `weight_packed I32 [out, ceil(in * bits / 32)]` with integers counted from the
    /// least, `weight_shape [2]`, `weight_scale`, perhaps `weight_zero_point` and `weight_g_idx`.
    ///
    /// Source: compressed-tensors, `PackedQuantizationCompressor`, `pack_to_int32`.
    mutating func readPacked(_ module: String, _ weight: StoredTensor) throws(CheckpointError) {
        let (rows, words) = try sizes(weight)
        let weightBase = try base(weight, ["I32"], weight.shape)
        let shape = try need(module, "weight_shape", beside: weight)
        let scales = try need(module, "weight_scale", beside: weight)
        let stored = try twoNumbers(shape)
        let columns = stored.1
        guard stored.0 == rows, columns > 0, columns <= words * 16 else {
            throw broken(shape, "it says \([stored.0, columns]), \"\(weight.name)\" has shape \(weight.shape)")
        }
        let candidates = configuration.schemes.filter {
            !$0.isFloat && (columns + 32 / $0.bits - 1) / (32 / $0.bits) == words
        }
        guard !candidates.isEmpty else {
            throw broken(
                weight, "\(columns) inputs in \(words) words are not of the bits that \(configuration.file) names")
        }
        let (scheme, table) = try scaleTable(scales, candidates, rows: rows, columns: columns)
        var matrix = GroupedMatrix(
            rows: rows, columns: columns,
            codes: PackedIntegers(
                base: weightBase, bits: scheme.bits, axis: .columns, cellStride: 1, streamStride: words),
            scales: table, zeros: .uniform(1 << (scheme.bits - 1)), group: scheme.group,
            regions: [weight, scales].compactMap(\.region))
        if let zeros = take(module, "weight_zero_point") {
            matrix.zeros = try zeroPoints(zeros, matrix, bits: scheme.bits)
            if let region = zeros.region { matrix.regions.append(region) }
        }
        let order = try groupOfColumn(
            take(module, "weight_g_idx"), columns: columns, group: scheme.group, groups: matrix.groups)
        tensors[module + ".weight_packed"] = nil
        try put(module, matrix, groupOfColumn: order, from: weight)
    }

    /// A matrix of bytes: two's complement integers (compressed-tensors) or e4m3 floats.
    ///
    /// `weight [out, in]` with `weight_scale` (compressed-tensors, AutoFP8, fbgemm) or `weight_scale_inv` (DeepSeek: also
    /// a factor) for the tensor, each output feature, groups or blocks, and perhaps `weight_zero_point`.
    /// Source: compressed-tensors, `NaiveQuantizationCompressor`; transformers, `finegrained_fp8`.
    mutating func readBytes(_ module: String, _ weight: StoredTensor) throws(CheckpointError) {
        let (rows, columns) = try sizes(weight)
        let isFloat = weight.type == "F8_E4M3"
        let weightBase = try base(weight, [weight.type], weight.shape)
        let isInverse = tensors[module + ".weight_scale_inv"] != nil
        let scales = try need(module, isInverse ? "weight_scale_inv" : "weight_scale", beside: weight)
        let candidates = configuration.schemes.filter { $0.isFloat == isFloat && $0.bits == 8 }
        guard !candidates.isEmpty else {
            throw broken(weight, "\(configuration.file) names no scheme of \(isFloat ? "fp8" : "int8") weights")
        }
        let (scheme, table) = try scaleTable(scales, candidates, rows: rows, columns: columns)
        var matrix = GroupedMatrix(
            rows: rows, columns: columns,
            codes: PackedIntegers(
                base: weightBase, bits: 8, axis: .columns, cellBytes: 1, cellStride: 1, streamStride: columns,
                flip: isFloat ? 0 : 0x80),
            isFloat: isFloat, scales: table, zeros: .uniform(isFloat ? 0 : 128), group: scheme.group,
            regions: [weight, scales].compactMap(\.region))
        if let zeros = take(module, "weight_zero_point") {
            if isFloat {
                guard zeros.bytes.allSatisfy({ $0 == 0 }) else { throw broken(zeros, "floats have no zero points") }
            } else {
                matrix.zeros = try zeroPoints(zeros, matrix, bits: 8)
                if let region = zeros.region { matrix.regions.append(region) }
            }
        }
        let order = try groupOfColumn(
            take(module, "weight_g_idx"), columns: columns, group: scheme.group, groups: matrix.groups)
        tensors[module + ".weight"] = nil
        try put(module, matrix, groupOfColumn: order, from: weight)
    }

    /// The scheme that the scales' shape belongs to, and how to read them.
    private func scaleTable(
        _ tensor: StoredTensor, _ candidates: [QuantizationConfiguration.Scheme], rows: Int, columns: Int
    ) throws(CheckpointError) -> (QuantizationConfiguration.Scheme, StoredScales) {
        let element = try scaleType(tensor)
        for scheme in candidates {
            let groups = scheme.group.map { (columns + $0 - 1) / $0 } ?? 1
            let blocks = scheme.rows.map { (rows + $0 - 1) / $0 } ?? 1
            let shapes = groups == 1 && (scheme.rows ?? 1) == 1 ? [[blocks, groups], [blocks]] : [[blocks, groups]]
            guard shapes.contains(tensor.shape) || (blocks * groups == 1 && tensor.shape == []) else { continue }
            guard let base = tensor.bytes.baseAddress else { continue }
            let table = StoredScales(
                base: base, element: element, rowsPerScale: scheme.rows ?? rows, rowStride: groups, groupStride: 1)
            return (scheme, table)
        }
        throw broken(
            tensor, "its shape \(tensor.shape) is none of what \(configuration.file) asks for of [\(rows), \(columns)]")
    }

    /// Zero points beside scales: bytes in two's complement, or packed along the outputs and counted from the least.
    private func zeroPoints(
        _ tensor: StoredTensor, _ matrix: GroupedMatrix, bits: Int
    ) throws(CheckpointError) -> GroupedMatrix.Zeros {
        let groups = matrix.groups
        let blocks = (matrix.rows + matrix.scales.rowsPerScale - 1) / matrix.scales.rowsPerScale
        if tensor.type == "I8" {
            guard tensor.shape == [blocks, groups] || tensor.shape.reduce(1, *) == blocks && groups == 1,
                let base = tensor.bytes.baseAddress
            else { throw broken(tensor, "its shape is \(tensor.shape), its scales' \([blocks, groups])") }
            let stored = PackedIntegers(
                base: base, bits: 8, axis: .columns, cellBytes: 1, cellStride: 1, streamStride: groups, flip: 0x80)
            return .stored(stored, plus: 1 << (bits - 1) - 128)
        }
        let words = (blocks + 32 / bits - 1) / (32 / bits)
        let base = try base(tensor, ["I32"], [words, groups])
        return .stored(
            PackedIntegers(base: base, bits: bits, axis: .rows, cellStride: groups, streamStride: 1), plus: 0)
    }

    /// Two whole numbers, as `weight_shape` holds them.
    private func twoNumbers(_ tensor: StoredTensor) throws(CheckpointError) -> (Int, Int) {
        let base = try base(tensor, ["I64", "I32"], [2])
        if tensor.type == "I32" {
            let numbers = (0..<2).map { Int(base.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
            return (numbers[0], numbers[1])
        }
        let numbers = (0..<2).map { Int(base.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        return (numbers[0], numbers[1])
    }
}
