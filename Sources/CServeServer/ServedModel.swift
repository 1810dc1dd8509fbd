// What the server knows of the model behind it: its names, its text side and its engine.

import CServeCore
import CServeText

/// Turns text into token ids and back: what the server needs of a tokenizer.
public protocol TextCodec: Sendable {
    /// The ids of a text in which special tokens are recognised.
    func encode(_ text: String, addSpecialTokens: Bool) -> [TokenID]
    /// The ids of segments; special tokens are recognised only where a segment allows it.
    func encode(_ segments: [TextSegment], addSpecialTokens: Bool) -> [TokenID]
    /// The text of the ids.
    func decode(_ ids: [TokenID], skipSpecialTokens: Bool) -> String
    /// The token as the vocabulary writes it.
    func token(_ id: TokenID) -> String?
    /// The bytes of text that a token stands for.
    func tokenBytes(_ id: TokenID) -> [UInt8]
    /// The prompt that asks for the text between two others; nil for models without infill tokens.
    func infill(prefix: String, suffix: String) -> [TokenID]?
    /// Makes text of an answer's tokens as they come; the prompt's last tokens give the first one its context.
    func detokenizer(promptTail: [TokenID], skipSpecialTokens: Bool) -> any AnswerDetokenizer
    /// The number of ids that the vocabulary needs.
    var vocabularySize: Int { get }
}

/// Makes text of tokens one by one and never gives out part of a character.
public protocol AnswerDetokenizer: Sendable {
    /// The text that is complete after one more token.
    mutating func append(_ token: TokenID) -> String
    /// What is left at the end of the answer.
    mutating func finish() -> String
}

/// What a chat template is given besides the model's own tokens.
public struct ChatTemplateInput: Sendable {
    /// The messages: objects with `role` and `content`.
    public var messages: [JSONValue]
    /// Tools to be shown to the model.
    public var tools: [JSONValue]?
    /// Documents to be shown to the model.
    public var documents: [JSONValue]?
    /// Whether the template opens the answer.
    public var addGenerationPrompt: Bool
    /// Whether the last message is to be continued.
    public var continueFinalMessage: Bool
    /// Further variables (`chat_template_kwargs`).
    public var arguments: JSONObject
    /// A template that replaces the model's own.
    public var template: String?
}

/// Renders a chat into text.
public protocol ChatRendering: Sendable {
    /// The prompt's segments: the template's own text may yield special tokens, a user's text may not.
    /// - Throws: an error whose description tells the client what its messages lack.
    func render(_ input: ChatTemplateInput) throws -> [TextSegment]
}

/// A model that is ready to answer.
public struct ServedModel: Sendable {
    /// The names under which it answers, the first of which `/v1/models` shows first.
    public var names: [String]
    /// Where it came from: a folder or the built-in model's name.
    public var root: String
    /// When it was loaded, in seconds since 1970.
    public var created: Int
    /// The text side.
    public var codec: any TextCodec
    /// The chat template, if the model has one.
    public var template: (any ChatRendering)?
    /// The authors' sampling recommendation.
    public var defaults: SamplingDefaults
    /// What runs the requests.
    public var engine: any ServingEngine
    /// What `/metrics` tells of the KV cache's settings (`cache_config_info`).
    public var cacheLabels: [(name: String, value: String)]

    /// Puts a model together.
    public init(
        names: [String], root: String, created: Int, codec: any TextCodec, template: (any ChatRendering)?,
        defaults: SamplingDefaults = SamplingDefaults(), engine: any ServingEngine,
        cacheLabels: [(name: String, value: String)] = []
    ) {
        self.names = names
        self.root = root
        self.created = created
        self.codec = codec
        self.template = template
        self.defaults = defaults
        self.engine = engine
        self.cacheLabels = cacheLabels
    }

    /// The name that answers carry.
    var name: String { names.first ?? root }

    /// Resolves the name that a request brought; a missing or empty one means this model.
    func resolve(_ name: String?) throws(APIError) -> String {
        guard let name, !name.isEmpty else { return self.name }
        guard names.contains(name) else { throw .unknownModel(name: name, served: names) }
        return name
    }
}
