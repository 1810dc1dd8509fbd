// `cserve compare`: two plans side by side, and whether they answer the same question.

import ArgumentParser
import CServeCore

/// Compares plans.
struct Compare: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Show two plans side by side.",
        discussion: """
            EXAMPLES
              cserve compare l4.json a100.json
              cserve compare yesterday.json today.json --json
            """)

    @Argument(help: "A plan.json.", completion: .file())
    var first: String

    @Argument(help: "Another one.", completion: .file())
    var second: String

    @Flag(help: "Print JSON: both plans' figures by name.")
    var json: Bool = false

    func run() throws {
        try Failure.explained(asJSON: json) {
            let plans: [DeploymentPlan] = try [first, second].map {
                try DeploymentPlan.read(try PlanInputs.read($0), file: $0)
            }
            let comparison = PlanComparison(names: [first, second], plans: plans)
            Console.say(json ? comparison.json.text(.pretty) : comparison.text)
        }
    }
}

/// Two plans, line by line.
struct PlanComparison {
    let names: [String]
    let plans: [DeploymentPlan]

    /// A line: numbers are compared, words only shown.
    private struct Line {
        var name: String
        var words: [String]
        var numbers: [Double?]
        var isEstimate: Bool = false
    }

    var text: String {
        var table = TextTable(["", names[0], names[1], "second / first"], right: [3])
        for line in lines { table.add([line.name] + line.words + [Self.ratio(line)]) }
        return ([table.text] + warnings).joined(separator: "\n\n")
    }

    var json: JSONValue {
        let rows: [(String, JSONValue)] = lines.map { (line: Line) -> (String, JSONValue) in
            let values: [JSONValue] = zip(line.words, line.numbers).map { $1.map { .double($0) } ?? .string($0) }
            return (line.name, .array(values))
        }
        return .object(
            JSONObject([
                ("plans", .array(names.map { .string($0) })), ("figures", .object(JSONObject(rows))),
                ("warnings", .array(warnings.map { .string($0) })),
            ]))
    }

    private static func ratio(_ line: Line) -> String {
        guard line.numbers.count == 2, let first = line.numbers[0], let second = line.numbers[1], first > 0 else {
            return ""
        }
        return BenchText.figure(second / first)
    }

    /// What keeps the two from being compared like with like.
    private var warnings: [String] {
        var warnings: [String] = []
        func differ<Value: Equatable>(_ what: String, _ value: (DeploymentPlan) -> Value) {
            if value(plans[0]) != value(plans[1]) { warnings.append("Note: the plans differ in \(what).") }
        }
        differ("their model", \.model.digest)
        differ("their workload", \.workload.digest)
        differ("their targets", \.targets.objective)
        differ("the demanded rate", \.targets.requestRate)
        differ("the engine", \.provenance.engine)
        differ("the catalogue of hardware and prices", \.provenance.digests["catalogue"])
        differ("the measured curves", \.provenance.digests["curves"])
        return warnings
    }

    private var lines: [Line] {
        [
            words("model", \.model.name), words("workload", \.workload.name), words("option", \.choice.name),
            words("machines") { plan in
                plan.choice.hardware.nodes.map { "\($0.count) x \($0.instance)" }.joined(separator: " + ")
            }, words("recipe") { PlanText.recipe($0.choice.recipe) },
            words("targets") { $0.targets.objective.targets.isEmpty ? "none" : $0.targets.objective.description },
            number("rate, requests/s", \.choice.prediction.requestRate),
            number("carries, requests/s", \.choice.prediction.capacity),
            number("$ per hour", \.choice.prediction.cost.perHour),
            number("$ per million tokens", \.choice.prediction.cost.perMillionTokens),
            number("$ per million prompt tokens", \.choice.prediction.cost.perMillionInputTokens),
            number("$ per million generated tokens", \.choice.prediction.cost.perMillionOutputTokens),
            number("$ per request", \.choice.prediction.cost.perRequest),
            estimate("generated tokens/s", \.outputThroughput), estimate("goodput, share", \.goodput),
            estimate("ttft p50, ms", \.ttft.p50), estimate("ttft p99, ms", \.ttft.p99),
            estimate("tpot p50, ms", \.tpot.p50), estimate("tpot p99, ms", \.tpot.p99),
            estimate("e2e p50, ms", \.e2e.p50), estimate("e2e p99, ms", \.e2e.p99),
            number("busy, share", \.choice.prediction.load.utilisation),
            number("KV cache full, share", \.choice.prediction.load.kvUse),
        ]
    }

    private func words(_ name: String, _ value: (DeploymentPlan) -> String) -> Line {
        Line(name: name, words: plans.map(value), numbers: [nil, nil])
    }

    private func number(_ name: String, _ value: (DeploymentPlan) -> Double?) -> Line {
        let numbers: [Double?] = plans.map(value)
        return Line(name: name, words: numbers.map { $0.map { BenchText.figure($0) } ?? "-" }, numbers: numbers)
    }

    private func estimate(_ name: String, _ value: (PlanPrediction) -> PlanEstimate) -> Line {
        let estimates: [PlanEstimate] = plans.map { value($0.choice.prediction) }
        let words: [String] = estimates.map { (one: PlanEstimate) -> String in
            "\(BenchText.figure(one.value)) (\(BenchText.figure(one.low)) to \(BenchText.figure(one.high)))"
        }
        return Line(name: name, words: words, numbers: estimates.map { $0.value })
    }
}
