// Text that remembers who wrote it: every character is the template's (trusted) or a user's, through every operation.

/// A Python string (code points) whose runs know whether the template wrote them.
struct JinjaText: Sendable {
    /// Consecutive characters of one origin.
    struct Run: Sendable {
        /// The index after the run's last character.
        var end: Int
        /// Whether the template wrote it.
        var trusted: Bool
    }

    /// The code points.
    private(set) var scalars: [Unicode.Scalar]
    /// The origin of all characters, unless `mixed` says otherwise.
    private var uniform: Bool
    /// The runs of a text of several origins, neighbours differing; empty for one origin.
    private var mixed: [Run] = []

    init(scalars: [Unicode.Scalar], trusted: Bool) {
        self.scalars = scalars
        uniform = trusted
    }

    init(_ text: String, trusted: Bool) {
        self.init(scalars: Array(text.unicodeScalars), trusted: trusted)
    }

    /// No characters.
    static let empty = JinjaText(scalars: [], trusted: true)

    var count: Int { scalars.count }
    var isEmpty: Bool { scalars.isEmpty }
    /// The characters alone.
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// The runs in order.
    var runs: [Run] {
        if !mixed.isEmpty { return mixed }
        return scalars.isEmpty ? [] : [Run(end: scalars.count, trusted: uniform)]
    }

    /// Whether the template wrote the character at an index.
    func isTrusted(at index: Int) -> Bool {
        guard !mixed.isEmpty else { return uniform }
        var low = 0
        var high = mixed.count - 1
        while low < high {
            let middle = (low + high) / 2
            if mixed[middle].end > index { high = middle } else { low = middle + 1 }
        }
        return mixed[low].trusted
    }

    /// Whether the template wrote all of it.
    var isWhollyTrusted: Bool { isEmpty || (mixed.isEmpty && uniform) }

    mutating func append(_ other: JinjaText) {
        if other.isEmpty { return }
        if isEmpty {
            self = other
            return
        }
        if mixed.isEmpty, other.mixed.isEmpty, uniform == other.uniform {
            scalars.append(contentsOf: other.scalars)
            return
        }
        if mixed.isEmpty { mixed = runs }
        let offset = scalars.count
        for run in other.runs { appendRun(Run(end: offset + run.end, trusted: run.trusted)) }
        scalars.append(contentsOf: other.scalars)
    }

    mutating func append(_ scalar: Unicode.Scalar, trusted: Bool) {
        if isEmpty { uniform = trusted }
        if !mixed.isEmpty || uniform != trusted {
            if mixed.isEmpty { mixed = runs }
            appendRun(Run(end: scalars.count + 1, trusted: trusted))
        }
        scalars.append(scalar)
    }

    mutating func append(_ text: String, trusted: Bool) {
        for scalar in text.unicodeScalars { append(scalar, trusted: trusted) }
    }

    private mutating func appendRun(_ run: Run) {
        if let last = mixed.last, last.trusted == run.trusted {
            mixed[mixed.count - 1].end = run.end
        } else {
            mixed.append(run)
        }
    }

    /// The characters of a range.
    subscript(range: Range<Int>) -> JinjaText {
        if range == 0..<count { return self }
        guard !mixed.isEmpty else { return JinjaText(scalars: Array(scalars[range]), trusted: uniform) }
        var result = JinjaText(scalars: Array(scalars[range]), trusted: true)
        var pieces: [Run] = []
        var start = 0
        for run in mixed {
            let end = min(run.end, range.upperBound)
            if end > max(start, range.lowerBound) {
                pieces.append(Run(end: end - range.lowerBound, trusted: run.trusted))
            }
            start = run.end
        }
        if pieces.count == 1 { result.uniform = pieces[0].trusted } else { result.mixed = pieces }
        return result
    }

    /// One character.
    func character(at index: Int) -> JinjaText {
        JinjaText(scalars: [scalars[index]], trusted: isTrusted(at: index))
    }

    /// Every character replaced by some characters of the same origin.
    func mapped(_ transform: (Unicode.Scalar) -> String) -> JinjaText {
        var result = JinjaText.empty
        result.scalars.reserveCapacity(count)
        var start = 0
        for run in runs {
            var piece: [Unicode.Scalar] = []
            for scalar in scalars[start..<run.end] { piece.append(contentsOf: transform(scalar).unicodeScalars) }
            result.append(JinjaText(scalars: piece, trusted: run.trusted))
            start = run.end
        }
        return result
    }

    /// The same characters, all a user's.
    var untrusted: JinjaText { JinjaText(scalars: scalars, trusted: false) }

    /// Runs as the tokenizer takes them.
    var segments: [TextSegment] {
        var start = 0
        return runs.map { run in
            defer { start = run.end }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[start..<run.end])
            return TextSegment(text: String(view), mayYieldSpecialTokens: run.trusted)
        }
    }
}

extension JinjaText: Hashable {
    /// Compares characters only: who wrote them makes no difference to a template.
    static func == (left: JinjaText, right: JinjaText) -> Bool { left.scalars == right.scalars }
    func hash(into hasher: inout Hasher) { hasher.combine(scalars) }
}

extension Unicode.Scalar {
    /// What Python's `str.isspace` and the regular expression `\s` take for white space.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where Python's `str.splitlines` ends a line.
    var isPythonLineEnd: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
