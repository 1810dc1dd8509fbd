// A short run of tokens: decoding moves one token per branch and step, and one token should cost no allocation.
import CServeCore

/// Tokens in order; none or one of them is held without an allocation.
public struct TokenRun: RandomAccessCollection, Hashable, Sendable, ExpressibleByArrayLiteral {
    @usableFromInline
    enum Storage: Hashable, Sendable {
        case none
        case one(TokenID)
        case many([TokenID])
    }

    @usableFromInline
    var storage: Storage

    /// No tokens.
    @inlinable
    public init() { storage = .none }

    /// One token.
    @inlinable
    public init(_ token: TokenID) { storage = .one(token) }

    /// The tokens of an array.
    @inlinable
    public init(_ tokens: [TokenID]) {
        switch tokens.count {
        case 0: storage = .none
        case 1: storage = .one(tokens[0])
        default: storage = .many(tokens)
        }
    }

    /// The tokens of a literal.
    @inlinable
    public init(arrayLiteral elements: TokenID...) { self.init(elements) }

    /// 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The number of tokens.
    @inlinable
    public var endIndex: Int {
        switch storage {
        case .none: 0
        case .one: 1
        case .many(let tokens): tokens.count
        }
    }

    /// The token at an index.
    @inlinable
    public subscript(index: Int) -> TokenID {
        switch storage {
        case .none: preconditionFailure("an empty run has no token \(index)")
        case .one(let token):
            precondition(index == 0, "a run of one token has no token \(index)")
            return token
        case .many(let tokens): return tokens[index]
        }
    }

    /// These tokens and one more.
    public func appending(_ token: TokenID) -> TokenRun {
        if case .none = storage { return TokenRun(token) }
        return TokenRun(array + [token])
    }

    /// The tokens as an array.
    public var array: [TokenID] {
        switch storage {
        case .none: []
        case .one(let token): [token]
        case .many(let tokens): tokens
        }
    }
}

extension TokenRun: Codable {
    /// Decodes a plain list.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([TokenID].self))
    }

    /// Encodes a plain list.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(array)
    }
}
