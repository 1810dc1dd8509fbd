// `cserve workload`: what a preset or a trace amounts to, and its requests as a file.

import ArgumentParser
import CServeCore
import CServeWorkload
import Foundation

/// Describes, lists and writes workloads.
struct WorkloadCommand: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "workload",
        abstract: "Describe workloads and traces, list presets, write requests to a file.",
        discussion: """
            EXAMPLES
              cserve workload list
              cserve workload describe rag --rate 4 --duration 10m
              cserve workload describe AzureLLMInferenceTrace_code_2023.csv --speedup 2
              cserve workload generate conversation --requests 500 --seed 7 -o requests.jsonl
            """,
        subcommands: [Describe.self, List.self, Generate.self])

    /// The presets.
    struct List: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(abstract: "List the presets.")

        @Flag(help: "Print JSON.")
        var json: Bool = false

        func run() throws {
            try Failure.explained(asJSON: json) {
                let catalog: WorkloadCatalog = try WorkloadCatalog.builtIn()
                Console.say(json ? WorkloadReport.json(catalog).text(.pretty) : WorkloadReport.list(catalog))
            }
        }
    }

    /// One workload's figures.
    struct Describe: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Print a workload's statistics and digest.")

        @Argument(help: "A preset, lengths such as 1024/128, or a workload or trace file.", completion: .file())
        var name: String?

        @OptionGroup var options: WorkloadOptions

        @Flag(help: "Print one JSON object.")
        var json: Bool = false

        func run() throws {
            try Failure.explained(asJSON: json) {
                let workload: Workload = try WorkloadCommand.resolved(name, options)
                var collector = StatisticsCollector()
                for request in workload.stream() { collector.take(request) }
                if json {
                    Console.say(try WorkloadReport.json(workload, collector.statistics()).text(.pretty))
                } else {
                    Console.say(try WorkloadReport.text(workload, collector))
                }
            }
        }
    }

    /// The requests themselves.
    struct Generate: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Write a workload's requests as JSON lines (exact) or as a table (lengths and times).")

        @Argument(help: "A preset, lengths such as 1024/128, or a workload or trace file.", completion: .file())
        var name: String?

        @OptionGroup var options: WorkloadOptions

        @Option(name: [.short, .long], help: "FILE.jsonl, FILE.csv, or - for JSON lines on standard output.")
        var output: String

        func run() throws {
            try Failure.explained {
                let workload: Workload = try WorkloadCommand.resolved(name, options)
                guard workload.requests != nil || workload.duration != nil || WorkloadCommand.isTrace(workload) else {
                    throw WorkloadError.endless(arrivals: "this workload")
                }
                try WorkloadWriter.write(workload, to: output)
            }
        }
    }

    /// The workload of an argument or of `--workload`.
    static func resolved(_ name: String?, _ options: WorkloadOptions) throws -> Workload {
        var options: WorkloadOptions = options
        if let name, let other = options.workload {
            throw WorkloadOptionError.conflict("The name \(name)", "--workload \(other)")
        }
        options.workload = name ?? options.workload
        let workload: Workload = try options.resolved()
        if case .closedLoop = workload.arrivals, workload.requests == nil, !isTrace(workload) {
            throw WorkloadError.endless(arrivals: "clients that wait for answers")
        }
        return workload
    }

    private static func isTrace(_ workload: Workload) -> Bool {
        if case .trace(let replay) = workload.content { !replay.repeats } else { false }
    }
}

/// Writes requests.
enum WorkloadWriter {
    /// Writes a file in pieces; the name's ending decides the format.
    static func write(_ workload: Workload, to path: String) throws {
        let isTable: Bool = path.lowercased().hasSuffix(".csv")
        guard isTable || path == "-" || path.lowercased().hasSuffix(".jsonl") else {
            throw WorkloadOptionError.badValue(flag: "--output", value: path, expected: "FILE.jsonl, FILE.csv or -")
        }
        let handle: FileHandle = path == "-" ? .standardOutput : try create(path)
        var text: String = isTable ? WorkloadRequest.tableHead + "\n" : ""
        for request in workload.stream() {
            text += (isTable ? request.tableRow : request.jsonLine) + "\n"
            if text.utf8.count > 1 << 20 {
                try handle.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try handle.write(contentsOf: Data(text.utf8))
    }

    private static func create(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw WorkloadOptionError.unreadable(file: path, reason: "it cannot be written")
        }
        return try FileHandle(forWritingTo: URL(filePath: path))
    }
}
