// A GGUF file's vocabulary as the tokenizer.json that Hugging Face would have, so that there is one tokenizer.

import CServeCore
import Foundation

extension Tokenizer {
    /// The tokenizer in a GGUF file's metadata.
    /// - Throws: ``TokenizerError``, naming the key.
    public init(gguf metadata: GGUFMetadata) throws {
        let source = try GGUFTokenizer(metadata)
        storage = try TokenizerStorage(json: source.json(), configuration: source.configuration().serialized())
    }

    /// The bytes of an equivalent tokenizer_config.json: the tokens with a role, and the chat templates.
    /// - Throws: ``TokenizerError``, naming the key.
    public static func configuration(gguf metadata: GGUFMetadata) throws -> Data {
        Data(try GGUFTokenizer(metadata).configuration().serialized())
    }
}

/// Translates `tokenizer.*`. Source: llama.cpp's writer (conversion/base.py) and reader (src/llama-vocab.cpp).
struct GGUFTokenizer {
    private let metadata: GGUFMetadata
    private let kind: Kind
    /// The tokens by id.
    private let tokens: [String]
    private let types: [GGUFTokenType?]

    /// A value of `tokenizer.ggml.model`.
    private enum Kind: String, CaseIterable {
        /// SentencePiece's byte-pair encoding: pieces with scores, bytes for what they lack.
        case llama
        /// Byte-level byte-pair encoding.
        case gpt2
    }

    private static let prefix = "tokenizer.ggml."
    private static let metaspace = "\u{2581}"

