// The few things in a template that have identity: namespaces, loops, macros, cyclers and joiners.

/// A thing with identity; `clear` breaks cycles at the end of a rendering.
class JinjaObject {
    var typeName: String { "object" }
    func clear() {}
}

/// `namespace(...)`: the one thing that a template can change.
final class JinjaNamespace: JinjaObject {
    var members = JinjaDictionary()
    override var typeName: String { "TemplateNamespace" }
    override func clear() { members = JinjaDictionary() }
}

/// `loop` inside a `for`.
final class JinjaLoop: JinjaObject {
    let definition: JinjaLoopDefinition
    let depth: Int
    private(set) var items: [JinjaValue]
    private(set) var scope: JinjaScope?
    var index = 0
    var lastChanged: [JinjaValue]?

    init(definition: JinjaLoopDefinition, items: [JinjaValue], depth: Int, scope: JinjaScope) {
        self.definition = definition
        self.items = items
        self.depth = depth
        self.scope = scope
    }

    override var typeName: String { "LoopContext" }
    override func clear() {
        items = []
        scope = nil
        lastChanged = nil
    }

    /// The value of `loop.name`, or nil for an unknown name.
    func attribute(_ name: String) -> JinjaValue? {
        switch name {
        case "index": .integer(index + 1)
        case "index0": .integer(index)
        case "revindex": .integer(items.count - index)
        case "revindex0": .integer(items.count - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index + 1 >= items.count)
        case "length": .integer(items.count)
        case "depth": .integer(depth + 1)
        case "depth0": .integer(depth)
        case "previtem":
            index > 0 ? items[index - 1] : .undefined(JinjaUndefined(message: "there is no previous item"))
        case "nextitem":
            index + 1 < items.count
                ? items[index + 1] : .undefined(JinjaUndefined(message: "there is no next item"))
        case "cycle", "changed": .method(JinjaMethod(receiver: .object(self), name: name))
        default: nil
        }
    }
}

/// A macro, or the body of a call block.
final class JinjaMacro: JinjaObject {
    let definition: JinjaMacroDefinition
    private(set) var scope: JinjaScope?

    init(definition: JinjaMacroDefinition, scope: JinjaScope) {
        self.definition = definition
        self.scope = scope
    }

    override var typeName: String { "Macro" }
    override func clear() { scope = nil }
}

/// `cycler(...)`.
final class JinjaCycler: JinjaObject {
    private(set) var items: [JinjaValue]
    var position = 0

    init(items: [JinjaValue]) {
        self.items = items
    }

    override var typeName: String { "Cycler" }
    override func clear() { items = [] }
    var current: JinjaValue { items.isEmpty ? .none : items[position % items.count] }
}

/// `joiner(...)`: nothing the first time, then its separator.
final class JinjaJoiner: JinjaObject {
    let separator: JinjaText
    var isUsed = false

    init(separator: JinjaText) {
        self.separator = separator
    }

    override var typeName: String { "Joiner" }
}

/// Names and what stands outside them.
final class JinjaScope {
    var variables: [String: JinjaValue]
    let parent: JinjaScope?

    init(parent: JinjaScope?, variables: [String: JinjaValue] = [:]) {
        self.parent = parent
        self.variables = variables
    }

    func lookUp(_ name: String) -> JinjaValue? {
        var scope: JinjaScope? = self
        while let here = scope {
            if let value = here.variables[name] { return value }
            scope = here.parent
        }
        return nil
    }
}
