// `cserve bench --simulate`: the same report without a server.

import CServeBench
import CServeCore
import CServeWorkload
import Foundation
import Testing

@testable import cserve

@Suite
struct BenchSimulateTests {
    private let common: [String] = [
        "bench", "--simulate", "4xl4,pp=4", "--model", "llama-3-8b", "-w", "512/64", "--rate", "4", "--requests", "80",
    ]

    @Test("A simulated run prints a benchmark's report, the same for the same seed")
    func report() throws {
        let run: CommandResult = try Command.run(common + ["--slo", "ttft:p99<10s"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("llama-3-8b at simulated on 4xl4,pp=4, workload 512/64"), "\(run.output)")
        #expect(run.output.contains("80 offered, 80 answered") && run.output.contains("ttft:p99<10s"))
        #expect(try Command.run(common + ["--slo", "ttft:p99<10s"]).output == run.output)
    }

    @Test("A simulated answer has a time for every token, and its gaps are the simulator's")
    func tokenTimes() throws {
        let workload: Workload = try WorkloadOptions.parse(["-w", "300/40", "--rate", "6", "--requests", "50"])
            .resolved()
        let run: BenchRun = try BenchSimulation("l4", model: "llama-3-8b", workload, objective: nil).run(workload)
        #expect(run.requests.count == 50)
        #expect(run.requests.allSatisfy { $0.chunks.count == 40 && $0.outputTokens == 40 && $0.chunks.last == $0.end })
        #expect(run.requests.map(\.promptTokens) == Array(workload.stream()).map(\.promptLength))
        #expect(run.requests.map(\.due) == Array(workload.stream()).map { $0.arrival ?? 0 })
        let report = try BenchReport(run: run)
        #expect(report.itl.count == 50 * 39 && report.lateness.max == 0)
    }

    @Test("A closed loop of a duration ends with it")
    func closedLoop() throws {
        let workload: Workload = try WorkloadOptions.parse(["-w", "100/20", "--concurrency", "3", "--duration", "20s"])
            .resolved()
        let run: BenchRun = try BenchSimulation("l4", model: "llama-3-8b", workload, objective: nil).run(workload)
        let last: Nanoseconds = try #require(run.requests.map(\.due).max())
        #expect(last < 20 * .second && last > 15 * .second)
        #expect(try BenchReport(run: run).peakConcurrency == 3)
    }

    @Test("A simulated sweep finds where the deployment saturates")
    func sweep() throws {
        let result: CommandResult = try Command.run([
            "bench", "--simulate", "l4", "--model", "llama-3-8b", "-w", "256/32", "--sweep", "--sweep-runs", "9",
            "--requests", "200", "--json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let curve: LoadCurve = try JSONValue(parsing: Array(result.output.utf8)).decoded(file: "sweep")
        #expect(curve.points.count <= 9 && curve.saturation.failing != nil)
    }

    @Test("A deployment that cannot be read is refused with the way out")
    func errors() throws {
        #expect(
            BenchSimulationError.badDeployment("4xl4,", reason: "a part of it is empty.").description
                == "--simulate 4xl4, names no deployment: a part of it is empty. Write a plan's file, or hardware and "
                + "settings as cserve simulate has them: 4xl4,pp=4.")
        for deployment in ["4xl4,", "4xl4,nope=3", ",pp=4"] {
            #expect(throws: BenchSimulationError.self) { try BenchSimulation.command(deployment, model: "m") }
        }
        let command: Simulate = try BenchSimulation.command("4xl4,pp=4,quantization=fp8", model: "m")
        #expect(command.hardwareName == "4xl4" && command.settings.pipelineParallelSize == 4)
        #expect(command.settings.quantization == "fp8" && command.settings.model == "m" && command.plan == nil)
        #expect(try BenchSimulation.command("plans/a.json", model: nil).plan == "plans/a.json")
    }
}
