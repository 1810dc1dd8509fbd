// Filters of lists: joining, ordering, grouping, cutting.

extension JinjaFilters {
    static let lists: [String: Filter] = [
        "length": { interpreter, value, _ in try interpreter.length(value) },
        "count": { interpreter, value, _ in try interpreter.length(value) },
        "list": { interpreter, value, _ in .list(try interpreter.items(of: value)) },
        "first": { interpreter, value, _ in try interpreter.edge(value, isFirst: true) },
        "last": { interpreter, value, _ in try interpreter.edge(value, isFirst: false) },
        "join": { interpreter, value, arguments in try interpreter.joinFilter(value, arguments) },
        "reverse": { interpreter, value, _ in try interpreter.reversed(value) },
        "sort": { interpreter, value, arguments in try interpreter.sorted(value, arguments) },
        "unique": { interpreter, value, arguments in try interpreter.unique(value, arguments) },
        "groupby": { interpreter, value, arguments in try interpreter.grouped(value, arguments) },
        "dictsort": { interpreter, value, arguments in try interpreter.dictionarySorted(value, arguments) },
        "items": { interpreter, value, _ in try interpreter.itemsFilter(value) },
        "batch": { interpreter, value, arguments in try interpreter.batched(value, arguments) },
        "slice": { interpreter, value, arguments in try interpreter.sliced(value, arguments) },
        "sum": { interpreter, value, arguments in try interpreter.summed(value, arguments) },
        "min": { interpreter, value, arguments in try interpreter.extreme(value, arguments, isMaximum: false) },
        "max": { interpreter, value, arguments in try interpreter.extreme(value, arguments, isMaximum: true) },
    ]
}

extension JinjaInterpreter {
    func length(_ value: JinjaValue) throws -> JinjaValue {
        switch value {
        case .string(let text): return .integer(text.count)
        case .list(let list), .tuple(let list): return .integer(list.items.count)
        case .view(let view, let list) where view.hasLength: return .integer(list.items.count)
        case .dictionary(let members): return .integer(members.count)
        case .undefined: return .integer(0)
        case .object(let loop as JinjaLoop): return .integer(loop.items.count)
        default: throw JinjaFault(.type("object of type '\(value.typeName)' has no len()"))
        }
    }

    func edge(_ value: JinjaValue, isFirst: Bool) throws -> JinjaValue {
        let items = try self.items(of: value)
        if !isFirst, case .view(.generator, _) = value {
            throw JinjaFault(.type("'generator' object is not reversible"))
        }
        let word = isFirst ? "first" : "last"
        return (isFirst ? items.first : items.last)
            ?? .undefined(JinjaUndefined(message: "No \(word) item, sequence was empty."))
    }

