// Typed reading of a catalogue's JSON: every miss names its file and field, so that a user's own file is easily mended.
import CServeCore

/// A catalogue file: its name for messages, and its bytes.
public struct CatalogFile: Hashable, Sendable {
    /// What messages call it.
    public var name: String
    /// JSON.
    public var bytes: [UInt8]

    /// Names a file.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// The members of one JSON object of a catalogue.
struct CatalogFields {
    let file: String
    let object: JSONObject
    /// Where the object stands in the file, for messages: `nodes[3].`.
    var path: String = ""

    init(file: String, object: JSONObject, path: String = "") {
        self.file = file
        self.object = object
        self.path = path
    }

    /// Reads a whole file.
    init(_ file: CatalogFile) throws(CatalogError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: file.bytes)
        } catch {
            throw .notJSON(file: file.name, reason: "\(error)")
        }
        guard let object = value.objectValue else {
            throw .notJSON(file: file.name, reason: "it holds another kind of value")
        }
        self.init(file: file.name, object: object)
    }

    /// Refuses members that nothing reads: a misspelt field would be ignored silently.
    func check(known: [String]) throws(CatalogError) {
        for key in object.keys where !known.contains(key) {
            throw .unknownField(file: file, field: path + key, known: known.sorted())
        }
    }

    private func present(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    private func wrong(_ key: String, _ expected: String, _ found: JSONValue) -> CatalogError {
        .wrongType(file: file, field: path + key, expected: expected, found: found.kind)
    }

    private func needed<T>(_ key: String, _ value: T?) throws(CatalogError) -> T {
        guard let value else { throw .missing(file: file, field: path + key) }
        return value
    }

    func string(_ key: String) throws(CatalogError) -> String? {
        guard let value = present(key) else { return nil }
        guard let text = value.stringValue, !text.isEmpty else { throw wrong(key, "a string that is not empty", value) }
        return text
    }

    func requiredString(_ key: String) throws(CatalogError) -> String { try needed(key, try string(key)) }

    func bool(_ key: String) throws(CatalogError) -> Bool? {
        guard let value = present(key) else { return nil }
        guard let flag = value.boolValue else { throw wrong(key, "true or false", value) }
        return flag
    }

    /// A number above 0 (or 0, where that makes sense).
    func double(_ key: String, orZero: Bool = false) throws(CatalogError) -> Double? {
        guard let value = present(key) else { return nil }
        guard let number = value.doubleValue else { throw wrong(key, "a number", value) }
        guard number.isFinite, number > 0 || (orZero && number == 0) else {
            let allowed = orZero ? "a finite number of at least 0" : "a finite number above 0"
            throw .outOfRange(file: file, field: path + key, value: value.text(), allowed: allowed)
        }
        return number
    }

    func requiredDouble(_ key: String, orZero: Bool = false) throws(CatalogError) -> Double {
        try needed(key, try double(key, orZero: orZero))
    }

    func int(_ key: String) throws(CatalogError) -> Int? {
        guard let value = present(key) else { return nil }
        guard value.doubleValue != nil else { throw wrong(key, "a whole number", value) }
        guard let whole = value.intValue, whole > 0 else {
            throw .outOfRange(file: file, field: path + key, value: value.text(), allowed: "a whole number above 0")
        }
        return whole
    }

    func requiredInt(_ key: String) throws(CatalogError) -> Int { try needed(key, try int(key)) }

    func fields(_ key: String) throws(CatalogError) -> CatalogFields? {
        guard let value = present(key) else { return nil }
        guard let object = value.objectValue else { throw wrong(key, "an object", value) }
        return CatalogFields(file: file, object: object, path: path + key + ".")
    }

    func requiredFields(_ key: String) throws(CatalogError) -> CatalogFields { try needed(key, try fields(key)) }

    /// An array of objects; empty where there is none.
    func list(_ key: String) throws(CatalogError) -> [CatalogFields] {
        guard let value = present(key) else { return [] }
        guard let items = value.arrayValue else { throw wrong(key, "an array of objects", value) }
        var list: [CatalogFields] = []
        for (index, item) in items.enumerated() {
            guard let object = item.objectValue else { throw wrong("\(key)[\(index)]", "an object", item) }
            list.append(CatalogFields(file: file, object: object, path: "\(path)\(key)[\(index)]."))
        }
        return list
    }

    /// An array of strings; empty where there is none.
    func strings(_ key: String) throws(CatalogError) -> [String] {
        guard let value = present(key) else { return [] }
        guard let items = value.arrayValue else { throw wrong(key, "an array of strings", value) }
        var strings: [String] = []
        for item in items {
            guard let text = item.stringValue else { throw wrong(key, "an array of strings", item) }
            strings.append(text)
        }
        return strings
    }

    /// One of an enumeration's names.
    func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type) throws(CatalogError) -> T?
    where T.RawValue == String {
        guard let name = try string(key) else { return nil }
        guard let value = T(rawValue: name) else {
            let allowed = "one of " + T.allCases.map(\.rawValue).joined(separator: ", ")
            throw .outOfRange(file: file, field: path + key, value: name, allowed: allowed)
        }
        return value
    }

    /// Members of an object by name.
    func members<T>(
        _ key: String, _ read: (CatalogFields, String) throws(CatalogError) -> T
    ) throws(CatalogError) -> [String: T] {
        guard let inner = try fields(key) else { return [:] }
        var members: [String: T] = [:]
        for name in inner.object.keys { members[name] = try read(inner, name) }
        return members
    }
}
