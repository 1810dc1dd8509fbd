// The tokenizer's public face: text to token ids and back, as `tokenizer.json` describes it.
import CServeCore
import Foundation

/// Turns text into the token ids of one model, and ids into text, with the same result as Hugging Face `tokenizers`.
///
/// Immutable and cheap to copy; any number of tasks may use one value at once.
public struct Tokenizer: Sendable {
    let storage: TokenizerStorage

    /// Loads `tokenizer.json` (and `tokenizer_config.json`, `special_tokens_map.json` where present) from a folder.
    /// - Throws: ``TokenizerError``.
    public init(directory: URL) throws {
        storage = try TokenizerStorage(directory: directory)
    }

    /// Loads from the bytes of `tokenizer.json` and, optionally, of `tokenizer_config.json`.
    /// - Throws: ``TokenizerError``.
    public init(json: Data, configuration: Data? = nil) throws {
        storage = try TokenizerStorage(json: [UInt8](json), configuration: configuration.map { [UInt8]($0) })
    }

    /// The ids of a text in which special tokens are recognised, as Hugging Face's `encode` does.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [TokenID] {
        storage.encode([TextSegment(text: text, mayYieldSpecialTokens: true)], addSpecialTokens: addSpecialTokens)
    }

    /// The ids of the segments' joined text; a special token is recognised only where it lies entirely in segments that
    /// may yield one.
    public func encode(_ segments: [TextSegment], addSpecialTokens: Bool = false) -> [TokenID] {
        storage.encode(segments, addSpecialTokens: addSpecialTokens)
    }

    /// The ids of a text in which no special token is recognised.
    public func encodePlain(_ text: String, addSpecialTokens: Bool = false) -> [TokenID] {
        storage.encode([TextSegment(text: text, mayYieldSpecialTokens: false)], addSpecialTokens: addSpecialTokens)
    }

    /// The text of the ids; unknown ids stand for nothing.
    public func decode(_ ids: [TokenID], skipSpecialTokens: Bool = true) -> String {
        storage.decode(ids, skipSpecialTokens: skipSpecialTokens)
    }

    /// The token as the vocabulary writes it, or nil for an id that the vocabulary does not have.
    public func token(_ id: TokenID) -> String? { storage.token(id) }

    /// The bytes of text that the token stands for (a byte-level token may be part of a character).
    public func tokenBytes(_ id: TokenID) -> [UInt8] { storage.tokenBytes(id) }

    /// The id of a token as the vocabulary writes it.
    public func id(of token: String) -> TokenID? { storage.id(of: Array(token.utf8)) }

    /// The number of ids that the vocabulary needs: its highest id plus one.
    public var vocabularySize: Int { storage.vocabularySize }
    /// The ids of all tokens that are flagged special.
    public var specialTokenIDs: Set<TokenID> { storage.specialTokenIDs }
    /// The token that begins a text, where the model has one.
    public var bosToken: NamedToken? { storage.roles.bos }
    /// The token that ends a text, where the model has one.
    public var eosToken: NamedToken? { storage.roles.eos }
    /// The token for what the vocabulary cannot express, where the model has one.
    public var unkToken: NamedToken? { storage.roles.unk }
    /// The token that fills up, where the model has one.
    public var padToken: NamedToken? { storage.roles.pad }
    /// The tokens for filling text into a gap, where the vocabulary has them.
    public var infill: InfillTokens? { storage.infill }
}

/// A token with its id; the id is missing where a configuration names a token that the vocabulary does not have.
public struct NamedToken: Hashable, Sendable {
    /// The token as the configuration writes it.
    public var text: String
    /// Its id in the vocabulary.
    public var id: TokenID?
}

/// The tokens around prefix, suffix and middle of a text with a gap.
public struct InfillTokens: Hashable, Sendable {
    /// Begins the text before the gap.
    public var prefix: TokenID
    /// Begins the text after the gap.
    public var suffix: TokenID
    /// Begins what fills the gap.
    public var middle: TokenID
    /// Ends what fills the gap, where the model has such a token.
    public var end: TokenID?
}
