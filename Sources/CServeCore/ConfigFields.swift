// Typed reading of a configuration's fields: every miss names its file and field, nothing traps.

/// The fields of one JSON object of a configuration file.
struct ConfigFields {
    let file: String
    let object: JSONObject
    /// Where the object stands in the file, for messages: `rope_scaling.`.
    var path: String = ""

    private func present(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    func has(_ key: String) -> Bool { object[key] != nil }

    private func wrong(_ key: String, _ expected: String, _ found: JSONValue) -> ModelShapeError {
        .wrongType(file: file, field: path + key, expected: expected, found: found.kind)
    }

    func int(_ key: String, in range: ClosedRange<Int>) throws(ModelShapeError) -> Int? {
        guard let value = present(key) else { return nil }
        if case .bool = value { throw wrong(key, "a whole number", value) }
        guard let number = value.doubleValue else { throw wrong(key, "a whole number", value) }
        guard let whole = value.intValue, range.contains(whole) else {
            throw .outOfRange(
                file: file, field: path + key, value: value.intValue.map { "\($0)" } ?? "\(number)",
                allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    func requiredInt(
        _ key: String, in range: ClosedRange<Int>, default known: Int? = nil
    ) throws(ModelShapeError) -> Int {
        guard let value = try int(key, in: range) ?? known else { throw .missing(file: file, field: path + key) }
        return value
    }

    func double(_ key: String, above least: Double = 0, inclusive: Bool = false) throws(ModelShapeError) -> Double? {
        guard let value = present(key) else { return nil }
        if case .bool = value { throw wrong(key, "a number", value) }
        guard let number = value.doubleValue else { throw wrong(key, "a number", value) }
        guard number.isFinite, number > least || (inclusive && number == least), number < 1e30 else {
            throw .outOfRange(
                file: file, field: path + key, value: "\(number)", allowed: "a finite number above \(least)")
        }
        return number
    }

    func requiredDouble(_ key: String) throws(ModelShapeError) -> Double {
        guard let value = try double(key) else { throw .missing(file: file, field: path + key) }
        return value
    }

    /// The first of several spellings that is there.
    func int(_ keys: [String], in range: ClosedRange<Int>) throws(ModelShapeError) -> Int? {
        for key in keys {
            if let value = try int(key, in: range) { return value }
        }
        return nil
    }

    /// The first of several spellings that is there.
    func string(_ keys: [String]) throws(ModelShapeError) -> String? {
        for key in keys {
            if let value = try string(key) { return value }
        }
        return nil
    }

    func bool(_ key: String) throws(ModelShapeError) -> Bool? {
        guard let value = present(key) else { return nil }
        guard let flag = value.boolValue else { throw wrong(key, "true or false", value) }
        return flag
    }

    func string(_ key: String) throws(ModelShapeError) -> String? {
        guard let value = present(key) else { return nil }
        guard let text = value.stringValue else { throw wrong(key, "a string", value) }
        return text
    }

    func array(_ key: String) throws(ModelShapeError) -> [JSONValue]? {
        guard let value = present(key) else { return nil }
        guard let items = value.arrayValue else { throw wrong(key, "an array", value) }
        return items
    }

    func fields(_ key: String) throws(ModelShapeError) -> ConfigFields? {
        guard let value = present(key) else { return nil }
        guard let members = value.objectValue else { throw wrong(key, "an object", value) }
        return ConfigFields(file: file, object: members, path: path + key + ".")
    }

    /// Positive numbers, exactly `count` of them.
    func factors(_ key: String, count: Int) throws(ModelShapeError) -> [Double] {
        guard let items = try array(key) else { throw .missing(file: file, field: path + key) }
        let numbers = items.compactMap(\.doubleValue)
        guard numbers.count == items.count, numbers.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw .wrongType(file: file, field: path + key, expected: "an array of positive numbers", found: "others")
        }
        guard numbers.count == count else {
            throw .inconsistent(
                file: file, field: path + key, reason: "it has \(numbers.count) numbers, the heads need \(count)")
        }
        return numbers
    }

    /// One token id, several, or none.
    func tokenIDs(_ key: String) throws(ModelShapeError) -> [TokenID] {
        guard let value = present(key) else { return [] }
        var ids: [TokenID] = []
        for item in value.arrayValue ?? [value] {
            guard let id = item.intValue else { throw wrong(key, "a token id or an array of them", item) }
            guard id >= 0, let token = TokenID(exactly: id) else {
                throw .outOfRange(file: file, field: path + key, value: "\(id)", allowed: "a token id")
            }
            ids.append(token)
        }
        return ids
    }
}
