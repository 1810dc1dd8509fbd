// The engines inside the binary, and one of a user's own.

import CAssets
import CServeCore
import CServeCost
import Foundation

/// Engine profiles by name.
enum EngineProfiles {
    /// The embedded ones.
    static func embedded() throws -> [EngineProfile] {
        let assets: [CAsset] = [
            cassets_engine_cserve(), cassets_engine_vllm(), cassets_engine_vllm_v0(), cassets_engine_trtllm(),
        ]
        return try InputFiles.current.builtIn("engines", all: assets.map { BuiltInModel.bytes($0) }).map { bytes in
            try decode(Data(bytes), file: "an embedded engine profile")
        }
    }

    /// An engine by name, or from a JSON file.
    /// - Throws: ``CalibrationError``.
    static func profile(_ name: String) throws -> EngineProfile {
        if name.hasSuffix(".json") {
            guard let bytes = InputFiles.current.contents(name) else { throw DataFolderError.missing(name) }
            return try decode(Data(bytes), file: name)
        }
        let known: [EngineProfile] = try embedded()
        guard let profile = known.first(where: { $0.name == name }) else {
            throw CalibrationError.unknownEngine(name, known: known.map(\.name))
        }
        return profile
    }

    /// Decodes a value, naming file and field where it cannot be.
    static func decode<Value: Decodable>(_ data: Data, file: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw CalibrationError.field(file: file, field: place(of: error), expected: "as this program writes it")
        }
    }

    private static func place(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, let context):
            return (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return context.codingPath.map(\.stringValue).joined(separator: ".")
        @unknown default: return "\(error)"
        }
    }
}

/// Calibrations as `cserve calibrate --profile` writes them.
enum CalibrationFile {
    static func read(_ path: String) throws -> Calibration {
        guard let bytes = InputFiles.current.contents(path) else { throw DataFolderError.missing(path) }
        return try EngineProfiles.decode(Data(bytes), file: path)
    }
}

/// The measured curves inside the binary.
enum UtilisationCurves {
    static var bytes: [UInt8] {
        InputFiles.current.builtIn("utilisation.json", BuiltInModel.bytes(cassets_utilisation()))
    }

    static func embedded() throws -> UtilisationLibrary {
        try LibraryFile(parsing: bytes, file: "utilisation.json").library
    }
}
