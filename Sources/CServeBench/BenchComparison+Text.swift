// A comparison for a terminal and as JSON.
import CServeCore

extension BenchComparison {
    /// The form that ``json`` has.
    public static let schema: String = "cserve-bench-comparison/1"

    /// For a terminal.
    public var text: String {
        var table = TextTable(["", names[0], names[1], "ratio", "95% interval", ""], right: [1, 2, 3, 4])
        for line in lines {
            table.add([
                line.title, FigureText.figure(line.first), FigureText.figure(line.second), Self.ratio(line.ratio),
                Self.interval(line), Self.words(line),
            ])
        }
        return ([table.text] + notes.map { "Note: \($0)" }).joined(separator: "\n\n")
    }

    /// The figures with their intervals, by name.
    public var json: JSONValue {
        .object(
            JSONObject([
                ("schema", .string(Self.schema)), ("names", .array(names.map { .string($0) })),
                ("figures", (try? JSONValue(encoding: lines)) ?? .null),
                ("notes", .array(notes.map { .string($0) })),
            ]))
    }

    private static func words(_ line: ComparedLine) -> String {
        switch line.verdict {
        case .noDifference: "no difference"
        case .unknown: ""
        case .better, .worse: line.verdict.rawValue
        }
    }

    private static func interval(_ line: ComparedLine) -> String {
        guard let low = line.low, let high = line.high else { return "-" }
        return "\(ratio(low)) to \(ratio(high))"
    }

    /// Two digits behind the point, three near 1.
    private static func ratio(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let scale: Double = value > 0.8 && value < 1.25 ? 1000 : 100
        return "\((value * scale).rounded() / scale)"
    }
}