    init(_ metadata: GGUFMetadata) throws(TokenizerError) {
        self.metadata = metadata
        let name = metadata.string(Self.prefix + "model") ?? "nothing"
        guard let kind = Kind(rawValue: name) else {
            throw .metadata(
                file: metadata.file, key: Self.prefix + "model",
                reason: "is \"\(name)\"; supported: \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.kind = kind
        guard let tokens = metadata.strings(Self.prefix + "tokens"), !tokens.isEmpty else {
            throw .metadata(file: metadata.file, key: Self.prefix + "tokens", reason: "is no list of tokens")
        }
        let numbers = metadata.integers(Self.prefix + "token_type") ?? []
        guard numbers.isEmpty || numbers.count >= tokens.count else {
            throw .metadata(
                file: metadata.file, key: Self.prefix + "token_type",
                reason: "has \(numbers.count) entries for \(tokens.count) tokens")
        }
        let types = numbers.map { GGUFTokenType(rawValue: $0) }
        self.types = types
        self.tokens = tokens.enumerated().map { id, token in
            if token.isEmpty { return "[EMPTY_\(id)]" }
            // Tokens that are found in the text stand there with spaces.
            guard kind == .llama, id < types.count, types[id] == .userDefined else { return token }
            return token.replacing(Self.metaspace, with: " ")
        }
    }

    /// An equivalent tokenizer.json.
    func json() throws(TokenizerError) -> TokenizerJSON {
        var members: [(key: String, value: TokenizerJSON)] = [
            ("added_tokens", .array(addedTokens)), ("post_processor", postProcessor),
        ]
        switch kind {
        case .llama: members += try sentencePiece()
        case .gpt2: members += try byteLevel()
        }
        return .object(members)
    }

    /// An equivalent tokenizer_config.json.
    func configuration() -> JSONValue {
        var fields = JSONObject()
        for (role, key) in [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")] {
            if let id = id(key) { fields[role + "_token"] = .string(tokens[id]) }
        }
        let key = "tokenizer.chat_template"
        var templates = metadata.string(key).map { [("default", $0)] } ?? []
        for name in metadata.strings("tokenizer.chat_templates") ?? [] {
            if let text = metadata.string("\(key).\(name)") { templates.append((name, text)) }
        }
        if templates.count == 1, templates[0].0 == "default" {
            fields["chat_template"] = .string(templates[0].1)
        } else if !templates.isEmpty {
            fields["chat_template"] = .array(templates.map { ["name": .string($0.0), "template": .string($0.1)] })
        }
        return .object(fields)
    }

    // MARK: Tokens

    /// The id of a token with a role; llama.cpp's own defaults for SentencePiece models.
    private func id(_ role: String) -> Int? {
        let known = kind == .llama ? ["bos": 1, "eos": 2, "unknown": 0][role] : nil
        guard let id = metadata.integer("\(Self.prefix)\(role)_token_id") ?? known else { return nil }
        return tokens.indices.contains(id) ? id : nil
    }

    private func type(_ id: Int) -> GGUFTokenType {
        if id < types.count { return types[id] ?? .normal }
        return [self.id("bos"), self.id("eos"), self.id("unknown")].contains(id) ? .control : .normal
    }

    /// Control tokens, and those that a text may hold.
    private var addedTokens: [TokenizerJSON] {
        tokens.indices.compactMap { id in
            let type = type(id)
            guard type == .control || type == .userDefined || type == .unknown else { return nil }
            return .object([
                ("id", .number(Double(id))), ("content", .string(tokens[id])), ("single_word", .bool(false)),
                ("lstrip", .bool(false)), ("rstrip", .bool(type == .control && stripsRight(tokens[id]))),
                ("normalized", .bool(false)), ("special", .bool(type != .userDefined)),
            ])
        }
    }

    /// Phi-3's control tokens swallow the space behind them, but for those that began as Llama's (microsoft/Phi-3's
    /// tokenizer.json; llama.cpp knows it by the model's name, too).
    private func stripsRight(_ token: String) -> Bool {
        guard kind == .llama, metadata.string("general.architecture") == "phi3" else { return false }
        return !["<unk>", "<s>", "<|endoftext|>"].contains(token)
    }

    /// The tokens around a text.
    private var postProcessor: TokenizerJSON {
        let pre = metadata.string(Self.prefix + "pre").flatMap { GGUFSplit(name: $0) }
        let begins = metadata.bool(Self.prefix + "add_bos_token") ?? (kind == .llama || pre?.beginsText == true)
        let ends = metadata.bool(Self.prefix + "add_eos_token") ?? false
        var pieces: [TokenizerJSON] = [.object([("Sequence", .object([("id", .string("A"))]))])]
        var special: [(key: String, value: TokenizerJSON)] = []
        func piece(_ id: Int) -> TokenizerJSON {
            let name = tokens[id]
            special.append((name, .object([("ids", .array([.number(Double(id))]))])))
            return .object([("SpecialToken", .object([("id", .string(name))]))])
        }
        if begins, let id = id("bos") { pieces.insert(piece(id), at: 0) }
        if ends, let id = id("eos") { pieces.append(piece(id)) }
        guard pieces.count > 1 else { return .null }
        return .object([
            ("type", .string("TemplateProcessing")), ("single", .array(pieces)), ("special_tokens", .object(special)),
        ])
    }

    private var vocabulary: TokenizerJSON {
        .object(tokens.enumerated().map { ($0.element, .number(Double($0.offset))) })
    }

    // MARK: Pipelines

    private func object(_ type: String, _ members: [(key: String, value: TokenizerJSON)] = []) -> TokenizerJSON {
        .object([("type", .string(type))] + members)
    }

    private func sequence(_ key: String, _ stages: [TokenizerJSON]) -> TokenizerJSON {
        object("Sequence", [(key, .array(stages))])
    }

    private func replace(_ pattern: String, _ content: String) -> TokenizerJSON {
        object("Replace", [("pattern", .object([("String", .string(pattern))])), ("content", .string(content))])
    }

    /// As Llama 2's tokenizer.json: every space becomes a visible one, one stands before each stretch of text.
    private func sentencePiece() throws(TokenizerError) -> [(key: String, value: TokenizerJSON)] {
        let prepends = metadata.bool(Self.prefix + "add_space_prefix") ?? true
        let spaces = replace(" ", Self.metaspace)
        let prepended = object("Prepend", [("prepend", .string(Self.metaspace))])
        var decoders = [replace(Self.metaspace, " "), object("ByteFallback"), object("Fuse")]
        if prepends {
            decoders.append(
                object("Strip", [("content", .string(" ")), ("start", .number(1)), ("stop", .number(0))]))
        }
        let unknown = id("unknown").map { TokenizerJSON.string(tokens[$0]) } ?? .null
        let merges = try GGUFMerges(tokens: tokens, types: tokens.indices.map(type), scores: scores()).pairs
        let model = object(
            "BPE",
            [
                ("unk_token", unknown), ("fuse_unk", .bool(true)), ("byte_fallback", .bool(true)),
                ("vocab", vocabulary), ("merges", .array(merges)),
            ])
        return [
            ("normalizer", prepends ? sequence("normalizers", [prepended, spaces]) : spaces),
            ("pre_tokenizer", .null), ("decoder", sequence("decoders", decoders)), ("model", model),
        ]
    }

    private func scores() throws(TokenizerError) -> [Double] {
        let scores = metadata.numbers(Self.prefix + "scores") ?? []
        guard scores.isEmpty || scores.count >= tokens.count else {
            throw .metadata(
                file: metadata.file, key: Self.prefix + "scores",
                reason: "has \(scores.count) entries for \(tokens.count) tokens")
        }
        return scores
    }

    /// Byte-level encoding behind the patterns that `tokenizer.ggml.pre` names.
    private func byteLevel() throws(TokenizerError) -> [(key: String, value: TokenizerJSON)] {
        let name = metadata.string(Self.prefix + "pre") ?? "default"
        guard let split = GGUFSplit(name: name) else {
            throw .metadata(
                file: metadata.file, key: Self.prefix + "pre",
                reason: "is \"\(name)\"; supported: \(GGUFSplit.names.joined(separator: ", "))")
        }
        guard let merges = metadata.strings(Self.prefix + "merges") else {
            throw .metadata(file: metadata.file, key: Self.prefix + "merges", reason: "is no list of merges")
        }
        var stages = split.patterns.map { pattern in
            object(
                "Split",
                [
                    ("pattern", .object([("Regex", .string(pattern))])), ("behavior", .string("Isolated")),
                    ("invert", .bool(false)),
                ])
        }
        if split.isolatesDigits { stages.append(object("Digits", [("individual_digits", .bool(true))])) }
        stages.append(
            object("ByteLevel", [("add_prefix_space", .bool(false)), ("use_regex", .bool(split.usesPublishedPattern))]))
        let model = object(
            "BPE",
            [
                ("ignore_merges", .bool(split.takesWholeWords)), ("vocab", vocabulary),
                ("merges", .array(merges.map { .string($0) })),
            ])
        return [
            ("normalizer", split.composes ? object("NFC") : .null),
            ("pre_tokenizer", sequence("pretokenizers", stages)),
            ("decoder", object("ByteLevel")), ("model", model),
        ]
    }
}
