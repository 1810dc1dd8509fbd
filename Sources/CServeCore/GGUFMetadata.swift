// What a GGUF file says of its model besides the weights: typed values by key, for whoever reads a configuration, a
// tokenizer or a template out of them.

/// One value of a GGUF file's metadata. Numbers of every width become one kind.
public enum GGUFValue: Hashable, Sendable {
    /// A whole number; what exceeds `Int` is `Int.max`.
    case integer(Int)
    /// A float.
    case number(Double)
    /// A truth value.
    case bool(Bool)
    /// A text; bytes that are not UTF-8 are replaced.
    case string(String)
    /// Whole numbers.
    case integers([Int])
    /// Floats.
    case numbers([Double])
    /// Truth values.
    case bools([Bool])
    /// Texts.
    case strings([String])
    /// Arrays of arrays.
    case arrays([GGUFValue])
}

/// The metadata of a GGUF file (ggml-org/ggml, docs/gguf.md).
public struct GGUFMetadata: Hashable, Sendable {
    /// The file, for messages.
    public var file: String
    /// The values.
    public var values: [String: GGUFValue]

    /// Metadata of a file.
    public init(file: String, values: [String: GGUFValue]) {
        self.file = file
        self.values = values
    }

    /// The value of a key.
    public subscript(key: String) -> GGUFValue? { values[key] }

    /// A whole number, or nil for a missing key and for another kind.
    public func integer(_ key: String) -> Int? { if case .integer(let value) = values[key] { value } else { nil } }

    /// A number of any kind, or nil.
    public func number(_ key: String) -> Double? {
        switch values[key] {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// A truth value, or nil.
    public func bool(_ key: String) -> Bool? { if case .bool(let value) = values[key] { value } else { nil } }

    /// A text, or nil.
    public func string(_ key: String) -> String? { if case .string(let value) = values[key] { value } else { nil } }

    /// Texts, or nil.
    public func strings(_ key: String) -> [String]? { if case .strings(let value) = values[key] { value } else { nil } }

    /// Whole numbers, or nil.
    public func integers(_ key: String) -> [Int]? { if case .integers(let value) = values[key] { value } else { nil } }

    /// Numbers of any kind, or nil.
    public func numbers(_ key: String) -> [Double]? {
        switch values[key] {
        case .numbers(let value): value
        case .integers(let value): value.map { Double($0) }
        default: nil
        }
    }
}

/// What a token of a GGUF vocabulary is (`tokenizer.ggml.token_type`, as SentencePiece numbers them).
public enum GGUFTokenType: Int, Sendable {
    /// A piece of text.
    case normal = 1
    /// Stands for what the vocabulary cannot express.
    case unknown = 2
    /// Never part of a text: begins and ends turns, and the like.
    case control = 3
    /// Found in the text itself, whole.
    case userDefined = 4
    /// A place that nothing uses.
    case unused = 5
    /// One byte, `<0x0A>`.
    case byte = 6
}
