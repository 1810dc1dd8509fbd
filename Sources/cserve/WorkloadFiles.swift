// Finds workloads by name, and reads workload and trace files.

import CServeCore
import CServeWorkload
import Foundation

/// From a name on the command line to a workload.
enum WorkloadFiles {
    /// A preset, a shape or a file.
    static func workload(_ name: String, _ choices: TraceChoices) throws -> Workload {
        let catalog: WorkloadCatalog = try WorkloadCatalog.builtIn()
        if FileManager.default.fileExists(atPath: name), catalog.preset(named: name) == nil {
            return try file(name, choices)
        }
        return try catalog.workload(named: name)
    }

    /// A workload file, a preset's file, or a trace.
    static func file(_ path: String, _ choices: TraceChoices) throws -> Workload {
        if choices.format == nil, let json = try description(path) {
            do {
                let workload: Workload =
                    json["workload"] != nil
                    ? try WorkloadPreset(parsing: json.serialized()).workload : try Workload(json: json)
                return try attached(workload, beside: path, choices)
            } catch let error as WorkloadError {
                throw WorkloadOptionError.invalid(file: path, reason: error.description)
            }
        }
        let trace: Trace = try trace(path, choices.format, choices.options)
        let replay = TraceReplay(trace, selection: choices.selection, repeats: choices.repeats)
        return Workload(name: trace.name, replaying: replay)
    }

    /// Reads a trace in pieces.
    static func trace(_ path: String, _ format: TraceFormat?, _ options: TraceOptions) throws -> Trace {
        let name: String = URL(filePath: path).lastPathComponent
        var parser = TraceParser(name: name, format: format, options: options)
        let handle: FileHandle = try open(path)
        defer { try? handle.close() }
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { try parser.take([UInt8](piece)) }
        return try parser.finish()
    }

    private static func open(_ path: String) throws -> FileHandle {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw WorkloadOptionError.unreadable(file: path, reason: "it is a folder")
        }
        do { return try FileHandle(forReadingFrom: URL(filePath: path)) } catch {
            throw WorkloadOptionError.unreadable(file: path, reason: error.localizedDescription)
        }
    }

    /// Descriptions are small; a larger file is a trace.
    private static let largestDescription: Int = 1 << 22

    /// The file's JSON if it describes a workload; nil for a trace.
    private static func description(_ path: String) throws -> JSONValue? {
        let handle: FileHandle = try open(path)
        defer { try? handle.close() }
        let bytes: [UInt8] = [UInt8](try handle.read(upToCount: largestDescription) ?? Data())
        guard bytes.count < largestDescription, bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else {
            return nil
        }
        do {
            let value: JSONValue = try JSONValue(parsing: bytes)
            return ["workload", "lengths", "trace", "arrivals"].contains { value[$0] != nil } ? value : nil
        } catch {
            // A file whose first line is a whole object is a log; else its braces span lines, as descriptions' do.
            let line: ArraySlice<UInt8> = bytes.drop { $0 <= 0x20 }.prefix { $0 != UInt8(ascii: "\n") }
            guard line.last(where: { $0 > 0x20 }) != UInt8(ascii: "}"), line.count < 3 else { return nil }
            throw WorkloadOptionError.invalid(file: path, reason: WorkloadError.notJSON(error).description)
        }
    }

    /// Loads the trace that a description names: a path from the description's own folder.
    private static func attached(_ workload: Workload, beside path: String, _ choices: TraceChoices) throws -> Workload
    {
        guard case .trace(let replay) = workload.content else { return workload }
        let folder: URL = URL(filePath: path).deletingLastPathComponent()
        let file: String = URL(filePath: replay.trace.name, relativeTo: folder).path
        return try workload.attaching(try trace(file, replay.trace.format, choices.options))
    }
}
