// Which of the C kernels' levels the CPU backend runs, and what can go wrong when it is made.

import CKernels

/// A level of the C kernels.
public enum CPUInstructionSet: String, Hashable, Codable, Sendable, CaseIterable {
    /// Plain C.
    case portable
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 (F, BW, DQ, VL).
    case avx512
    /// AVX-512 with bf16 dot products: activations are rounded to bf16 where they meet bf16 weights.
    case avx512bf16
    /// 64-bit ARM.
    case neon

    /// The level as the C kernels name it.
    var isa: cs_isa {
        switch self {
        case .portable: CS_ISA_PORTABLE
        case .avx2: CS_ISA_AVX2
        case .avx512: CS_ISA_AVX512
        case .avx512bf16: CS_ISA_AVX512_BF16
        case .neon: CS_ISA_NEON
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
        case .threadsOutOfRange(let threads):
            "The CPU backend was asked for \(threads) threads. Use --threads 1 or more, or leave it out to use every core."
        case .threadsRefused(let threads):
            "The system refused \(threads) threads with \(cs_context_bytes(Int32(max(threads, 0)))) bytes of scratch. "
                + "Use fewer --threads."
        }
    }
}
