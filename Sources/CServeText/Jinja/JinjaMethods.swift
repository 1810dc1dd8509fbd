// The methods of Python's strings, lists and dictionaries that templates may call.

/// Which methods a value has, and which of them the sandbox forbids.
enum JinjaMethods {
    private static let text: Set<String> = [
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "upper", "lower",
        "title", "capitalize", "swapcase", "casefold", "replace", "find", "rfind", "index", "rindex", "count", "join",
        "format", "format_map", "zfill", "ljust", "rjust", "center", "isdigit", "isalpha", "isalnum", "isnumeric",
        "isdecimal", "isspace", "isupper", "islower", "istitle", "isascii", "isidentifier", "isprintable",
        "removeprefix", "removesuffix", "partition", "rpartition", "expandtabs", "encode", "translate", "maketrans",
    ]
    private static let dictionary: Set<String> = ["get", "items", "keys", "values", "copy", "fromkeys"]
    private static let list: Set<String> = ["index", "count", "copy"]
    private static let tuple: Set<String> = ["index", "count"]
    private static let listChanges: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]
    private static let dictionaryChanges: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]

    /// The methods of a value's type.
    static func names(_ value: JinjaValue) -> Set<String> {
        switch value {
        case .string: text
        case .dictionary: dictionary
        case .list: list
        case .tuple, .view(.range, _): tuple
        case .float: ["is_integer"]
        case .integer, .bool: ["bit_length"]
        default: []
        }
    }

    /// The methods that would change a value.
    static func changing(_ value: JinjaValue) -> Set<String> {
        switch value {
        case .list: listChanges
        case .dictionary: dictionaryChanges
        default: []
        }
    }
}

extension JinjaInterpreter {
    /// Calls a method.
    func callMethod(_ name: String, of receiver: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        switch receiver {
        case .string(let text): return try callTextMethod(name, of: text, arguments)
        case .dictionary(let members): return try callDictionaryMethod(name, of: members, arguments)
        case .list(let list), .tuple(let list), .view(_, let list):
            return try callListMethod(name, of: list.items, receiver, arguments)
        case .object(let object): return try callObjectMethod(name, of: object, arguments)
        case .float(let value): return .bool(value.isFinite && value == value.rounded())
        case .integer(let value): return .integer(Int.bitWidth - value.magnitude.leadingZeroBitCount)
        case .bool(let flag): return .integer(flag ? 1 : 0)
        default: throw JinjaFault(.type("'\(receiver.typeName)' object has no method '\(name)'"))
        }
    }

    private func callDictionaryMethod(
        _ name: String, of members: JinjaDictionary, _ arguments: JinjaArguments
    ) throws -> JinjaValue {
        switch name {
        case "get":
            let bound = try arguments.bound(to: ["key", "default"], of: name)
            guard let key = bound[0] else { throw JinjaFault(.type("get expected at least 1 argument, got 0")) }
            return try members.value(of: key) ?? bound[1] ?? JinjaValue.none
        case "items": return .view(.items, JinjaList(members.members.map { .tuple([$0.key, $0.value]) }))
        case "keys": return .view(.keys, JinjaList(members.keys))
        case "values": return .view(.values, JinjaList(members.values))
        case "copy": return .dictionary(members)
        default: return try fromKeys(arguments)
        }
    }

    private func fromKeys(_ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["iterable", "value"], of: "fromkeys")
        var result = JinjaDictionary()
        for key in try items(of: bound[0] ?? .list([])) { try result.set(key, bound[1] ?? .none) }
        return .dictionary(result)
    }

    private func callListMethod(
        _ name: String, of items: [JinjaValue], _ receiver: JinjaValue, _ arguments: JinjaArguments
    ) throws -> JinjaValue {
        if name == "copy" { return receiver }
        guard let needle = try arguments.bound(to: ["value", "start", "stop"], of: name)[0] else {
            throw JinjaFault(.type("\(name)() takes exactly one argument (0 given)"))
        }
        if name == "count" { return .integer(items.count { JinjaValue.equal($0, needle) }) }
        guard let place = items.firstIndex(where: { JinjaValue.equal($0, needle) }) else {
            throw JinjaFault(.value("\(needle.representation.string) is not in \(receiver.typeName)"))
        }
        return .integer(place)
    }

    private func callObjectMethod(
        _ name: String, of object: JinjaObject, _ arguments: JinjaArguments
    ) throws -> JinjaValue {
        switch (object, name) {
        case (let loop as JinjaLoop, "cycle"):
            guard !arguments.positional.isEmpty else { throw JinjaFault(.type("no items for cycling given")) }
            return arguments.positional[loop.index % arguments.positional.count]
        case (let loop as JinjaLoop, "changed"):
            let now = arguments.positional
            let isSame = loop.lastChanged.map { JinjaValue.equal(.list($0), .list(now)) } ?? false
            if !isSame { loop.lastChanged = now }
            return .bool(!isSame)
        case (let cycler as JinjaCycler, "next"):
            defer { cycler.position = (cycler.position + 1) % max(1, cycler.items.count) }
            return cycler.current
        case (let cycler as JinjaCycler, "reset"):
            cycler.position = 0
            return .none
        default: throw JinjaFault(.type("'\(object.typeName)' object has no method '\(name)'"))
        }
    }
}
