// Reads the fields of a JSON object, so that each mistake is told with its place.
import CServeCore

/// An object's fields, read with their places.
struct JSONFields {
    let value: JSONValue
    let path: String
    private let object: JSONObject

    init(_ value: JSONValue, at path: String) throws(WorkloadError) {
        guard let object = value.objectValue else {
            throw .badField(field: path.isEmpty ? "The workload" : path, found: value.kind, expected: "an object")
        }
        self.value = value
        self.path = path
        self.object = object
    }

    subscript(key: String) -> JSONValue? { object[key].flatMap { $0.isNull ? nil : $0 } }

    /// Refuses other fields.
    func allow(_ known: [String]) throws(WorkloadError) {
        for key in object.keys where !known.contains(key) { throw .unknownField(field: name(key), known: known) }
    }

    func required(_ key: String, _ expected: String) throws(WorkloadError) -> JSONValue {
        try needed(self[key], key, expected)
    }

    func needed<Value>(_ value: Value?, _ key: String, _ expected: String) throws(WorkloadError) -> Value {
        guard let value else { throw .missingField(field: name(key), expected: expected) }
        return value
    }

    func text(_ key: String, default fallback: String? = nil) throws(WorkloadError) -> String {
        guard let value = self[key] else { return try needed(fallback, key, "a string") }
        guard let text = value.stringValue else { throw bad(key, value, "a string") }
        return text
    }

    func number(_ key: String) throws(WorkloadError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.doubleValue else { throw bad(key, value, "a number") }
        return number
    }

    /// Requests per second.
    func rate(_ key: String) throws(WorkloadError) -> Double {
        try needed(number(key), key, "a number of requests per second")
    }

    func whole(_ key: String) throws(WorkloadError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.intValue else { throw bad(key, value, "a whole number") }
        return number
    }

    func seed(_ key: String) throws(WorkloadError) -> UInt64 {
        guard let value = self[key] else { return 0 }
        switch value {
        case .integer(let number) where number >= 0: return UInt64(number)
        case .bigInteger(let digits): if let number = UInt64(digits) { return number }
        default: break
        }
        throw bad(key, value, "a whole number from 0 to 18446744073709551615")
    }

    func flag(_ key: String) throws(WorkloadError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.boolValue else { throw bad(key, value, "true or false") }
        return flag
    }

    /// Seconds up to 292 years.
    func span(_ key: String) throws(WorkloadError) -> Nanoseconds? {
        guard let seconds = try number(key) else { return nil }
        guard seconds >= 0, let span = Nanoseconds(exactly: (seconds * 1e9).rounded()) else {
            throw bad(key, self[key] ?? .null, "a number of seconds, 0 or more")
        }
        return span
    }

    /// Rows of that many numbers each.
    func rows(_ key: String, of count: Int, _ expected: String) throws(WorkloadError) -> [[Double]] {
        let items: [JSONValue] = try required(key, "a list of " + expected).arrayValue ?? []
        var rows: [[Double]] = []
        for item in items {
            let numbers: [Double] = item.arrayValue?.compactMap(\.doubleValue) ?? []
            guard numbers.count == count, item.arrayValue?.count == count else {
                throw bad(key, item, "a list of " + expected)
            }
            rows.append(numbers)
        }
        guard !rows.isEmpty else { throw bad(key, self[key] ?? .null, "a list of one or more " + expected) }
        return rows
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

    private func bad(_ key: String, _ value: JSONValue, _ expected: String) -> WorkloadError {
        .badField(field: name(key), found: value.text(), expected: expected)
    }
}
