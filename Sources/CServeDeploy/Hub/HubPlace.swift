// Where fetched files lie: in a folder of their own, or in the cache that huggingface_hub shares.

import CServeCore
import Foundation

/// A destination of files.
public enum HubPlace: Hashable, Sendable {
    /// A folder with the repository's files.
    case folder(String)
    /// A cache as huggingface_hub lays it out: `models--OWNER--NAME/{blobs,refs,snapshots}`.
    case cache(String)

    /// The path of a model's folder in the cache.
    static func repository(_ cache: String, _ model: HubModel) -> String {
        cache + "/models--" + model.repository.replacing("/", with: "--")
    }

    /// Where a file's bytes are put; another file of the same bytes shares them in a cache.
    func blob(_ file: HubFile, _ model: HubModel) -> String {
        switch self {
        case .folder(let folder): folder + "/" + file.path
        case .cache(let cache): Self.repository(cache, model) + "/blobs/" + file.digest
        }
    }

    /// The folder that the model is used from.
    func snapshot(_ model: HubModel, commit: String) -> String {
        switch self {
        case .folder(let folder): folder
        case .cache(let cache): Self.repository(cache, model) + "/snapshots/" + commit
        }
    }

    /// Makes the files findable once their bytes are there.
    func publish(_ listing: HubListing, _ files: [HubFile], _ model: HubModel) throws {
        switch self {
        case .folder(let folder): try HubMarker(model: model, commit: listing.commit, files: files).write(to: folder)
        case .cache(let cache): try link(cache, listing, files, model)
        }
    }

    /// Relative links from the snapshot to the blobs, and the revision's name for the commit.
    private func link(_ cache: String, _ listing: HubListing, _ files: [HubFile], _ model: HubModel) throws {
        let manager = FileManager.default
        let snapshot: String = snapshot(model, commit: listing.commit)
        for file in files {
            let path: String = snapshot + "/" + file.path
            let up: String = String(repeating: "../", count: 1 + file.path.split(separator: "/").count)
            let target: String = up + "blobs/" + file.digest
            try manager.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            if (try? manager.destinationOfSymbolicLink(atPath: path)) == target { continue }
            try? manager.removeItem(atPath: path)
            try manager.createSymbolicLink(atPath: path, withDestinationPath: target)
        }
        guard model.revision != listing.commit else { return }
        let reference: String = Self.repository(cache, model) + "/refs/" + model.revision
        try manager.createDirectory(
            atPath: (reference as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(listing.commit.utf8).write(to: URL(fileURLWithPath: reference), options: .atomic)
    }

    /// The folder of a model that is complete already; nil if it is not.
    public func complete(_ model: HubModel) -> String? {
        switch self {
        case .folder(let folder): HubMarker.read(folder).flatMap { $0.isComplete(model, in: folder) ? folder : nil }
        case .cache(let cache): cached(cache, model)
        }
    }

    /// A snapshot whose links all lead somewhere and that has every part its index names.
    private func cached(_ cache: String, _ model: HubModel) -> String? {
        let manager = FileManager.default
        let repository: String = Self.repository(cache, model)
        let named: String? = try? String(contentsOfFile: repository + "/refs/" + model.revision, encoding: .utf8)
        let commit: String = named?.trimmingCharacters(in: .whitespacesAndNewlines) ?? model.revision
        let snapshot: String = snapshot(model, commit: commit)
        guard let names = manager.enumerator(atPath: snapshot)?.compactMap({ $0 as? String }), !names.isEmpty,
            names.allSatisfy({ manager.fileExists(atPath: snapshot + "/" + $0) })
        else { return nil }
        guard let index = manager.contents(atPath: snapshot + "/model.safetensors.index.json") else { return snapshot }
        let parts: [JSONValue] = (try? JSONValue(parsing: [UInt8](index)))?["weight_map"]?.objectValue?.values ?? []
        return Set(parts.compactMap(\.stringValue)).allSatisfy { names.contains($0) } ? snapshot : nil
    }
}

/// What says that a folder is complete: written last, so that a folder without it is not.
struct HubMarker: Hashable {
    static let name: String = ".cserve-fetch.json"

    var model: String
    var commit: String
    var files: [(path: String, size: Int, digest: String)]

    static func == (left: HubMarker, right: HubMarker) -> Bool { left.json == right.json }
    func hash(into hasher: inout Hasher) { hasher.combine(json) }

    init(model: HubModel, commit: String, files: [HubFile]) {
        self.model = model.description
        self.commit = commit
        self.files = files.map { ($0.path, $0.size, $0.digest) }
    }

    private init?(_ value: JSONValue) {
        guard let model = value["model"]?.stringValue, let commit = value["commit"]?.stringValue else { return nil }
        self.model = model
        self.commit = commit
        files = (value["files"]?.arrayValue ?? []).compactMap { file in
            guard let path = file["path"]?.stringValue, let size = file["size"]?.intValue else { return nil }
            return (path, size, file["digest"]?.stringValue ?? "")
        }
    }

    private var json: JSONValue {
        let list: [JSONValue] = files.map {
            ["path": .string($0.path), "size": .integer($0.size), "digest": .string($0.digest)]
        }
        return ["model": .string(model), "commit": .string(commit), "files": .array(list)]
    }

    static func read(_ folder: String) -> HubMarker? {
        FileManager.default.contents(atPath: folder + "/" + name)
            .flatMap { try? JSONValue(parsing: [UInt8]($0)) }.flatMap { HubMarker($0) }
    }

    func write(to folder: String) throws {
        try Data(json.serialized(.pretty)).write(to: URL(fileURLWithPath: folder + "/" + Self.name), options: .atomic)
    }

    /// Whether the folder holds this very model with every file at its size.
    func isComplete(_ wanted: HubModel, in folder: String) -> Bool {
        guard model == wanted.description || (commit == wanted.revision && model.hasPrefix(wanted.repository + "@"))
        else {
            return false
        }
        return files.allSatisfy { file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + file.path)
            return (attributes?[.size] as? NSNumber)?.intValue == file.size
        }
    }
}
