// `cserve plan`, `simulate` and `compare` end to end: text and JSON out, plans read again, input refused with its choices.

import CServeCore
import Foundation
import Testing

@testable import cserve

@Suite("Planning commands", .serialized)
struct PlanTests {
    /// Few options, few requests: seconds in a debug build.
    private let small: [String] = [
        "--workload", "128/16", "--rate", "20", "--gpus", "l4", "--max-gpus", "2", "--tp", "1", "--pp", "1",
        "--max-num-seqs", "32", "--max-num-batched-tokens", "512", "--final-requests", "40", "--final-seeds", "2",
        "--search-requests", "30", "--refine-requests", "40", "--ttft-p99", "1s", "--tpot-p95", "100ms",
    ]

    @Test("where no option holds the weights, they stream in, unless shares were asked for")
    func streaming() throws {
        let small: [String] = [
            "plan", "--model", "mixtral-8x7b", "--workload", "128/16", "--gpus", "l4", "--tp", "4", "--pp", "1",
            "--max-gpus", "4", "--final-requests", "20", "--final-seeds", "2", "--search-requests", "20",
        ]
        let planned = try Command.run(small)
        #expect(planned.status == 0 && planned.output.contains("stream"), "\(planned.output)\(planned.errors)")
        let resident = try Command.run(small + ["--offload", "0"])
        #expect(resident.status == 2 && resident.output.contains("mixtral-8x7b needs 93"), "\(resident.output)")
    }

