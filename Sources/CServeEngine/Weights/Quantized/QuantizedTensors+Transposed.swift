// GPTQ and AWQ: matrices stored with input features first, their integers packed into words of 32 bits.

import CServeCore

extension QuantizedTensors {
    /// AutoGPTQ and GPTQModel.
    ///
    /// `qweight I32 [in * bits / 32, out]` packed along the inputs, `qzeros I32 [groups, out * bits / 32]` along the
    /// outputs, `scales [groups, out]`, perhaps `g_idx I32 [in]`. The first version stores zero points less one
    /// (`checkpoint_format: gptq`), the second (`gptq_v2`) as they are.
    /// Source: AutoGPTQ's and GPTQModel's `QuantLinear.pack`; vLLM's `gptq.py`.
    mutating func readGPTQ(_ module: String, _ weight: StoredTensor) throws(CheckpointError) {
        let (words, rows) = try sizes(weight)
        try base(weight, ["I32"], weight.shape)
        let zeros = try need(module, "qzeros", beside: weight)
        let scales = try need(module, "scales", beside: weight)
        let (groups, zeroWords) = try sizes(zeros)
        let scheme = try gptqScheme(weight, zeroBits: zeroWords * 32)
        guard words * 32 % scheme.bits == 0, zeroWords * 32 == rows * scheme.bits else {
            throw broken(
                weight,
                "\(words) words of \(rows) outputs with \(zeroWords) words of zero points are not of \(scheme.bits) bits"
            )
        }
        let columns = words * 32 / scheme.bits
        let group = try transposedGroup(scheme, groups: groups, columns: columns, scales)
        let zeroBase = try base(zeros, ["I32"], [groups, zeroWords])
        let scaleBase = try base(scales, ["F32", "F16", "BF16"], [groups, rows])
        let codes = PackedIntegers(
            base: try base(weight, ["I32"], [words, rows]), bits: scheme.bits, axis: .columns, cellStride: rows,
            streamStride: 1)
        let matrix = GroupedMatrix(
            rows: rows, columns: columns, codes: codes,
            scales: StoredScales(base: scaleBase, element: try scaleType(scales), rowStride: 1, groupStride: rows),
            zeros: .stored(
                PackedIntegers(base: zeroBase, bits: scheme.bits, axis: .rows, cellStride: 1, streamStride: zeroWords),
                plus: configuration.storesZeroLessOne ? 1 : 0),
            group: group, regions: [weight, zeros, scales].compactMap(\.region))
        let order = try groupOfColumn(take(module, "g_idx"), columns: columns, group: group, groups: groups)
        tensors[module + ".qweight"] = nil
        try put(module, matrix, groupOfColumn: order, from: weight)
    }

    /// AutoAWQ's GEMM version.
    ///
    /// `qweight I32 [in, out / 8]` and `qzeros I32 [groups, out / 8]`, both packed along the outputs in the order
    /// 0 2 4 6 1 3 5 7, `scales [groups, out]`; zero points are stored as they are.
    /// Source: AutoAWQ's `WQLinear_GEMM.from_linear`; vLLM's `awq.py`.
    mutating func readAWQ(_ module: String, _ weight: StoredTensor) throws(CheckpointError) {
        let (columns, words) = try sizes(weight)
        let weightBase = try base(weight, ["I32"], weight.shape)
        let zeros = try need(module, "qzeros", beside: weight)
        let scales = try need(module, "scales", beside: weight)
        let (groups, rows) = (try sizes(zeros).0, words * 8)
        guard let scheme = configuration.schemes.first else { throw broken(weight, "no scheme is named for it") }
        let group = try transposedGroup(scheme, groups: groups, columns: columns, scales)
        let zeroBase = try base(zeros, ["I32"], [groups, words])
        let scaleBase = try base(scales, ["F32", "F16", "BF16"], [groups, rows])
        let codes = PackedIntegers(
            base: weightBase, bits: 4, axis: .rows, cellStride: 1, streamStride: words, isInterleaved: true)
        let matrix = GroupedMatrix(
            rows: rows, columns: columns, codes: codes,
            scales: StoredScales(base: scaleBase, element: try scaleType(scales), rowStride: 1, groupStride: rows),
            zeros: .stored(
                PackedIntegers(
                    base: zeroBase, bits: 4, axis: .rows, cellStride: 1, streamStride: words, isInterleaved: true),
                plus: 0),
            group: group, regions: [weight, zeros, scales].compactMap(\.region))
        tensors[module + ".qweight"] = nil
        try put(module, matrix, from: weight)
    }

    /// The one scheme, or, where modules may differ, what the zero points' size says.
    private func gptqScheme(
        _ weight: StoredTensor, zeroBits: Int
    ) throws(CheckpointError) -> QuantizationConfiguration.Scheme {
        guard var scheme = configuration.schemes.first else { throw broken(weight, "no scheme is named for it") }
        let bits = zeroBits / weight.shape[1]
        if configuration.hasOverrides, [2, 3, 4, 8].contains(bits) { scheme.bits = bits }
        return scheme
    }

    /// The size of a group, compared with how many there are; where modules may differ, they must divide the inputs.
    private func transposedGroup(
        _ scheme: QuantizationConfiguration.Scheme, groups: Int, columns: Int, _ scales: StoredTensor
    ) throws(CheckpointError) -> Int? {
        let expected = scheme.group.map { (columns + $0 - 1) / $0 } ?? 1
        if groups == expected { return scheme.group }
        guard configuration.hasOverrides, columns % groups == 0 else {
            throw broken(
                scales, "\(groups) groups of \(columns) inputs, \(configuration.file) asks for \(expected)")
        }
        return groups == 1 ? nil : columns / groups
    }
}
