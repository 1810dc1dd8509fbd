// Compiles a syntax tree into instructions for a backtracking matcher.

/// One step of a compiled pattern.
enum RegexInstruction: Sendable {
    case set(Int)
    /// Any number of characters of a set, the most first; possessive ones are never given back.
    case run(set: Int, minimum: Int, maximum: Int, possessive: Bool)
    /// Tries the first target, then the second.
    case split(Int, Int)
    case jump(Int)
    case anchor(RegexNode.Anchor)
    /// Runs the instructions up to `end` on their own; their own backtracking is forgotten.
    case atomic(end: Int)
    case lookahead(end: Int, negated: Bool)
    case lookbehind(end: Int, negated: Bool, minimum: Int, maximum: Int)
    /// Leaves an empty round of a loop: goes on to the target only if characters were matched since the mark.
    case mark(Int)
    case ifMoved(Int, target: Int)
    case accept
}

/// A compiled pattern.
struct RegexProgram: Sendable {
    private(set) var instructions: [RegexInstruction] = []
    private(set) var sets: [CompiledSet] = []
    private(set) var marks = 0
    private var setNumbers: [ScalarSet: Int] = [:]
    private let pattern: String
    /// More instructions than this are refused; nested counted repetitions multiply.
    private static let maximumCount = 20_000

    init(_ pattern: String) throws(TokenizerError) {
        self.pattern = pattern
        try emit(try RegexParser.parse(pattern))
        try add(.accept)
    }

    private mutating func add(_ instruction: RegexInstruction) throws(TokenizerError) {
        guard instructions.count < RegexProgram.maximumCount else {
            throw .invalidPattern(pattern: pattern, offset: 0, reason: "it repeats too much to be compiled")
        }
        instructions.append(instruction)
    }

    private mutating func number(of set: ScalarSet) -> Int {
        if let known = setNumbers[set] { return known }
        sets.append(CompiledSet(set))
        setNumbers[set] = sets.count - 1
        return sets.count - 1
    }

    private mutating func emit(_ node: RegexNode) throws(TokenizerError) {
        switch node {
        case .empty: break
        case .set(let set): try add(.set(number(of: set)))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternation(let branches): try emitAlternation(branches)
        case .repetition(let body, let minimum, let maximum, let mode):
            try emitRepetition(body, minimum, maximum, mode)
        case .atomic(let body): try emitGroup(body) { .atomic(end: $0) }
        case .look(let body, true, let negated): try emitGroup(body) { .lookahead(end: $0, negated: negated) }
        case .look(let body, false, let negated): try emitLookbehind(body, negated)
        case .anchor(let anchor): try add(.anchor(anchor))
        }
    }

    private mutating func emitGroup(
        _ body: RegexNode, _ make: (Int) -> RegexInstruction
    ) throws(TokenizerError) {
        let start = instructions.count
        try add(.accept)
        try emit(body)
        try add(.accept)
        instructions[start] = make(instructions.count)
    }

    private mutating func emitLookbehind(_ body: RegexNode, _ negated: Bool) throws(TokenizerError) {
        let width = body.width
        guard let maximum = width.maximum, maximum <= 255 else {
            throw .invalidPattern(pattern: pattern, offset: 0, reason: "a look-behind must have a bounded length")
        }
        try emitGroup(body) { .lookbehind(end: $0, negated: negated, minimum: width.minimum, maximum: maximum) }
    }

    private mutating func emitAlternation(_ branches: [RegexNode]) throws(TokenizerError) {
        var jumps: [Int] = []
        for branch in branches.dropLast() {
            let split = instructions.count
            try add(.accept)
            try emit(branch)
            jumps.append(instructions.count)
            try add(.accept)
            instructions[split] = .split(split + 1, instructions.count)
        }
        if let last = branches.last { try emit(last) }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func emitRepetition(
        _ body: RegexNode, _ minimum: Int, _ maximum: Int?, _ mode: RegexNode.RepetitionMode
    ) throws(TokenizerError) {
        if case .set(let set) = body, mode != .lazy {
            let possessive = mode == .possessive
            try add(
                .run(set: number(of: set), minimum: minimum, maximum: maximum ?? Int.max, possessive: possessive))
            return
        }
        if mode == .possessive {
            try emitGroup(.repetition(body, minimum: minimum, maximum: maximum, mode: .greedy)) { .atomic(end: $0) }
            return
        }
        for _ in 0..<minimum { try emit(body) }
        if let maximum {
            try emitOptional(body, maximum - minimum, mode)
        } else {
            try emitLoop(body, mode)
        }
    }

    private mutating func emitOptional(
        _ body: RegexNode, _ count: Int, _ mode: RegexNode.RepetitionMode
    ) throws(TokenizerError) {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(instructions.count)
            try add(.accept)
            try emit(body)
        }
        let end = instructions.count
        for split in splits { instructions[split] = mode == .lazy ? .split(end, split + 1) : .split(split + 1, end) }
    }

    private mutating func emitLoop(_ body: RegexNode, _ mode: RegexNode.RepetitionMode) throws(TokenizerError) {
        let mark = marks
        marks += 1
        let start = instructions.count
        try add(.accept)
        try add(.mark(mark))
        try emit(body)
        try add(.ifMoved(mark, target: start))
        let end = instructions.count
        instructions[start] = mode == .lazy ? .split(end, start + 1) : .split(start + 1, end)
    }
}
