// Does a template iterate over a message's content, or does it expect one string? Read off its tree.

/// Looks for a loop over something named `content`.
struct ContentFormatDetector {
    /// Names that were set to a message's content.
    private var aliases: Set<String> = []
    private var found = false

    static func format(of statements: [JinjaStatement]) -> ChatTemplate.ContentFormat {
        var detector = ContentFormatDetector()
        detector.visit(statements)
        return detector.found ? .parts : .string
    }

    private mutating func visit(_ statements: [JinjaStatement]) {
        for statement in statements { visit(statement.kind) }
    }

    private mutating func visit(_ kind: JinjaStatement.Kind) {
        switch kind {
        case .set(let targets, let value):
            if case .name(let name)? = targets.first, isContent(value) { aliases.insert(name) }
        case .setBlock(_, _, let body), .filterBlock(_, let body), .scoped(let body), .with(_, let body): visit(body)
        case .conditional(let branches, let otherwise):
            for branch in branches { visit(branch.body) }
            visit(otherwise)
        case .macro(let definition):
            aliases.formUnion(definition.parameters.map(\.name).filter { $0 == "content" })
            visit(definition.body)
        case .callBlock(let definition, _): visit(definition.body)
        case .loop(let definition):
            if isContent(definition.iterable) { found = true }
            visit(definition.body)
            visit(definition.otherwise)
        case .text, .print, .evaluate, .breakLoop, .continueLoop: break
        }
    }

    private func isContent(_ expression: JinjaExpression) -> Bool {
        switch expression.kind {
        case .attribute(_, let name): name == "content"
        case .item(_, let key): if case .string(let text) = key.kind { text.string == "content" } else { false }
        case .name(let name): aliases.contains(name)
        case .filter(let operand?, _, _): isContent(operand)
        case .slice(let operand, _, _, _): isContent(operand)
        default: false
        }
    }
}
