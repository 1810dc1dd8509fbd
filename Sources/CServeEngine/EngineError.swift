// What can go wrong between a checkpoint and its logits, each with what to do next.

import CServeCore

/// A failure of the engine that a user can cause or meet.
public enum EngineError: Error, Hashable, Sendable {
    /// The machine refused a region of memory.
    case outOfMemory(what: String, bytes: Int)
    /// A step held a token id that the model does not have.
    case tokenOutOfRange(token: Int, vocabularySize: Int)
    /// A step was larger than the arena.
    case batchTooLarge(tokens: Int, limit: Int)
    /// A request went past the engine's length.
    case positionOutOfRange(position: Int, maxModelLength: Int)
    /// A block id outside the pool.
    case blockOutOfRange(block: Int, totalBlocks: Int)
    /// A backend's name that is not in the table.
    case unknownBackend(name: String, supported: [String])
    /// A type that the backend does not compute with.
    case unsupportedType(field: String, value: String, supported: [String])
    /// A quantisation was asked for that the checkpoint does not have, or that its codes are not made for.
    case quantizationMismatch(asked: String, stored: String?)
}

extension EngineError: CustomStringConvertible {
    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .outOfMemory(let what, let bytes):
            "\(what) needs \(ByteCount(bytes)), which this machine refused. Use a smaller --max-num-seqs, "
                + "--max-model-len or --kv-cache-memory-bytes, or a smaller model."
        case .tokenOutOfRange(let token, let size):
            "Token id \(token) is not in the model's vocabulary of \(size). Send ids from 0 to \(size - 1)."
        case .batchTooLarge(let tokens, let limit):
            "A step of \(tokens) tokens was asked of an engine made for \(limit). Raise --max-num-batched-tokens."
        case .positionOutOfRange(let position, let length):
            "Position \(position) lies beyond the engine's length of \(length). Raise --max-model-len."
        case .blockOutOfRange(let block, let total):
            "KV block \(block) was asked of a pool of \(total) blocks: the scheduler and the engine disagree."
        case .unknownBackend(let name, let supported):
            "There is no backend \"\(name)\". Choose one of: \(supported.joined(separator: ", "))."
        case .unsupportedType(let field, let value, let supported):
            "\(field) \"\(value)\" cannot be computed with here. Choose one of: \(supported.joined(separator: ", "))."
        case .quantizationMismatch(let asked, let stored?):
            "quantization is \(asked), but the checkpoint's weights are already quantised (\(stored)) and are served as "
                + "they are. Leave --quantization out, or use the model's unquantised checkpoint."
        case .quantizationMismatch(let asked, nil):
            "quantization is \(asked), but the checkpoint's weights are not quantised. Use a checkpoint that is, or "
                + "--quantization int8, int4 or fp8 to quantise these while they are loaded."
        }
    }
}
