// What `cserve bench` prints and writes: its own form, and those of other load generators.

import ArgumentParser
import CServeBench
import CServeCore
import CServeServer
import CServeWorkload
import Foundation

/// In whose form a result is written.
enum BenchFormat: String, CaseIterable, ExpressibleByArgument {
    /// CServe's own.
    case cserve
    /// The fields of `vllm bench serve --save-result`.
    case vllm
    /// Raw records for `fib analyse`.
    case fib
}

/// Where the result goes, and in which form.
struct BenchOutputOptions: ParsableArguments {
    @Option(help: "Latencies to keep: ttft:p99<1s,tpot:p95<50ms. Goodput counts requests that keep every limit.")
    var slo: String?

    @Flag(help: "Print JSON in place of the report.")
    var json: Bool = false

    @Option(
        help: ArgumentHelp(
            "The form of --json and --out: \(BenchFormat.allCases.map(\.rawValue).joined(separator: ", "))."))
    var format: BenchFormat = .cserve

    @Option(name: [.long, .customShort("o")], help: "Write the result to a file.", completion: .file())
    var out: String?

    @Option(help: "Write the report as one HTML file.", completion: .file())
    var html: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Whether JSON holds every request's times (default: in files, where cserve bench compare needs them).")
    var saveRecords: Bool?

    func objective() throws -> ServiceLevelObjective? { try slo.map { try ServiceLevelObjective(parsing: $0) } }

    /// Refuses, before anything is measured, what could not be written afterwards.
    func check(isSweep: Bool) throws {
        _ = try objective()
        if isSweep, format != .cserve { throw WorkloadOptionError.conflict("--format", "--sweep") }
        for path in [out, html].compactMap({ $0 }) { try BenchFile.probe(path) }
    }

    /// Prints and writes a run.
    func write(_ run: BenchRun, windows: BenchWindows, setting: BenchSetting) throws {
        let objective: ServiceLevelObjective? = try objective()
        let result = try BenchResult(
            run, slo: objective, windows: windows, keepsRequests: true,
            generator: "cserve \(ServerVersion.number)")
        if let out {
            try BenchFile.write(out) { put in
                try text(run, result, objective, setting, withRecords: saveRecords ?? true, put)
            }
        }
        if let html {
            let page: String = BenchPage(result, run: run).html
            try BenchFile.write(html) { try $0(Array(page.utf8)) }
        }
        if let note = Self.cacheNote(result.report, run) { Console.complain("Note: \(note)") }
        guard json else { return Console.say(BenchReportText(result).text) }
        try text(run, result, objective, setting, withRecords: saveRecords ?? false) {
            try FileHandle.standardOutput.write(contentsOf: Data($0))
        }
    }

    /// The same seed twice is the same texts twice: the second run would measure the server's prefix cache.
    private static func cacheNote(_ report: BenchReport, _ run: BenchRun) -> String? {
        let sharing: [String] = ["prefixes", "conversations", "trace"]
        let shares: Bool = sharing.contains { run.workload.contains("\"\($0)\":") }
        guard !shares, report.cachedTokens * 20 > report.promptTokens else { return nil }
        let share: String = BenchText.percent(Double(report.cachedTokens) / Double(report.promptTokens))
        return "\(share) of the prompts' tokens were in the server's prefix cache, though no texts are shared. Were "
            + "the same requests sent before? Another --seed has other texts."
    }

    /// Prints and writes a sweep.
    func write(_ curve: LoadCurve) throws {
        let text: [UInt8] = curve.json.serialized(.pretty) + [UInt8(ascii: "\n")]
        if let out { try BenchFile.write(out) { try $0(text) } }
        if let html { try BenchFile.write(html) { try $0(Array(curve.html.utf8)) } }
        Console.say(json ? String(decoding: text, as: UTF8.self) : curve.text)
    }

    private func text(
        _ run: BenchRun, _ result: BenchResult, _ objective: ServiceLevelObjective?, _ setting: BenchSetting,
        withRecords: Bool, _ put: ([UInt8]) throws -> Void
    ) throws {
        switch format {
        case .cserve:
            var result: BenchResult = result
            if !withRecords { result.requests = nil }
            try result.write(put)
        case .vllm:
            let json: JSONValue = VLLMFormat(run, slo: objective, setting: setting).json(detailed: withRecords)
            try put(json.serialized(.pretty) + [UInt8(ascii: "\n")])
        case .fib: try put(FIBFormat(run, setting: setting).json.serialized() + [UInt8(ascii: "\n")])
        }
    }
}

/// Files that are whole or not there: written beside their place, and moved there at the end.
enum BenchFile {
    /// Writes a file in pieces.
    static func write(_ path: String, _ work: (([UInt8]) throws -> Void) throws -> Void) throws {
        let place: URL = URL(filePath: path)
        let draft: URL = place.deletingLastPathComponent()
            .appendingPathComponent(".\(place.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).tmp")
        do {
            guard FileManager.default.createFile(atPath: draft.path, contents: nil) else {
                throw CocoaError(.fileWriteNoPermission)
            }
            let handle = try FileHandle(forWritingTo: draft)
            try work { try handle.write(contentsOf: Data($0)) }
            try handle.close()
            guard rename(draft.path, place.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            try? FileManager.default.removeItem(at: draft)
            throw BenchOutputError.unwritable(file: path, reason: error.localizedDescription)
        }
    }

    /// Whether a file could be written.
    static func probe(_ path: String) throws {
        let place: URL = URL(filePath: path)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder), isFolder.boolValue {
            throw BenchOutputError.unwritable(file: path, reason: "it is a folder")
        }
        let folder: String = place.deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw BenchOutputError.unwritable(file: path, reason: "\(folder) cannot be written to")
        }
    }
}

/// Why a result cannot be kept.
enum BenchOutputError: Error, Hashable, CustomStringConvertible {
    /// A file that cannot be written.
    case unwritable(file: String, reason: String)

    var description: String {
        switch self {
        case .unwritable(let file, let reason): "\(file) cannot be written: \(reason). Choose another place."
        }
    }
}

extension BenchSetting {
    /// What other load generators' files say of how requests came.
    init(_ workload: Workload, endpoint: BenchEndpoint, maxConcurrency: Int?) {
        self.init()
        backend = endpoint == .chat ? "openai-chat" : "openai"
        clients = maxConcurrency
        switch workload.arrivals {
        case .closedLoop(let loop): clients = loop.clients
        case .gamma(_, let burstiness): self.burstiness = burstiness
        default: break
        }
        rate = workload.meanRate ?? .infinity
    }
}
