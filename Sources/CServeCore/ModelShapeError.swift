// Why a model's configuration is refused, with the file, the field and what to do.

/// A configuration that cannot be served.
public enum ModelShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not a JSON object.
    case notJSON(file: String, reason: String)
    /// A field that must be there is not.
    case missing(file: String, field: String)
    /// A field of the wrong kind.
    case wrongType(file: String, field: String, expected: String, found: String)
    /// A number outside what makes sense.
    case outOfRange(file: String, field: String, value: String, allowed: String)
    /// Fields that contradict each other.
    case inconsistent(file: String, field: String, reason: String)
    /// An architecture that is not served.
    case unsupportedArchitecture(name: String, supported: [String])
    /// A family whose shape is known, but which is not served.
    case plannedOnly(family: String, supported: [String])
    /// A value that this build does not know.
    case unsupportedValue(file: String, field: String, value: String, supported: String)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .notJSON(let file, let reason):
            "\(file) is not a JSON object: \(reason). Download the checkpoint again."
        case .missing(let file, let field):
            "\(file) lacks \"\(field)\". Add it, or take the config.json that was published with the model."
        case .wrongType(let file, let field, let expected, let found):
            "\(file): \"\(field)\" must be \(expected), not \(found). Correct the file."
        case .outOfRange(let file, let field, let value, let allowed):
            "\(file): \"\(field)\" is \(value), which is not \(allowed). Correct the file."
        case .inconsistent(let file, let field, let reason):
            "\(file): \"\(field)\" does not fit: \(reason). Correct the file."
        case .unsupportedArchitecture(let name, let supported):
            "The architecture \"\(name)\" is not supported. Supported: \(supported.joined(separator: ", "))."
        case .plannedOnly(let family, let supported):
            "Models of the family \(family) can be planned (cserve plan, cserve models --catalog) but not served. Served: "
                + "\(supported.joined(separator: ", "))."
        case .unsupportedValue(let file, let field, let value, let supported):
            "\(file): \"\(field)\" is \"\(value)\", which is not supported. Supported: \(supported)."
        }
    }
}
