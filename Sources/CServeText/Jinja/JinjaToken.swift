// The words of a template.

/// A word of a template with its place.
struct JinjaToken: Sendable {
    enum Kind: Hashable, Sendable {
        case data(String)
        case blockBegin, blockEnd, variableBegin, variableEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case symbol(String)
        case end
    }

    var kind: Kind
    var line: Int
    var column: Int

    /// For messages.
    var description: String {
        switch kind {
        case .data: "text"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .variableBegin: "'{{'"
        case .variableEnd: "'}}'"
        case .name(let name): "'\(name)'"
        case .string(let text): "the string '\(text.prefix(20))'"
        case .integer(let value): "'\(value)'"
        case .float(let value): "'\(value)'"
        case .symbol(let text): "'\(text)'"
        case .end: "the end of the template"
        }
    }
}
