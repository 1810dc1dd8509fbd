// `cserve bench`: a server under load; what this machine makes of a model, and of each kernel, beside its limits.

import ArgumentParser
import CServeCore
import CServeEngine

/// Measures.
struct Bench: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Measure a server under load, or a model or the kernels beside the machine's own limits.",
        discussion: """
            EXAMPLES
              cserve bench --url http://127.0.0.1:8000 --workload chat --rate 4 --duration 60s
              cserve bench offline --model ./Llama-3.2-1B-Instruct
              cserve bench offline -p 512,2048 -n 128 -b 1,4,8,32 -r 5 --threads 2 --json
              cserve bench kernels --filter "linear bf16"
            """,
        subcommands: [Serve.self, Offline.self, Kernels.self], defaultSubcommand: Serve.self)
}

/// Numbers as figures of three digits, and rows of a Markdown table.
enum BenchText {
    /// Three significant digits, without an exponent.
    static func figure(_ value: Double) -> String { FigureText.figure(value) }

    /// A share in whole percent.
    static func percent(_ share: Double) -> String { FigureText.percent(share) }

    /// Seconds with the unit that fits.
    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<1e-3: figure(seconds * 1e6) + " µs"
        case ..<1: figure(seconds * 1e3) + " ms"
        default: figure(seconds) + " s"
        }
    }

    /// A peak with its unit: `31.2 GB/s`, `452 GFLOP/s`.
    static func rate(_ value: Double, _ peak: Peak) -> String {
        figure(value / 1e9) + (peak.isMemory ? " GB/s" : peak == .int8 ? " GOP/s" : " GFLOP/s")
    }

    /// One row, its cells padded to the columns' widths.
    static func row(_ cells: [String], _ widths: [Int]) -> String {
        let padded: [String] = zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(0, width - cell.count))
        }
        return "| " + padded.joined(separator: " | ") + " |"
    }

    /// The head of a table.
    static func head(_ names: [String], _ widths: [Int]) -> String {
        row(names, widths) + "\n|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
    }

    /// Measurements as JSON.
    static func json(_ samples: Samples) -> JSONValue {
        .object(
            JSONObject([
                ("median", .double(samples.median)), ("min", .double(samples.least)),
                ("max", .double(samples.greatest)), ("samples", .array(samples.values.map { .double($0) })),
            ]))
    }
}

/// A list of numbers above zero, written with commas: `1,4,8,32`.
struct NumberList: ExpressibleByArgument {
    var values: [Int]

    init(_ values: [Int]) {
        self.values = values
    }

    init?(argument: String) {
        let parts: [Int?] = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let numbers: [Int] = parts.compactMap { $0 }.filter { $0 >= 0 }
        guard !numbers.isEmpty, numbers.count == parts.count else { return nil }
        values = numbers
    }

    var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}
