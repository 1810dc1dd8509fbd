// From flags to the planner's question: models, engines, calibrations and files are found here, so that planning reads none.

import CServeCore
import CServeCost
import CServePlanner
import CServeServer
import CServeWorkload
import Foundation

/// Finds what the flags name.
enum PlanInputs {
    /// A question about a model and a workload.
    static func question(
        model: ModelChoice, workload: Workload, targets: PlanTargets, bounds: SearchBounds, catalog: HardwareCatalog,
        engine: EngineModelOptions, effort: PlanEffort
    ) throws -> PlanQuestion {
        PlanQuestion(
            model: model.name, shape: model.shape, stored: model.stored, workload: workload, targets: targets,
            bounds: bounds, catalog: catalog, engine: try EngineProfiles.profile(engine.engine),
            library: try UtilisationCurves.embedded(),
            calibration: try engine.calibration.map { try CalibrationFile.read($0) }, effort: effort,
            seed: workload.seed)
    }

    /// Where a plan of today comes from.
    static func origin(_ engine: EngineModelOptions, catalog: HardwareCatalog, pick: PlanRole?) throws -> PlanOrigin {
        var calibration: Provenance? = try engine.calibration.map { (file: String) throws -> Provenance in
            Provenance(source: file, date: try CalibrationFile.read(file).date)
        }
        if calibration == nil, let own = catalog.calibrations.last {
            calibration = Provenance(source: own.calibration.title, date: own.calibration.date)
        }
        return PlanOrigin(
            generator: "cserve \(ServerVersion.number)", date: today, digests: try digests(engine, catalog),
            calibration: calibration, pick: pick)
    }

    private static func digests(_ engine: EngineModelOptions, _ catalog: HardwareCatalog) throws -> [String: String] {
        let parts: [JSONValue] = [
            try JSONValue(encoding: catalog.accelerators), try JSONValue(encoding: catalog.nodes),
            try JSONValue(encoding: catalog.prices), try JSONValue(encoding: catalog.calibrations),
        ]
        var digests: [String: String] = [
            "catalogue": SHA256.hexadecimal(of: JSONValue.array(parts).serialized(.init(sortKeys: true))),
            "curves": SHA256.hexadecimal(of: UtilisationCurves.bytes),
        ]
        if let file = engine.calibration, let bytes = InputFiles.current.contents(file) {
            digests["calibration"] = SHA256.hexadecimal(of: bytes)
        }
        return digests
    }

    /// The day, in UTC.
    static var today: String { String(Date().formatted(.iso8601).prefix(10)) }

    /// A file's bytes.
    static func read(_ file: String) throws -> [UInt8] {
        do {
            return try InputFiles.current.bytes(file)
        } catch {
            throw PlanOptionError.unreadable(file: file, reason: error.localizedDescription)
        }
    }

    /// Writes a file.
    static func write(_ bytes: [UInt8], to file: String) throws {
        do {
            try Data(bytes).write(to: URL(filePath: file))
        } catch {
            throw PlanOptionError.unwritable(file: file, reason: error.localizedDescription)
        }
    }

    /// Writes points as a table where the file's name ends so, else as JSON.
    static func write(_ points: [PlanPoint], to file: String) throws {
        let isTable: Bool = file.lowercased().hasSuffix(".csv")
        let json: JSONValue = try JSONValue(encoding: points)
        try write(isTable ? Array(PlanPoint.csv(points).utf8) : json.serialized(.pretty), to: file)
    }
}
