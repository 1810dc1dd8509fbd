// What one rendering may use at most: templates come from strangers and run on every request.

/// Bounds on one rendering of a template.
public struct JinjaLimits: Sendable {
    /// Evaluated nodes, plus one for every 64 characters or elements made.
    public var steps: Int
    /// Bytes of output.
    public var outputBytes: Int
    /// Nested evaluations: expressions in expressions, statements in statements, macros in macros.
    public var recursion: Int
    /// Characters of one string.
    public var stringLength: Int
    /// Elements of one list.
    public var listLength: Int
    /// Lists in lists.
    public var nesting: Int
    /// Asked now and then: true once the time is up.
    public var isPastDeadline: @Sendable () -> Bool

    /// Creates limits; the defaults suit conversations of some megabytes and never take more than seconds.
    public init(
        steps: Int = 4_000_000, outputBytes: Int = 64 << 20, recursion: Int = 400, stringLength: Int = 16 << 20,
        listLength: Int = 1 << 20, nesting: Int = 160, isPastDeadline: @escaping @Sendable () -> Bool = { false }
    ) {
        self.steps = steps
        self.outputBytes = outputBytes
        self.recursion = recursion
        self.stringLength = stringLength
        self.listLength = listLength
        self.nesting = nesting
        self.isPastDeadline = isPastDeadline
    }
}
