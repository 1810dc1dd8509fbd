// The tree of a template: immutable, shared by all renderings.

/// An expression with its place and its depth, which bounds recursion before it happens.
final class JinjaExpression: Sendable {
    indirect enum Kind: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        case string(JinjaText)
        case name(String)
        case tuple([JinjaExpression])
        case list([JinjaExpression])
        case dictionary([(key: JinjaExpression, value: JinjaExpression)])
        case attribute(JinjaExpression, String)
        case item(JinjaExpression, JinjaExpression)
        case slice(JinjaExpression, start: JinjaExpression?, stop: JinjaExpression?, step: JinjaExpression?)
        case call(JinjaExpression, JinjaCallArguments)
        /// Without an operand: the filter of a block, applied to the block's text.
        case filter(JinjaExpression?, name: String, JinjaCallArguments)
        case test(JinjaExpression, name: String, JinjaCallArguments)
        case not(JinjaExpression)
        case negative(JinjaExpression)
        case positive(JinjaExpression)
        case binary(BinaryOperator, JinjaExpression, JinjaExpression)
        case concatenation([JinjaExpression])
        case comparison(JinjaExpression, [(comparator: Comparator, operand: JinjaExpression)])
        case and(JinjaExpression, JinjaExpression)
        case or(JinjaExpression, JinjaExpression)
        case conditional(condition: JinjaExpression, then: JinjaExpression, otherwise: JinjaExpression?)
    }

    enum BinaryOperator: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case modulo = "%"
        case power = "**"
    }

    enum Comparator: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contained = "in"
        case notContained = "not in"
    }

    let kind: Kind
    let line: Int
    let column: Int
    let depth: Int

    init(_ kind: Kind, line: Int, column: Int) {
        self.kind = kind
        self.line = line
        self.column = column
        depth = 1 + kind.children.reduce(0) { max($0, $1.depth) }
    }
}

extension JinjaExpression.Kind {
    /// The expressions directly below.
    var children: [JinjaExpression] {
        switch self {
        case .none, .bool, .integer, .float, .string, .name: []
        case .tuple(let items), .list(let items), .concatenation(let items): items
        case .dictionary(let members): members.flatMap { [$0.key, $0.value] }
        case .attribute(let operand, _), .not(let operand), .negative(let operand), .positive(let operand): [operand]
        case .item(let left, let right), .binary(_, let left, let right), .and(let left, let right),
            .or(let left, let right):
            [left, right]
        case .slice(let operand, let start, let stop, let step): [operand] + [start, stop, step].compactMap { $0 }
        case .call(let operand, let arguments), .test(let operand, _, let arguments): [operand] + arguments.children
        case .filter(let operand, _, let arguments): [operand].compactMap { $0 } + arguments.children
        case .comparison(let first, let rest): [first] + rest.map(\.operand)
        case .conditional(let condition, let then, let otherwise):
            [condition, then] + [otherwise].compactMap { $0 }
        }
    }
}

/// What stands between a call's parentheses.
struct JinjaCallArguments: Sendable {
    var positional: [JinjaExpression] = []
    var keyword: [(name: String, value: JinjaExpression)] = []
    var spread: JinjaExpression?
    var keywordSpread: JinjaExpression?

    var children: [JinjaExpression] {
        positional + keyword.map(\.value) + [spread, keywordSpread].compactMap { $0 }
    }
}

/// What can stand left of `=`.
indirect enum JinjaTarget: Sendable {
    case name(String)
    case attribute(namespace: String, name: String)
    case tuple([JinjaTarget])
}

/// A parameter of a macro.
struct JinjaParameter: Sendable {
    var name: String
    var fallback: JinjaExpression?
}

/// The body and parameters of a macro or a call block.
final class JinjaMacroDefinition: Sendable {
    let name: String?
    let parameters: [JinjaParameter]
    let body: [JinjaStatement]
    /// The special names that the body reads: only then are they filled.
    let usesCaller: Bool
    let usesKeywords: Bool
    let usesVarargs: Bool

    init(name: String?, parameters: [JinjaParameter], body: [JinjaStatement], reads: Set<String>) {
        self.name = name
        self.parameters = parameters
        self.body = body
        let own = Set(parameters.map(\.name))
        usesCaller = reads.contains("caller") && !own.contains("caller")
        usesKeywords = reads.contains("kwargs") && !own.contains("kwargs")
        usesVarargs = reads.contains("varargs") && !own.contains("varargs")
    }
}

/// A `for` statement.
final class JinjaLoopDefinition: Sendable {
    let target: JinjaTarget
    let iterable: JinjaExpression
    let condition: JinjaExpression?
    let isRecursive: Bool
    let body: [JinjaStatement]
    let otherwise: [JinjaStatement]

    init(
        target: JinjaTarget, iterable: JinjaExpression, condition: JinjaExpression?, isRecursive: Bool,
        body: [JinjaStatement], otherwise: [JinjaStatement]
    ) {
        self.target = target
        self.iterable = iterable
        self.condition = condition
        self.isRecursive = isRecursive
        self.body = body
        self.otherwise = otherwise
    }
}

/// A statement with its place.
struct JinjaStatement: Sendable {
    indirect enum Kind: Sendable {
        case text(JinjaText)
        case print(JinjaExpression)
        case set([JinjaTarget], JinjaExpression)
        case setBlock(JinjaTarget, filter: JinjaExpression?, body: [JinjaStatement])
        case conditional([(condition: JinjaExpression, body: [JinjaStatement])], otherwise: [JinjaStatement])
        case loop(JinjaLoopDefinition)
        case macro(JinjaMacroDefinition)
        case callBlock(JinjaMacroDefinition, call: JinjaExpression)
        case filterBlock(JinjaExpression, body: [JinjaStatement])
        case with([(target: JinjaTarget, value: JinjaExpression)], body: [JinjaStatement])
        case scoped([JinjaStatement])
        case evaluate(JinjaExpression)
        case breakLoop
        case continueLoop
    }

    var kind: Kind
    var line: Int
    var column: Int
}
