// Which of the C kernels' levels the CPU backend runs, and what can go wrong when it is made.

import CKernels

/// A level of the C kernels.
public enum CPUInstructionSet: String, Hashable, Codable, Sendable, CaseIterable {
    /// Plain C.
    case portable
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX2 with byte dot products of 256 bits (AVX-VNNI).
    case avxvnni
    /// AVX-512 (F, BW, DQ, VL).
    case avx512
    /// AVX-512 with byte dot products (VNNI).
    case avx512vnni
    /// AVX-512 with byte and bf16 dot products: activations are rounded to bf16 where they meet bf16 weights.
    case avx512bf16
    /// Tiles of bf16 and bytes (AMX) beside `avx512bf16`.
    case amx
    /// 64-bit ARM.
    case neon
    /// 64-bit ARM with byte dot products (DotProd).
    case neondot
    /// 64-bit ARM with products of bytes and of bf16 (I8MM, BF16): activations are rounded as at `avx512bf16`.
    case neonbf16

    /// The level as the C kernels name it.
    var isa: cs_isa {
        switch self {
        case .portable: CS_ISA_PORTABLE
        case .avx2: CS_ISA_AVX2
        case .avxvnni: CS_ISA_AVX_VNNI
        case .avx512: CS_ISA_AVX512
        case .avx512vnni: CS_ISA_AVX512_VNNI
        case .avx512bf16: CS_ISA_AVX512_BF16
        case .amx: CS_ISA_AMX
        case .neon: CS_ISA_NEON
        case .neondot: CS_ISA_NEON_DOT
        case .neonbf16: CS_ISA_NEON_BF16
        }
    }

    /// Whether products with bf16 numbers round the other side to bf16.
    public var roundsToBF16: Bool {
        switch self {
        case .avx512bf16, .amx, .neonbf16: true
        case .portable, .avx2, .avxvnni, .avx512, .avx512vnni, .neon, .neondot: false
        }
    }

    /// Whether bytes are multiplied by instructions of their own, whose rate can be measured.
    var multipliesBytes: Bool {
        switch self {
        case .portable, .neon: false
        case .avx2, .avxvnni, .avx512, .avx512vnni, .avx512bf16, .amx, .neondot, .neonbf16: true
        }
    }

    /// Levels that this machine runs.
    public static var supported: [CPUInstructionSet] { allCases.filter { cs_isa_supported($0.isa) } }

    /// The widest that this machine runs.
    public static var best: CPUInstructionSet { allCases.first { $0.isa == cs_isa_best() } ?? .portable }
}

/// Why a CPU backend could not be made.
public enum CPUBackendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The machine lacks the instructions asked for.
    case instructionSetNotSupported(asked: CPUInstructionSet, supported: [CPUInstructionSet])
    /// `CSERVE_CPU_ISA` names no level.
    case unknownInstructionSet(name: String, supported: [CPUInstructionSet])
    /// A number of threads below one.
    case threadsOutOfRange(threads: Int)
    /// The system refused threads or their memory.
    case threadsRefused(threads: Int)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .instructionSetNotSupported(let asked, let supported):
            "This machine does not run \(asked.rawValue). Choose one of: "
                + supported.map(\.rawValue).joined(separator: ", ") + "."
        case .unknownInstructionSet(let name, let supported):
            "\(InstructionSetChoice.variable) is \(name). Use one of: "
                + supported.map(\.rawValue).joined(separator: ", ") + ", or unset it."
        case .threadsOutOfRange(let threads):
            "The CPU backend was asked for \(threads) threads. Use --threads 1 or more, or leave it out to use every core."
        case .threadsRefused(let threads):
            "The system refused \(threads) threads with \(cs_context_bytes(Int32(max(threads, 0)))) bytes of scratch. "
                + "Use fewer --threads."
        }
    }
}
