// `cserve bench kernels`: every kernel beside the limit of this machine that it runs into first.

import ArgumentParser
import CServeCore
import CServeEngine
import Foundation

extension CPUInstructionSet: ExpressibleByArgument {}

extension Bench {
    /// Kernels one by one.
    struct Kernels: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Measure each kernel against this machine's limits.",
            discussion: """
                Shapes are TinyLlama-1.1B's. "of limit" is the share of the nearer of two limits that are measured in the same
                rounds: reading the bytes that a call needs, or doing its operations. Weights and cached keys come from memory
                (128 MB in turn), rows from the caches. Integer weights are held against byte dots, bf16 and fp8 ones against
                bf16 dots, others against f32, where the instruction set has them.
                """)

        @Option(
            help: "Only kernels whose name contains this: linear, attention, rows, sampling, packing, int4, m32, ...")
        var filter: String = ""

        @Option(help: "The kernels' level (default: the best of this machine).")
        var isa: CPUInstructionSet?

        @Option(name: [.long, .customShort("t")], help: "CPU threads (default: every core).")
        var threads: Int?

        @Option(name: [.customShort("r"), .long], help: "Rounds, of which the median is told.")
        var repeats: Int = 5

        @Flag(help: "Print one JSON object.")
        var json: Bool = false

        func validate() throws {
            guard repeats >= 1 else { throw ValidationError("--repeats is \(repeats). Use 1 or more.") }
        }

        @OptionGroup(title: "Records") var recording: RecordingOptions

        func run() throws {
            try Failure.explained(asJSON: json) { try Recording.of(.bench, recording) { try measure($0) } }
        }

        private func measure(_ record: Recording) throws {
            let backend: CPUBackend = try CPUBackend(threads: threads, instructionSet: isa)
            let timer: KernelTimer = try KernelTimer(backend, rounds: repeats)
            let chosen: [KernelCase] = try cases()
            record.begin(title: "bench kernels")
            if !json {
                Console.say("\(backend.threads) threads, \(backend.instructionSet.rawValue)\n")
                Console.say(BenchText.head(Self.columns, Self.widths))
            }
            var timings: [JSONValue] = []
            for kernel in chosen {
                let timing: KernelTiming = try timer.time(kernel)
                timings.append(Self.value(timing))
                if !json { Console.say(Self.line(timing)) }
            }
            let report: JSONObject = JSONObject([
                ("threads", .integer(backend.threads)),
                ("instruction_set", .string(backend.instructionSet.rawValue)), ("kernels", .array(timings)),
            ])
            record.finish(RunOutcome(summary: "\(timings.count) kernels", results: .object(report)))
            if json { Console.say(JSONValue.object(report).text(.pretty)) }
        }

        private func cases() throws -> [KernelCase] {
            let all: [KernelCase] = KernelCase.all()
            let words: [Substring] = filter.split(separator: " ")
            let chosen: [KernelCase] = all.filter { kernel in
                let names: [Substring] = "\(kernel.family) \(kernel.name)".split(separator: " ")
                return words.allSatisfy { word in names.contains { $0.hasPrefix(word) } }
            }
            guard !chosen.isEmpty else {
                throw BenchError.nothingMatches(filter: filter, families: Array(Set(all.map(\.family))).sorted())
            }
            return chosen
        }

        private static let columns: [String] = ["kernel", "time", "reads", "computes", "of limit", "measured limit"]
        private static let widths: [Int] = [44, 8, 10, 12, 8, 22]

        private static func line(_ timing: KernelTiming) -> String {
            let limit: Peak = timing.isMemoryBound ? timing.kernel.source : timing.arithmetic
            let peak: Double = timing.isMemoryBound ? timing.memoryPeak.median : timing.computePeak.median
            return BenchText.row(
                [
                    timing.kernel.name, BenchText.time(timing.seconds.median),
                    BenchText.rate(timing.bytesPerSecond, .read),
                    timing.kernel.operations > 0
                        ? BenchText.rate(timing.operationsPerSecond, timing.arithmetic) : "",
                    BenchText.percent(timing.share), "\(BenchText.rate(peak, limit)) \(limit.rawValue)",
                ], widths)
        }

        private static func value(_ timing: KernelTiming) -> JSONValue {
            .object(
                JSONObject([
                    ("family", .string(timing.kernel.family)), ("kernel", .string(timing.kernel.name)),
                    ("seconds", BenchText.json(timing.seconds)), ("bytes", .double(timing.kernel.bytes)),
                    ("operations", .double(timing.kernel.operations)),
                    ("memory", .string(timing.kernel.source.rawValue)),
                    ("memory_bytes_per_second", BenchText.json(timing.memoryPeak)),
                    ("arithmetic", .string(timing.arithmetic.rawValue)),
                    ("operations_per_second_peak", BenchText.json(timing.computePeak)),
                    ("share_of_limit", .double(timing.share)),
                ]))
        }
    }
}
