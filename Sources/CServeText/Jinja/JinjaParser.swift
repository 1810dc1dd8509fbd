// Words to tree: the parser's state and its helpers; statements and expressions have files of their own.

/// A recursive-descent parser that follows jinja2's grammar and bounds its own depth.
struct JinjaParser {
    let tokens: [JinjaToken]
    let template: String
    var index = 0
    /// Nested constructs now open.
    var depth = 0
    /// How many loops enclose this place within its macro.
    var loops = 0
    /// The names read in each enclosing macro.
    var reads: [Set<String>] = []

    /// How deep statements and expressions may nest: shallow enough for a small thread's stack.
    static let maximumDepth = 64
    /// How deep an expression's tree may be, long chains of operators included.
    static let maximumTreeDepth = 160

    /// Parses a template.
    ///
    /// - Throws: ``JinjaError`` with ``JinjaError/Reason/syntax(_:)`` or ``JinjaError/Reason/unsupported(_:)``.
    static func parse(_ source: String, template: String) throws -> [JinjaStatement] {
        var parser = JinjaParser(tokens: try JinjaLexer.tokens(of: source, template: template), template: template)
        return try parser.statements(until: [], opener: "template")
    }

    init(tokens: [JinjaToken], template: String) {
        self.tokens = tokens
        self.template = template
    }

    var current: JinjaToken { tokens[index] }
    var next: JinjaToken { tokens[min(index + 1, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }
    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func takeName(_ name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func takeSymbol(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expectSymbol(_ symbol: String) throws {
        guard takeSymbol(symbol) else { throw fault("expected '\(symbol)', found \(current.description)") }
    }

    mutating func expect(_ kind: JinjaToken.Kind, _ words: String) throws {
        guard current.kind == kind else { throw fault("expected \(words), found \(current.description)") }
        advance()
    }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current.kind else {
            throw fault("expected a name, found \(current.description)")
        }
        advance()
        return name
    }

    func fault(_ message: String, at token: JinjaToken? = nil) -> JinjaError {
        error(.syntax(message), at: token)
    }

    func error(_ reason: JinjaError.Reason, at token: JinjaToken? = nil) -> JinjaError {
        let token = token ?? current
        return JinjaError(reason, template: template, line: token.line, column: token.column)
    }

    /// Runs a part of the grammar one level deeper.
    mutating func nested<Result>(_ body: (inout JinjaParser) throws -> Result) throws -> Result {
        guard depth < JinjaParser.maximumDepth else {
            throw fault("the template nests deeper than \(JinjaParser.maximumDepth) levels")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Makes a node of the tree.
    func node(_ kind: JinjaExpression.Kind, at token: JinjaToken) throws -> JinjaExpression {
        let result = JinjaExpression(kind, line: token.line, column: token.column)
        guard result.depth <= JinjaParser.maximumTreeDepth else {
            throw fault("the expression is deeper than \(JinjaParser.maximumTreeDepth) levels; split it", at: token)
        }
        return result
    }
}
