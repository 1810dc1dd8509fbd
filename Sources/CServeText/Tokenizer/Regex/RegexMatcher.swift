// Runs a compiled pattern over UTF-8 by backtracking, with a bound on the work so that no pattern and no text can hang
// a server.

/// One match after another in a text.
struct RegexMatcher {
    private let program: RegexProgram
    private let table = UnicodeTable.shared
    private var stack: [Choice] = []
    private var marks: [Int]
    /// The steps that are left for this text.
    private var budget: Int

    /// A place to return to; a run gives back one character at a time down to `minimum`.
    private struct Choice {
        var instruction: Int
        var position: Int
        var minimum: Int
    }

    /// Steps allowed per byte of text, and for any text.
    private static let stepsPerByte = 400
    private static let freeSteps = 100_000

    init(_ program: RegexProgram, textLength: Int) {
        self.program = program
        marks = [Int](repeating: -1, count: program.marks)
        budget = RegexMatcher.freeSteps + textLength * RegexMatcher.stepsPerByte
    }

    /// The first match at or after a position within `[start, end)`; nil where there is none (or the budget is spent).
    mutating func firstMatch(_ text: Span<UInt8>, _ piece: Piece, from start: Int) -> Piece? {
        var position = start
        while position <= piece.end {
            if let end = run(text, piece, from: 0, at: position) { return Piece(start: position, end: end) }
            if position == piece.end || budget <= 0 { return nil }
            position += UTF8Bytes.length(first: text[position])
        }
        return nil
    }

    /// Calls back for every match, from left to right, as Oniguruma's iterator finds them.
    mutating func forEachMatch(_ text: Span<UInt8>, _ piece: Piece, _ body: (Piece) -> Void) {
        var position = piece.start
        var lastEnd = -1
        while position <= piece.end, let match = firstMatch(text, piece, from: position) {
            if match.start == match.end, match.end == lastEnd {
                if position >= piece.end { return }
                position += UTF8Bytes.length(first: text[position])
                continue
            }
            body(match)
            position = match.end
            lastEnd = match.end
        }
    }

    /// Runs from an instruction to the next `accept`; the end of the match, or nil.
    private mutating func run(_ text: Span<UInt8>, _ piece: Piece, from start: Int, at origin: Int) -> Int? {
        let base = stack.count
        defer { stack.removeLast(stack.count - base) }
        var instruction = start
        var position = origin
        while budget > 0 {
            budget -= 1
            switch step(text, piece, &instruction, &position) {
            case .goesOn: continue
            case .accepts: return position
            case .fails:
                guard backtrack(text, base, &instruction, &position) else { return nil }
            }
        }
        return nil
    }

    private enum Outcome {
        case goesOn
        case accepts
        case fails
    }

    private mutating func step(
        _ text: Span<UInt8>, _ piece: Piece, _ instruction: inout Int, _ position: inout Int
    ) -> Outcome {
        switch program.instructions[instruction] {
        case .set(let set):
            guard position < piece.end else { return .fails }
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            guard program.sets[set].contains(scalar, table) else { return .fails }
            position += length
            instruction += 1
        case .run(let set, let minimum, let maximum, let possessive):
            return take(text, piece, set, minimum, maximum, possessive, &instruction, &position)
        case .split(let first, let second):
            stack.append(Choice(instruction: second, position: position, minimum: position))
            instruction = first
        case .jump(let target): instruction = target
        case .anchor(let anchor):
            guard holds(anchor, text, piece, position) else { return .fails }
            instruction += 1
        case .mark(let mark):
            marks[mark] = position
            instruction += 1
        case .ifMoved(let mark, let target):
            instruction = marks[mark] == position ? instruction + 1 : target
        case .accept: return .accepts
        case .atomic(let end):
            guard let stop = run(text, piece, from: instruction + 1, at: position) else { return .fails }
            position = stop
            instruction = end
        case .lookahead(let end, let negated):
            let matches = run(text, piece, from: instruction + 1, at: position) != nil
            guard matches != negated else { return .fails }
            instruction = end
        case .lookbehind(let end, let negated, let minimum, let maximum):
            let matches = looksBehind(text, piece, instruction + 1, position, minimum, maximum)
            guard matches != negated else { return .fails }
            instruction = end
        }
        return .goesOn
    }

    private mutating func take(
        _ text: Span<UInt8>, _ piece: Piece, _ set: Int, _ minimum: Int, _ maximum: Int, _ possessive: Bool,
        _ instruction: inout Int, _ position: inout Int
    ) -> Outcome {
        var count = 0
        var floor = position
        while count < maximum, position < piece.end {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            guard program.sets[set].contains(scalar, table) else { break }
            position += length
            count += 1
            if count == minimum { floor = position }
        }
        budget -= count / 4
        guard count >= minimum else { return .fails }
        instruction += 1
        if !possessive, position > floor {
            stack.append(Choice(instruction: instruction, position: position, minimum: floor))
        }
        return .goesOn
    }

    private mutating func backtrack(
        _ text: Span<UInt8>, _ base: Int, _ instruction: inout Int, _ position: inout Int
    ) -> Bool {
        guard stack.count > base else { return false }
        var choice = stack[stack.count - 1]
        instruction = choice.instruction
        if choice.position > choice.minimum {
            choice.position -= UTF8Bytes.decodeBackward(text, before: choice.position).length
            position = choice.position
            if choice.position > choice.minimum { stack[stack.count - 1] = choice } else { stack.removeLast() }
        } else {
            position = choice.position
            stack.removeLast()
        }
        return true
    }

    /// Whether the instructions from `start` match a text that ends here.
    private mutating func looksBehind(
        _ text: Span<UInt8>, _ piece: Piece, _ start: Int, _ position: Int, _ minimum: Int, _ maximum: Int
    ) -> Bool {
        var origin = position
        for width in 0...maximum {
            if width >= minimum, run(text, Piece(start: piece.start, end: position), from: start, at: origin) == position {
                return true
            }
            guard origin > piece.start else { return false }
            origin -= UTF8Bytes.decodeBackward(text, before: origin).length
        }
        return false
    }

    private func holds(_ anchor: RegexNode.Anchor, _ text: Span<UInt8>, _ piece: Piece, _ position: Int) -> Bool {
        switch anchor {
        case .lineStart:
            return position == piece.start || (position < piece.end && text[position - 1] == 0x0A)
        case .lineEnd: return position == piece.end || text[position] == 0x0A
        case .textStart: return position == piece.start
        case .textEnd: return position == piece.end
        case .textEndOrFinalNewline:
            return position == piece.end || (position == piece.end - 1 && text[position] == 0x0A)
        case .wordBoundary, .notWordBoundary:
            let before = position > piece.start
                && table.isWord(UTF8Bytes.decodeBackward(text, before: position).scalar)
            let after = position < piece.end && table.isWord(UTF8Bytes.decode(text, at: position).scalar)
            return (before != after) == (anchor == .wordBoundary)
        }
    }
}
