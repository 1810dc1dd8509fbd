// Finds workloads by name, and reads workload and trace files.

import CServeCore
import CServeWorkload
import Foundation

/// From a name on the command line to a workload.
enum WorkloadFiles {
    /// A preset, a shape or a file.
    static func workload(_ name: String, _ choices: TraceChoices) throws -> Workload {
        let catalog: WorkloadCatalog = try WorkloadCatalog.builtIn()
        if InputFiles.current.kind(name) != nil, catalog.preset(named: name) == nil {
            return try file(name, choices)
        }
        return try catalog.workload(named: name)
    }

    /// A workload file, a preset's file, or a trace.
    static func file(_ path: String, _ choices: TraceChoices) throws -> Workload {
        if choices.format == nil, let json = try description(path) {
            _ = try InputFiles.current.bytes(path)
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
        try opened(path) { try InputFiles.current.pieces(path) { try parser.take($0) } }
        return try parser.finish()
    }

    /// Tells files that cannot be opened from those whose contents are wrong.
    private static func opened<Value>(_ path: String, _ read: () throws -> Value) throws -> Value {
        if InputFiles.current.kind(path) == .folder {
            throw WorkloadOptionError.unreadable(file: path, reason: "it is a folder")
        }
        do { return try read() } catch {
            if error is TraceError || error is RecordInputError { throw error }
            throw WorkloadOptionError.unreadable(file: path, reason: error.localizedDescription)
        }
    }

    /// Descriptions are small; a larger file is a trace.
    private static let largestDescription: Int = 1 << 22

    /// The file's JSON if it describes a workload; nil for a trace.
    private static func description(_ path: String) throws -> JSONValue? {
        let bytes: [UInt8] = try opened(path) { try InputFiles.current.beginning(path, upTo: largestDescription) }
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
        let folder: Substring = path[..<(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)]
        let file: String = replay.trace.name.hasPrefix("/") ? replay.trace.name : folder + replay.trace.name
        return try workload.attaching(try trace(file, replay.trace.format, choices.options))
    }
}
