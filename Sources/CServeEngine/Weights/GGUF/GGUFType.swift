// The number types of GGUF tensors: how many numbers a block holds, in how many bytes, and what they are brought to.

import CServeCore

/// How a GGUF tensor's numbers are stored. Source: ggml's `ggml_type` and block structures (ggml-common.h).
struct GGUFType: Hashable, Sendable {
    /// The format's name of the type.
    var name: String
    /// Numbers per block; blocks never span rows.
    var blockElements: Int
    /// Bytes per block.
    var blockBytes: Int
    /// The codes that hold the type's numbers exactly; nil for plain numbers and for types that are not read.
    var format: QuantizedFormat?

    private init(_ name: String, _ elements: Int, _ bytes: Int, _ format: QuantizedFormat? = nil) {
        self.name = name
        blockElements = elements
        blockBytes = bytes
        self.format = format
    }

    /// The type of a number in a tensor's description; nil for one that nobody knows.
    init?(_ number: UInt32) {
        guard let type = Self.table[number] else { return nil }
        self = type
    }

    /// The bytes of a tensor whose rows are whole blocks; nil where they overflow.
    func bytes(_ shape: [Int]) -> Int? {
        var total = blockBytes
        for (index, size) in shape.enumerated() {
            let factor = index == shape.count - 1 ? size / blockElements : size
            let (next, overflow) = total.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            total = next
        }
        return total
    }

    private static let plainGroup32 = QuantizedFormat(.int8, group: 32, scale: .float16)

    private static let table: [UInt32: GGUFType] = [
        0: GGUFType("F32", 1, 4), 1: GGUFType("F16", 1, 2), 30: GGUFType("BF16", 1, 2), 28: GGUFType("F64", 1, 8),
        24: GGUFType("I8", 1, 1), 25: GGUFType("I16", 1, 2), 26: GGUFType("I32", 1, 4), 27: GGUFType("I64", 1, 8),
        2: GGUFType("Q4_0", 32, 18, QuantizedFormat(.int4, group: 32, scale: .float16)),
        3: GGUFType("Q4_1", 32, 20, QuantizedFormat(.int4, group: 32, scale: .float16, hasMinimums: true)),
        6: GGUFType("Q5_0", 32, 22, plainGroup32),
        7: GGUFType("Q5_1", 32, 24, QuantizedFormat(.int8, group: 32, scale: .float16, hasMinimums: true)),
        8: GGUFType("Q8_0", 32, 34, plainGroup32), 9: GGUFType("Q8_1", 32, 36),
        10: GGUFType("Q2_K", 256, 84, QuantizedFormat(.int4, group: 16, hasMinimums: true)),
        11: GGUFType("Q3_K", 256, 110, QuantizedFormat(.int4, group: 16)),
        12: GGUFType("Q4_K", 256, 144, QuantizedFormat(.int4, group: 32, hasMinimums: true)),
        13: GGUFType("Q5_K", 256, 176, QuantizedFormat(.int8, group: 32, hasMinimums: true)),
        14: GGUFType("Q6_K", 256, 210, QuantizedFormat(.int8, group: 16)), 15: GGUFType("Q8_K", 256, 292),
        16: GGUFType("IQ2_XXS", 256, 66), 17: GGUFType("IQ2_XS", 256, 74), 18: GGUFType("IQ3_XXS", 256, 98),
        19: GGUFType("IQ1_S", 256, 50), 20: GGUFType("IQ4_NL", 32, 18, plainGroup32),
        21: GGUFType("IQ3_S", 256, 110), 22: GGUFType("IQ2_S", 256, 82),
        23: GGUFType("IQ4_XS", 256, 136, QuantizedFormat(.int8, group: 32)), 29: GGUFType("IQ1_M", 256, 56),
        34: GGUFType("TQ1_0", 256, 54), 35: GGUFType("TQ2_0", 256, 66), 39: GGUFType("MXFP4", 32, 17),
    ]
}
