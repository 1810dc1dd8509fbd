// Which level a CPU backend takes when it is told none: the one that the environment names, or the widest that computes right.

import CKernels
import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A level, and a wider one that was found to compute wrongly.
struct InstructionSetChoice: Hashable {
    var level: CPUInstructionSet
    /// Passed over because its products differ from `level`'s.
    var refused: CPUInstructionSet?

    /// The environment's variable that names a level for every command.
    static let variable = "CSERVE_CPU_ISA"

    /// This machine's, found once.
    static func machine() throws(CPUBackendError) -> InstructionSetChoice {
        if let name = getenv(variable).map({ String(cString: $0) }), !name.isEmpty { return try named(name) }
        return automatic
    }

    private static let automatic = widest(.best, products: InstructionSetCheck.products)

    /// A level by its name.
    static func named(_ name: String) throws(CPUBackendError) -> InstructionSetChoice {
        guard let level = CPUInstructionSet(rawValue: name) else {
            throw .unknownInstructionSet(name: name, supported: CPUInstructionSet.supported)
        }
        return InstructionSetChoice(level: level)
    }

    /// The widest level, or the next one where that computes wrongly. Tiles are checked, which no machine of ours has run
    /// (docs/results/levels.md); the others are vectors of instructions that all were.
    static func widest(
        _ best: CPUInstructionSet, products: (CPUInstructionSet) -> [Float]
    ) -> InstructionSetChoice {
        let next = CPUInstructionSet.avx512bf16
        guard best == .amx else { return InstructionSetChoice(level: best) }
        let agree = InstructionSetCheck.agree(products(best), products(next))
        return agree ? InstructionSetChoice(level: best) : InstructionSetChoice(level: next, refused: best)
    }
}

/// Small products by which levels are compared.
enum InstructionSetCheck {
    private static let (rows, inputs, outputs) = (40, 804, 96)

    /// Whether the same products came out but for the order of sums: of 804 terms of at most 1 in f32, 1e-3 is wide.
    static func agree(_ found: [Float], _ expected: [Float]) -> Bool {
        found.count == expected.count && !found.isEmpty
            && zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-3 * max(1, abs($1)) }
    }

    /// Products with weights of bf16 and of bytes at a level that the machine has: many rows, and one alone. Rows, inputs and
    /// outputs are no multiples of a tile's.
    static func products(_ level: CPUInstructionSet) -> [Float] {
        guard let context = cs_context_create(1, level.isa) else { return [] }
        defer { cs_context_destroy(context) }
        let bytes = cs_format(type: CS_I8, group: 0, scale_type: CS_F32, has_minimums: false)
        return [cs_plain(CS_BF16), bytes].flatMap { format in
            [rows, 1].flatMap { count in product(context, format, rows: count) }
        }
    }

    private static func product(_ context: OpaquePointer, _ format: cs_format, rows count: Int) -> [Float] {
        let bytes = cs_format_bytes(format, outputs, inputs)
        guard let memory = try? HostMemory("A check", bytes: bytes) else { return [] }
        let weights = numbers(outputs * inputs, seed: 1)
        let x = numbers(count * inputs, seed: 2)
        var out = [Float](repeating: .nan, count: count * outputs)
        if format.type == CS_BF16 {
            cs_pack(context, CS_BF16, memory.base, 0, inputs, weights, CS_F32, inputs, outputs)
        } else {
            cs_quantize(context, format, memory.base, 0, inputs, weights, CS_F32, inputs, outputs)
        }
        x.withUnsafeBufferPointer { x in
            out.withUnsafeMutableBufferPointer { out in
                var arguments = cs_linear_args(
                    x: x.baseAddress, x_stride: inputs, weight: memory.base, format: format, bias: nil,
                    out: out.baseAddress, out_stride: outputs, rows: Int32(count), inputs: Int32(inputs),
                    outputs: Int32(outputs))
                cs_linear(context, &arguments)
            }
        }
        return out
    }

    /// Numbers between -1 and 1 that repeat themselves in no tile's length. Source of the factors: Numerical Recipes.
    private static func numbers(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) * 0x1p-31
        }
    }
}
