// Reads one field of a request at a time, so that every wrong type names its field.

import CServeCore

/// Typed access to the members of a request's JSON object; null counts as absent.
struct FieldReader: Sendable {
    /// The object.
    let object: JSONObject
    /// Where the object stands in the body: empty, or a prefix such as `stream_options.`.
    let path: String

    init(_ object: JSONObject, path: String = "") {
        self.object = object
        self.path = path
    }

    /// Parses a body.
    init(body: [UInt8], limits: Limits) throws(APIError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: body, maximumDepth: limits.jsonDepth)
        } catch {
            throw .malformedJSON(reason: error.description)
        }
        guard case .object(let object) = value else { throw .bodyNotAnObject(found: value.kind) }
        self.init(object)
    }

    /// The field's value, unless it is absent or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func string(_ name: String) throws(APIError) -> String? {
        guard let value = value(name) else { return nil }
        guard let string = value.stringValue else { throw wrong(name, "a string", value) }
        return string
    }

    func bool(_ name: String) throws(APIError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let bool = value.boolValue else { throw wrong(name, "true or false", value) }
        return bool
    }

    func int(_ name: String) throws(APIError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let int = value.intValue else { throw wrong(name, "an integer", value) }
        return int
    }

    func float(_ name: String) throws(APIError) -> Float? {
        guard let value = value(name) else { return nil }
        guard let double = value.doubleValue else { throw wrong(name, "a number", value) }
        guard abs(double) <= Double(Float.greatestFiniteMagnitude) else {
            throw .invalidValue(field: path + name, reason: "\(double) is too large.")
        }
        return Float(double)
    }

    func array(_ name: String, limit: Int, unit: String = "entries") throws(APIError) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let array = value.arrayValue else { throw wrong(name, "a list", value) }
        guard array.count <= limit else {
            throw .tooMany(field: path + name, count: array.count, limit: limit, unit: unit)
        }
        return array
    }

    func object(_ name: String) throws(APIError) -> JSONObject? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else { throw wrong(name, "an object", value) }
        return object
    }

    /// A list of token ids; ids beyond 32 bits are refused here, ids beyond the vocabulary by the caller.
    func tokens(_ name: String, limit: Int) throws(APIError) -> [TokenID]? {
        guard let array = try array(name, limit: limit) else { return nil }
        return try FieldReader.tokens(array, field: path + name)
    }

    static func tokens(_ array: [JSONValue], field: String) throws(APIError) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(array.count)
        for (index, element) in array.enumerated() {
            guard let int = element.intValue else {
                throw .wrongType(field: "\(field)[\(index)]", expected: "a token id", found: element.described)
            }
            guard let token = TokenID(exactly: int) else {
                throw .invalidValue(field: "\(field)[\(index)]", reason: "\(int) is not a token id.")
            }
            tokens.append(token)
        }
        return tokens
    }

    /// A list of strings.
    func strings(_ name: String, limit: Int) throws(APIError) -> [String]? {
        guard let array = try array(name, limit: limit) else { return nil }
        var strings: [String] = []
        for (index, element) in array.enumerated() {
            guard let string = element.stringValue else {
                throw .wrongType(field: "\(path)\(name)[\(index)]", expected: "a string", found: element.described)
            }
            strings.append(string)
        }
        return strings
    }

    /// The error for a value of the wrong type.
    func wrong(_ name: String, _ expected: String, _ value: JSONValue) -> APIError {
        .wrongType(field: path + name, expected: expected, found: value.described)
    }
}

extension JSONValue {
    /// The kind with its article, for messages; never the value itself, which may be a user's text.
    var described: String {
        switch self {
        case .null: "null"
        case .array, .object, .integer, .bigInteger: "an \(kind)"
        case .bool, .double, .string: "a \(kind)"
        }
    }
}
