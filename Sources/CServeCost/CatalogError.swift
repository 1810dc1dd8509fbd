// Why a catalogue, or a name looked up in one, is refused.
import CServeCore

/// A catalogue file or a user's choice of hardware, price or model that cannot be used.
public enum CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not a JSON object.
    case notJSON(file: String, reason: String)
    /// A field that must be there is not.
    case missing(file: String, field: String)
    /// A field of the wrong kind.
    case wrongType(file: String, field: String, expected: String, found: String)
    /// A value outside what makes sense.
    case outOfRange(file: String, field: String, value: String, allowed: String)
    /// A field that nothing reads.
    case unknownField(file: String, field: String, known: [String])
    /// Another version of the format.
    case unknownSchema(file: String, schema: String, expected: String)
    /// No accelerator and no instance of that name.
    case unknownHardware(name: String, near: [String], accelerators: [String])
    /// No such instance in the catalogue.
    case unknownNode(file: String, field: String, name: String, choices: [String])
    /// A topology that the accelerator is not catalogued with.
    case unknownTopology(name: String, accelerator: String, choices: [String])
    /// Text that does not name hardware.
    case badHardware(text: String, reason: String)
    /// Text that is not NAME=USD.
    case badPrice(text: String)
    /// No model of that name.
    case unknownModel(name: String, near: [String], count: Int)
    /// A measured calibration that cannot be read.
    case badCalibration(file: String, field: String, reason: String)
    /// An entry whose configuration is refused.
    case badModel(file: String, model: String, reason: String)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .notJSON(let file, let reason): "\(file) is not a JSON object: \(reason)."
        case .missing(let file, let field): "\(file) lacks \"\(field)\". Add it."
        case .wrongType(let file, let field, let expected, let found):
            "\(file): \"\(field)\" must be \(expected), not \(found)."
        case .outOfRange(let file, let field, let value, let allowed):
            "\(file): \"\(field)\" is \(value). Give \(allowed)."
        case .unknownField(let file, let field, let known):
            "\(file): \"\(field)\" is not a field that is read. Known here: \(known.joined(separator: ", "))."
        case .unknownSchema(let file, let schema, let expected):
            "\(file) is of schema \"\(schema)\". This build reads \"\(expected)\"."
        case .unknownHardware(let name, let near, let accelerators):
            "There is no hardware \"\(name)\".\(CatalogError.guess(near)) Accelerators: "
                + "\(accelerators.joined(separator: ", ")). `cserve hardware` lists instances too."
        case .unknownNode(let file, let field, let name, let choices):
            "\(file): \"\(field)\" names \"\(name)\", which is not in the catalogue. Known: "
                + "\(choices.joined(separator: ", "))."
        case .unknownTopology(let name, let accelerator, let choices):
            "\(accelerator) is not catalogued with the topology \"\(name)\". Choose one of "
                + "\(choices.joined(separator: ", "))."
        case .badHardware(let text, let reason):
            "\"\(text)\" names no hardware: \(reason). Write l4, 4xl4, 4xl4:pcie-p2p, g6.12xlarge or 2x(g6.12xlarge)."
        case .badPrice(let text):
            "\"\(text)\" is not a price. Write l4=0.71 (US dollars per GPU and hour) or g6.12xlarge=3.9 (per instance)."
        case .unknownModel(let name, let near, let count):
            "There is no model \"\(name)\" among the \(count) in the catalogue.\(CatalogError.guess(near)) "
                + "`cserve models --catalog` lists them; a checkpoint folder or a config.json file will do as well."
        case .badCalibration(let file, let field, let reason):
            "\(file): the calibration at \(field.hasSuffix(".") ? String(field.dropLast()) : field) cannot be read: \(reason) "
                + "Write the file anew with cserve profile."
        case .badModel(let file, let model, let reason): "\(file): the model \(model) cannot be read: \(reason)"
        }
    }

    private static func guess(_ near: [String]) -> String {
        near.isEmpty ? "" : " Near: \(near.joined(separator: ", "))."
    }
}