    @Test("a plan is printed, written, simulated and compared")
    func wholeWay() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("plan-\(UUID().uuidString).json").path
        let points = file + ".csv"
        defer { [file, points].forEach { try? FileManager.default.removeItem(atPath: $0) } }
        let planned = try Command.run(
            ["plan", "--model", "cserve-demo", "-o", file, "--points", points, "--plot"] + small)
        #expect(planned.status == 0, "\(planned.errors)")
        for part in ["lowest cost", "best value", "best performance", "Chosen: 1xl4", "Left out", "generated tokens/s"]
        {
            #expect(planned.output.contains(part), "\(part) is missing in\n\(planned.output)")
        }
        // Progress is for people only.
        #expect(planned.errors.isEmpty)
        let plan = try DeploymentPlan.read([UInt8](Data(contentsOf: URL(filePath: file))), file: file)
        #expect(plan.choice.recipe.model == "cserve-demo" && plan.choice.prediction.method.requests == 80)
        let table = try CSVTable(parsing: Data(contentsOf: URL(filePath: points)))
        #expect(table.has("ttft_p99_ms") && table.rows.count > 2)
        let simulated = try Command.run(
            ["simulate", file, "--rates", "5,20", "--final-requests", "40", "--final-seeds", "2", "--json"])
        #expect(simulated.status == 0, "\(simulated.errors)")
        let loads = try JSONValue(parsing: simulated.output).arrayValue
        #expect(loads?.count == 2 && loads?[1]["prediction"]?["request_rate_per_s"]?.doubleValue == 20)
        let compared = try Command.run(["compare", file, file])
        #expect(compared.status == 0 && compared.output.contains("ttft p99, ms"), "\(compared.errors)")
        #expect(!compared.output.contains("Note:"))
    }

    @Test("nothing that fits is status 2, with the nearest")
    func nothingFits() throws {
        let result = try Command.run(
            [
                "plan", "--model", "cserve-demo", "--workload", "128/16", "--rate", "1", "--tpot-p50", "1us", "--gpus",
                "l4",
            ]
                + ["--max-gpus", "1"])
        #expect(result.status == 2)
        #expect(result.output.contains("Nothing meets the demands") && result.output.contains("the limit is 1us"))
    }

    @Test("a deployment is simulated from flags")
    func simulate() throws {
        let result = try Command.run(
            ["simulate", "--model", "cserve-demo", "--on", "2xl4", "--dp", "2", "--workload", "128/16", "--rate", "10"]
                + ["--max-num-seqs", "32", "--final-requests", "40", "--final-seeds", "2", "--plot"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("2xl4 dp2") && result.output.contains("Where a step's time goes"))
    }

    @Test("closed loops keep Little's law: clients are rate times latency")
    func closedLoops() throws {
        let result = try Command.run(
            [
                "simulate", "--model", "cserve-demo", "--on", "l4", "--workload", "64/32", "--concurrency", "2,8",
                "--json",
            ]
                + ["--final-requests", "200", "--final-seeds", "1"])
        #expect(result.status == 0, "\(result.errors)")
        let loads: [JSONValue] = try JSONValue(parsing: result.output).arrayValue ?? []
        #expect(loads.count == 2)
        for (load, clients) in zip(loads, [2.0, 8.0]) {
            let prediction: JSONValue? = load["prediction"]
            let rate: Double = prediction?["request_rate_per_s"]?.doubleValue ?? 0
            let latency: Double = prediction?["e2e"]?["mean_ms"]?["value"]?.doubleValue ?? 0
            // The run's beginning and end are in the rate, so that it is a little low.
            #expect(abs(rate * latency / 1000 - clients) < 0.08 * clients, "\(rate) x \(latency) ms")
        }
    }

    @Test(
        "input that cannot be used is refused with the choices",
        arguments: [
            (["plan", "--model", "cserve-demo", "--gpus", "l5"], 1, "l4"),
            (["plan", "--model", "llama-9-8b"], 1, "llama"),
            (["plan", "--model", "cserve-demo", "--rate", "0"], 1, "--rate is 0.0"),
            (["plan", "--model", "cserve-demo", "--slo", "ttfb:p99<1s"], 1, "Choose one of ttft"),
            (["plan", "--model", "cserve-demo", "--quantization", "int3"], 1, "none, int8, int4, fp8"),
            (["plan", "--model", "cserve-demo", "--budget", "x"], 1, "5/h"),
            (["plan", "--model", "cserve-demo", "--engine", "tgi"], 1, "vllm"),
            (["plan", "--model", "cserve-demo", "--workload", "nothing"], 1, "chat"),
            (["plan"], 64, "--model"),
            (["simulate", "--on", "l4"], 1, "--model NAME"),
            (["simulate", "--model", "cserve-demo"], 1, "--on 4xl4"),
            (["simulate", "--model", "cserve-demo", "--on", "l4", "--tp", "2"], 1, "needs 2"),
            (["simulate", "--model", "cserve-demo", "--on", "l4", "--rates", "1,x"], 1, "1,2,4"),
            (["simulate", "--model", "cserve-demo", "--on", "l4", "--concurrency", "0"], 1, "1,8,32"),
            (["compare", "/nowhere.json", "/nowhere.json"], 1, "/nowhere.json cannot be read"),
        ])
    func refusals(arguments: [String], status: Int32, hint: String) throws {
        let result = try Command.run(arguments)
        #expect(result.status == status, "\(result.output) \(result.errors)")
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test("charts put points where they belong, and the limit across")
    func chart() {
        let plot = TerminalPlot(
            series: [.init(name: "one", points: [(0, 0), (100, 50)]), .init(name: "two", points: [(50, 100)])],
            xName: "x", yName: "y", limit: 40)
        let lines = plot.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "y   (- limit 40)")
        #expect(lines[1].contains("B"))
        #expect(lines[TerminalPlot.height].contains("|A"))
        #expect(lines.contains { $0.hasSuffix("A") })
        #expect(lines.contains { $0.contains("-----") && $0.contains("|") })
        #expect(TerminalPlot(series: [], xName: "x", yName: "y").text == "There is nothing to draw.")
    }

    @Test("a budget is read per hour, day and month")
    func budget() throws {
        func read(_ text: String) throws -> Double? {
            try SearchOptions.parse(["--budget=" + text]).usdPerHour()
        }
        #expect(try read("5/h") == 5 && read("$5") == 5 && read("48/day") == 2 && read("1460/month") == 2)
        #expect(throws: PlanOptionError.badBudget("0/h")) { try read("0/h") }
    }
}

@Test("Every refusal of planning flags says what to write")
func planOptionErrorMessages() {
    let messages: [(PlanOptionError, String)] = [
        (
            .noModel,
            "No model was given. Use --model NAME (cserve models --catalog), a checkpoint folder or a config.json."
        ),
        (
            .noHardware,
            "No hardware was given. Use --on 4xl4 (cserve hardware lists what there is), or a plan.json."
        ),
        (
            .unknownChoice(flag: "--x", value: "c", known: ["a", "b"]),
            "--x has \"c\". Choose among a, b, with commas."
        ),
        (.sizeBelowOne(flag: "--tp"), "--tp takes numbers from 1 on."),
        (.badShare(flag: "--offload", value: "2"), "--offload has \"2\". Use shares from 0 to 1, with commas."),
        (
            .badBudget("x"), "--budget is \"x\". Write dollars per hour, day or month: 5/h, 120/day, 3000/month."
        ),
        (
            .badRates("x"),
            "--rates is \"x\". Write requests per second above zero, with commas: 1,2,4 (inf: all at once)."
        ),
        (
            .badClients("0"),
            "--concurrency 0 is no list of clients. Write numbers from 1 to 100000 with commas: 1,8,32."
        ),
        (.unreadable(file: "a", reason: "it is not there"), "a cannot be read: it is not there"),
        (.unwritable(file: "a", reason: "it is a folder"), "a cannot be written: it is a folder"),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