    func joinFilter(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["d", "attribute"], of: "join")
        var items = try self.items(of: value)
        if let key = bound[1], !key.isNone { items = try items.map { try path(key, of: $0) } }
        return .string(try joined(items.map(\.printed), with: (bound[0] ?? .string(.empty)).printed))
    }

    func reversed(_ value: JinjaValue) throws -> JinjaValue {
        if let text = value.text {
            var result = JinjaText.empty
            for place in text.scalars.indices.reversed() {
                result.append(text.scalars[place], trusted: text.isTrusted(at: place))
            }
            return .string(result)
        }
        return .generator(try items(of: value).reversed())
    }

    /// `a.b.0` of a value, as the `attribute` argument of filters means it; a default stands in for every missing step.
    func path(_ key: JinjaValue, of value: JinjaValue, default fallback: JinjaValue? = nil) throws -> JinjaValue {
        let parts: [JinjaValue]
        if key.integer != nil {
            parts = [key]
        } else if let name = key.text {
            parts = name.string.split(separator: ".", omittingEmptySubsequences: false).map { part in
                Int(part).map { .integer($0) } ?? .trusted(String(part))
            }
        } else {
            throw JinjaFault(.type("an attribute must be a name or a number"))
        }
        return try parts.reduce(value) { value, part in
            let found = try item(part, of: value)
            return found.isUndefined ? fallback ?? found : found
        }
    }

    /// What orders and groups: texts in lower case unless case matters.
    func sortKey(_ value: JinjaValue, caseSensitive: Bool) -> JinjaValue {
        guard !caseSensitive, let text = value.text else { return value }
        return .string(text.lowercased)
    }

    /// A stable sort with comparisons that can fail.
    func sorted(
        _ items: [(key: [JinjaValue], item: JinjaValue)], reverse: Bool
    ) throws -> [JinjaValue] {
        try charge(list: items.count * 8)
        let order = try items.enumerated().sorted { left, right in
            try step()
            for (a, b) in zip(left.element.key, right.element.key) where !JinjaValue.equal(a, b) {
                return reverse ? try JinjaValue.less(b, a) : try JinjaValue.less(a, b)
            }
            return left.offset < right.offset
        }
        return order.map(\.element.item)
    }

    func sorted(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: "sort")
        let isSensitive = bound.flag(1, default: false)
        let paths = attributePaths(bound[2])
        let keyed = try items(of: value).map { item in
            (try paths.map { sortKey(try $0.map { try path($0, of: item) } ?? item, caseSensitive: isSensitive) }, item)
        }
        return .list(try sorted(keyed, reverse: bound.flag(0, default: false)))
    }

    /// Several attributes with commas, or none.
    private func attributePaths(_ attribute: JinjaValue?) -> [JinjaValue?] {
        guard let attribute, !attribute.isNone else { return [nil] }
        guard let text = attribute.text else { return [attribute] }
        return text.split(by: [","], limit: -1).map { .string($0) }
    }

    func unique(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
        var seen: Set<JinjaKey> = []
        let kept = try items(of: value).filter { item in
            let found = try bound[1].map { $0.isNone ? item : try path($0, of: item) } ?? item
            return seen.insert(try JinjaKey(sortKey(found, caseSensitive: bound.flag(0, default: false)))).inserted
        }
        return .generator(kept)
    }

    func grouped(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["attribute", "default", "case_sensitive"], of: "groupby")
        guard let attribute = bound[0] else { throw JinjaFault(.type("groupby() needs an attribute")) }
        let isSensitive = bound.flag(2, default: false)
        var originals: [JinjaKey: JinjaValue] = [:]
        let keyed = try items(of: value).map { item in
            let value = try path(attribute, of: item, default: bound[1])
            return (key: [sortKey(value, caseSensitive: isSensitive), value], item: JinjaValue.tuple([value, item]))
        }
        let ordered = try sorted(keyed.map { ([$0.key[0]], $0.item) }, reverse: false)
        var groups: [(key: JinjaValue, items: [JinjaValue])] = []
        for pair in ordered {
            let parts = try items(of: pair)
            let key = sortKey(parts[0], caseSensitive: isSensitive)
            if originals[try JinjaKey(key)] == nil {
                originals[try JinjaKey(key)] = parts[0]
                groups.append((parts[0], []))
            }
            groups[groups.count - 1].items.append(parts[1])
        }
        return .list(groups.map { .tuple([$0.key, .list($0.items)]) })
    }

    func dictionarySorted(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
        let by = try bound.text(1, default: JinjaText("key", trusted: true), "by").string
        guard by == "key" || by == "value" else {
            throw JinjaFault(.value("You can only sort by either \"key\" or \"value\""))
        }
        guard case .dictionary(let members) = value else {
            if case .undefined(let why) = value { throw why.fault }
            throw JinjaFault(.type("'\(value.typeName)' object has no attribute 'items'"))
        }
        let isSensitive = bound.flag(0, default: false)
        let keyed = members.members.map { member in
            (
                [sortKey(by == "key" ? member.key : member.value, caseSensitive: isSensitive)],
                JinjaValue.tuple([member.key, member.value])
            )
        }
        return .list(try sorted(keyed, reverse: bound.flag(2, default: false)))
    }

    func itemsFilter(_ value: JinjaValue) throws -> JinjaValue {
        switch value {
        case .dictionary(let members): return .generator(members.members.map { .tuple([$0.key, $0.value]) })
        case .undefined: return .generator([])
        default: throw JinjaFault(.type("Can only get item pairs from a mapping."))
        }
    }

    func batched(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["linecount", "fill_with"], of: "batch")
        let size = max(1, try bound.integer(0, default: 1, "linecount"))
        let items = try self.items(of: value)
        var rows: [[JinjaValue]] = []
        for item in items {
            if rows.last.map({ $0.count == size }) ?? true { rows.append([]) }
            rows[rows.count - 1].append(item)
        }
        if let fill = bound[1], !fill.isNone, let last = rows.last, last.count < size {
            try charge(list: size)
            rows[rows.count - 1] += Array(repeating: fill, count: size - last.count)
        }
        return .generator(rows.map { .list($0) })
    }

    func sliced(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["slices", "fill_with"], of: "slice")
        let count = try bound.integer(0, default: 1, "slices")
        guard count > 0 else { throw JinjaFault(.arithmetic("integer division or modulo by zero")) }
        try charge(list: count)
        let items = try self.items(of: value)
        let longer = items.count % count
        var place = 0
        var rows: [JinjaValue] = []
        for index in 0..<count {
            let size = items.count / count + (index < longer ? 1 : 0)
            var row = Array(items[place..<place + size])
            if let fill = bound[1], !fill.isNone, longer > 0, index >= longer { row.append(fill) }
            rows.append(.list(row))
            place += size
        }
        return .generator(rows)
    }

    func summed(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["attribute", "start"], of: "sum")
        var items = try self.items(of: value)
        if let key = bound[0], !key.isNone { items = try items.map { try path(key, of: $0) } }
        let start = bound[1] ?? .integer(0)
        if start.text != nil { throw JinjaFault(.type("sum() can't sum strings [use ''.join(seq) instead]")) }
        return try items.reduce(start) { try binary(.add, $0, $1) }
    }

    func extreme(_ value: JinjaValue, _ arguments: JinjaArguments, isMaximum: Bool) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: isMaximum ? "max" : "min")
        let items = try self.items(of: value)
        guard var best = items.first else {
            return .undefined(JinjaUndefined(message: "No aggregated item, sequence was empty."))
        }
        func key(_ item: JinjaValue) throws -> JinjaValue {
            let found = try bound[1].map { $0.isNone ? item : try path($0, of: item) } ?? item
            return sortKey(found, caseSensitive: bound.flag(0, default: false))
        }
        for item in items.dropFirst() {
            let (a, b) = isMaximum ? (best, item) : (item, best)
            if try JinjaValue.less(try key(a), try key(b)) { best = item }
        }
        return best
    }
}
