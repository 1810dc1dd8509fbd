// Walks a template's tree: the state of one rendering, its limits, and statements.

/// One rendering of one template.
final class JinjaInterpreter {
    let template: String
    let limits: JinjaLimits
    let clock: ClockComponents
    var output = JinjaText.empty
    /// UTF-8 bytes written so far, into whatever buffer.
    private var written = 0
    private var steps = 0
    private var depth = 0
    /// The place being evaluated, for errors.
    var line = 1
    var column = 1
    /// All things with identity: cleared at the end so that cycles among them go away.
    private var objects: [JinjaObject] = []

    /// How a statement ended.
    enum Flow {
        case normal, breakLoop, continueLoop
    }

    init(template: String, limits: JinjaLimits, clock: ClockComponents) {
        self.template = template
        self.limits = limits
        self.clock = clock
    }

    /// Renders a template with variables.
    ///
    /// - Throws: ``JinjaError`` with the place.
    static func render(
        _ statements: [JinjaStatement], variables: [String: JinjaValue], template: String, limits: JinjaLimits,
        clock: ClockComponents
    ) throws -> JinjaText {
        let interpreter = JinjaInterpreter(template: template, limits: limits, clock: clock)
        defer { interpreter.objects.forEach { $0.clear() } }
        do {
            let scope = JinjaScope(parent: JinjaScope(parent: nil, variables: variables))
            _ = try interpreter.execute(statements, in: scope)
            return interpreter.output
        } catch let fault as JinjaFault {
            throw JinjaError(fault.reason, template: template, line: interpreter.line, column: interpreter.column)
        }
    }

    // MARK: Limits

    /// Counts one step.
    func step() throws {
        steps += 1
        if steps > limits.steps { throw JinjaFault(.stepLimit(limits.steps)) }
        if steps & 0x3FF == 0, limits.isPastDeadline() { throw JinjaFault(.deadline) }
    }

    private func charge(work: Int) throws {
        steps += work / 64
        if steps > limits.steps { throw JinjaFault(.stepLimit(limits.steps)) }
        if work > 1 << 16, limits.isPastDeadline() { throw JinjaFault(.deadline) }
    }

    /// Counts a text about to be made.
    func charge(text length: Int) throws {
        guard length <= limits.stringLength else { throw JinjaFault(.stringLimit(limits.stringLength)) }
        try charge(work: length)
    }

    /// Counts a list about to be made.
    func charge(list length: Int) throws {
        guard length <= limits.listLength else { throw JinjaFault(.listLimit(limits.listLength)) }
        try charge(work: length)
    }

    /// Checks a new value's nesting and hands it on.
    func checked(_ value: JinjaValue) throws -> JinjaValue {
        if value.depth > limits.nesting { throw JinjaFault(.nestingLimit(limits.nesting)) }
        return value
    }

    /// Runs something one level deeper.
    func descend<Result>(_ body: () throws -> Result) throws -> Result {
        guard depth < limits.recursion else { throw JinjaFault(.recursionLimit(limits.recursion)) }
        depth += 1
        defer { depth -= 1 }
        return try body()
    }

    /// Remembers a thing with identity.
    func adopt(_ object: JinjaObject) -> JinjaValue {
        objects.append(object)
        return .object(object)
    }

    func at(_ expression: JinjaExpression) {
        line = expression.line
        column = expression.column
    }

    // MARK: Output

    func write(_ text: JinjaText) throws {
        try charge(text: text.count)
        written += text.count
        if written > limits.outputBytes { throw JinjaFault(.outputLimit(limits.outputBytes)) }
        output.append(text)
    }

    /// What statements write, instead of the output.
    func captured(_ body: () throws -> Void) throws -> JinjaText {
        var outer = JinjaText.empty
        swap(&outer, &output)
        defer { output = outer }
        try body()
        return output
    }
}
