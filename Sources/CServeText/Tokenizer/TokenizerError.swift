// What can be wrong with a tokenizer's files, said so that a stranger knows what to do next.

/// Why a tokenizer cannot be loaded.
public enum TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The folder holds no `tokenizer.json`.
    case missingFile(path: String)
    /// The folder holds only a SentencePiece `tokenizer.model`.
    case sentencePieceOnly(path: String)
    /// A file cannot be read.
    case unreadableFile(path: String, reason: String)
    /// A file is not JSON.
    case invalidJSON(file: String, offset: Int, reason: String)
    /// A key is missing or holds a value of another kind.
    case malformed(key: String, expected: String)
    /// A pipeline stage of a type that this build does not have.
    case unsupportedStage(stage: String, type: String, supported: [String])
    /// A setting of a known stage that this build does not have.
    case unsupportedSetting(stage: String, setting: String, reason: String)
    /// A merge names a token that the vocabulary does not have.
    case mergeOutOfVocabulary(rank: Int, token: String)
    /// A token that the pipeline needs is not in the vocabulary.
    case tokenOutOfVocabulary(token: String, neededBy: String)
    /// A regular expression that cannot be compiled.
    case invalidPattern(pattern: String, offset: Int, reason: String)
    /// A GGUF file's metadata holds no tokenizer that this build knows.
    case metadata(file: String, key: String, reason: String)

    /// What happened, with which values, and what to do next.
    public var description: String {
        switch self {
        case .missingFile(let path):
            return "\(path) does not exist. Point --model (or --tokenizer) at a folder with a tokenizer.json."
        case .sentencePieceOnly(let path):
            return "\(path) holds only a SentencePiece tokenizer.model, which is not read. Convert it once with "
                + "`AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)` (transformers) to get a tokenizer.json."
        case .unreadableFile(let path, let reason):
            return "\(path) cannot be read: \(reason). Check the file and its permissions."
        case .invalidJSON(let file, let offset, let reason):
            return "\(file) is not valid JSON at byte \(offset): \(reason). Download the file again."
        case .malformed(let key, let expected):
            return "tokenizer.json: \(key) must be \(expected). Download the file again, or save it with a current "
                + "version of tokenizers."
        case .unsupportedStage(let stage, let type, let supported):
            return "tokenizer.json: the \(stage) type \"\(type)\" is not supported. Supported: "
                + supported.joined(separator: ", ") + "."
        case .unsupportedSetting(let stage, let setting, let reason):
            return "tokenizer.json: \(stage) has \(setting), which is not supported: \(reason)."
        case .mergeOutOfVocabulary(let rank, let token):
            return "tokenizer.json: merge \(rank) needs the token \"\(token)\", which the vocabulary does not have. "
                + "Vocabulary and merges come from different models."
        case .tokenOutOfVocabulary(let token, let neededBy):
            return "tokenizer.json: \(neededBy) needs the token \"\(token)\", which the vocabulary does not have. "
                + "Vocabulary and \(neededBy) come from different models."
        case .invalidPattern(let pattern, let offset, let reason):
            return "tokenizer.json: the pattern \(pattern) cannot be compiled at character \(offset): \(reason)."
        case .metadata(let file, let key, let reason):
            return "\(file): \(key) \(reason). Convert the model again with a current llama.cpp, or serve its Hugging "
                + "Face folder."
        }
    }
}
