// `cserve calibrate --url`: a few scalars of a running server, from its step log or from outside, with what they miss.

import CServeCore
import CServeCost
import CServePlanner
import Foundation

/// Calibrates by a running server.
struct ServerCalibration {
    let url: String
    let key: String?
    let model: ModelChoice
    let hardware: HardwareChoice
    let engine: EngineProfile
    let recipe: Recipe

    /// Probes, fits and tells.
    func run(to file: String?) async throws {
        let probe: ServerProbe = ServerProbe(
            endpoint: try Endpoint(url: url), url: url, key: key, vocabulary: model.shape.vocabularySize,
            longest: min(2048, (recipe.maxModelLen ?? model.shape.maxPositionEmbeddings) - 64))
        let cost: StepCost = try stepCost()
        let bar: ProgressBar = ProgressBar()
        let found: ServerProbe.Findings = try await probe.run(engine.host) { done, total in
            bar.show(PlanProgress(phase: "probe", done: done, total: total))
        }
        bar.clear()
        let result: ProbeResult = try Calibration.fitted(
            title: "\(found.model) at \(url) on \(hardware.name)", date: PlanInputs.today, probe: found.steps,
            cost: cost,
            kvBlocks: found.kvBlocks)
        if let file {
            try PlanInputs.write(try JSONValue(encoding: result.calibration).serialized(.pretty), to: file)
        }
        Console.say(Self.text(found, result, file: file))
    }

    private func stepCost() throws -> StepCost {
        let parallelism: Parallelism = Parallelism(
            tensor: recipe.tensorParallelSize, pipeline: recipe.pipelineParallelSize)
        let placement: ReplicaPlacement = ReplicaPlacement(
            shape: model.shape,
            precision: try ModelPrecision(recipe: recipe, on: hardware.accelerator, stored: model.stored),
            parallelism: parallelism, accelerator: hardware.accelerator, node: hardware.node, recipe: recipe)
        return try StepCost(placement, engine: engine, library: try UtilisationCurves.embedded())
    }

    /// What was found, as a terminal shows it.
    static func text(_ found: ServerProbe.Findings, _ result: ProbeResult, file: String?) -> String {
        let scalars: Calibration.Scalars = result.calibration.scalars
        func errors(_ summary: ErrorSummary) -> String {
            "median \(Markdown.percent(summary.median)), P90 \(Markdown.percent(summary.p90)), bias "
                + Markdown.percent(summary.bias)
        }
        return [
            "\(found.steps.count) \(found.isLogged ? "steps from the server's log" : "times measured from outside") of "
                + found.model,
            "compute x\(BenchText.figure(scalars.compute)), bandwidth x\(BenchText.figure(scalars.bandwidth)), all-reduce "
                + "x\(BenchText.figure(scalars.allReduce)), host \(BenchText.time(scalars.hostStep ?? 0)) a step and "
                + "\(BenchText.time(scalars.hostRequest ?? 0)) a request"
                + (scalars.kvBlocks.map { ", \($0) KV blocks" } ?? ""),
            "before:    \(errors(result.before))", "in sample: \(errors(result.fitted))",
            "held out:  \(errors(result.heldOut))",
        ].joined(separator: "\n") + (file.map { "\nWritten to \($0). Use it: --calibration \($0)" } ?? "")
    }
}
