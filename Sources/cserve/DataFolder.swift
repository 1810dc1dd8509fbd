// Reads folders of measurements: kernels' tables, data sheets, profiles; parts may be absent.

import CServeCore
import CServeCost
import Foundation

/// A folder of measurements, laid out as `hardware/`, `kernels/`, `serving/`, `traces/`.
struct DataFolder {
    let path: String

    /// No folder: every part is absent.
    static let none: DataFolder = DataFolder()

    private init() { path = "/dev/null" }

    /// Opens a folder.
    /// - Throws: ``DataFolderError/missing(_:)``.
    init(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw DataFolderError.missing(path)
        }
        self.path = path
    }

    /// Files of a subfolder by name, sorted; empty where there is no such folder.
    func files(_ folder: String, suffix: String) -> [String] {
        let names: [String]? = try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)
        return (names ?? []).filter { $0.hasSuffix(suffix) }.sorted().map { folder.isEmpty ? $0 : folder + "/" + $0 }
    }

    func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + file) }

    /// A file's bytes.
    func bytes(_ file: String) throws -> [UInt8] {
        do {
            let bytes: [UInt8] = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + file)))
            InputFiles.current.noteDigest(path + "/" + file, bytes)
            return bytes
        } catch {
            throw DataFolderError.unreadable(path + "/" + file, reason: error.localizedDescription)
        }
    }

    /// The data sheets, `hardware/gpus.csv`.
    func sheets() throws -> DataSheets {
        guard has("hardware/gpus.csv") else { throw DataFolderError.missing(path + "/hardware/gpus.csv") }
        return try DataSheets(parsing: bytes("hardware/gpus.csv"), file: "hardware/gpus.csv")
    }

    /// The tables of measured kernels, by accelerator. Empty where there are none.
    func kernels(most: Int = 2400, progress: (String) -> Void = { _ in }) throws -> LibraryBuilder {
        var builder: LibraryBuilder = LibraryBuilder(most: most)
        let files: [String] = files("kernels", suffix: ".csv") + files("kernels/collectives", suffix: ".csv")
        guard !files.isEmpty else { return builder }
        let sheets: DataSheets = try sheets()
        for file in files {
            progress(file)
            guard let table = try KernelTable(parsing: bytes(file), file: file) else { continue }
            builder.add(table, sheets: sheets)
        }
        return builder
    }

    /// Decodes out of `kernels/per_model_profiles/GPU/MODEL`, by accelerator; models and GPUs that are not known are left out.
    func profiledKernels() throws -> [ProfiledKernels] {
        let root: String = "kernels/per_model_profiles"
        let (sheets, models): (DataSheets, ModelCatalog) = (try sheets(), try Catalogs.models())
        var found: [ProfiledKernels] = []
        for gpu in files(root, suffix: "") {
            guard let spec = sheets.accelerator(alike: String(gpu.dropFirst(root.count + 1))) else { continue }
            var kernels: ProfiledKernels = ProfiledKernels(spec)
            for maker in files(gpu, suffix: "") {
                for model in files(maker, suffix: "") {
                    guard let shape = models.entry(named: String(model.dropFirst(gpu.count + 1)))?.shape else {
                        continue
                    }
                    try addAttention(of: shape, in: model, to: &kernels)
                }
            }
            found.append(kernels)
        }
        return found.filter { !$0.samples.isEmpty }
    }

    private func addAttention(of shape: ModelShape, in model: String, to kernels: inout ProfiledKernels) throws {
        for variant in files(model, suffix: "") {
            for ranks in [1, 2, 4, 8] where has("\(variant)/tp\(ranks)/attention.csv") {
                let file: String = "\(variant)/tp\(ranks)/attention.csv"
                let heads = AttentionShape(
                    heads: max(1, shape.heads / ranks), kvHeads: max(1, shape.kvHeads / ranks),
                    headDim: shape.headDim)
                try kernels.add(parsing: bytes(file), file: file, shape: heads)
            }
        }
    }

    /// A profile's folder (`RTX4090/meta-llama/Llama-3.1-8B/bf16` holds `tp1`, `tp2`, ...) as a calibration.
    static func profile(_ folder: String) throws -> Calibration {
        let root: DataFolder = try DataFolder(folder)
        let facts: [String: String] = root.has("meta.yaml") ? meta(try root.bytes("meta.yaml")) : [:]
        let hasSkew: Bool = facts["skew_fit.enabled"] != "false"
        var profiles: [OperatorProfile] = []
        for name in root.files("", suffix: "") where name.hasPrefix("tp") {
            guard let ranks = Int(name.dropFirst(2)) else { continue }
            func optional(_ file: String) throws -> [UInt8]? { root.has(file) ? try root.bytes(file) : nil }
            let tables: ProfileTables = ProfileTables(
                folder: folder + "/" + name, ranks: ranks, dense: try root.bytes(name + "/dense.csv"),
                perSequence: try root.bytes(name + "/per_sequence.csv"),
                attention: try root.bytes(name + "/attention.csv"), experts: try optional(name + "/moe.csv"),
                skew: hasSkew ? try optional(name + "/skew_fit.csv") : nil)
            var profile: OperatorProfile = try OperatorProfile(importing: tables)
            // A bundle that does not enable its fit has found nothing to correct.
            if !hasSkew { profile.skew = SkewTable(standard: 0) }
            profiles.append(profile)
        }
        guard !profiles.isEmpty else {
            throw CalibrationError.noTables(folder: folder, expected: "folders tp1, tp2, ... with dense.csv and others")
        }
        let title: [String] = ["gpu", "model", "vllm_version"].compactMap { facts[$0] }
        return Calibration(
            title: title.isEmpty ? folder : title.joined(separator: ", "),
            date: String((facts["profiled_at"] ?? "").prefix(10)), profiles: profiles.sorted { $0.ranks < $1.ranks },
            interval: ErrorInterval(low: -0.05, high: 0.05))
    }

    /// The plain `name: value` lines at a file's top level, and those one level below as `block.name`.
    private static func meta(_ bytes: [UInt8]) -> [String: String] {
        var facts: [String: String] = [:]
        var block: String = ""
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("   ") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value: String = line[line.index(after: colon)...].trimmingCharacters(
                in: CharacterSet(charactersIn: " '\""))
            let name: String = line[..<colon].trimmingCharacters(in: .whitespaces)
            let isInner: Bool = line.hasPrefix(" ")
            if !isInner { block = name }
            if !value.isEmpty { facts[isInner ? block + "." + name : name] = value }
        }
        return facts
    }
}

/// Why a folder of measurements cannot be read.
enum DataFolderError: Error, CustomStringConvertible {
    /// No such folder or file.
    case missing(String)
    /// A file that is there but cannot be read.
    case unreadable(String, reason: String)
    /// A file that cannot be written.
    case unwritable(String, reason: String)

    var description: String {
        switch self {
        case .missing(let path):
            "\(path) is not there. Name a folder of measurements with hardware/, kernels/, serving/."
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason). Check its permissions."
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason). Choose another place with -o."
        }
    }
}
