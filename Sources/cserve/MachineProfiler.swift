// The measurements of `cserve profile`, in order: peaks, prompts, rounds of decodes, held-out passes, the engine's loop.

import CServeCore
import CServeCost
import CServeEngine
import CServeScheduling
import CServeWorkload
import Foundation

/// How far a profile is.
typealias ProfileProgress = (_ phase: String, _ done: Int, _ total: Int) -> Void

/// Profiles one model on this machine.
final class MachineProfiler {
    let measurer: MachineMeasurer
    private let backend: CPUBackend
    private let meter: PeakMeter
    private let name: String
    private let isQuick: Bool
    private var peaks: [Peak: Samples] = [:]
    private var hostSteps: [StepRecord] = []
    private var heldOut: HeldOutPasses

    /// Seconds that the rounds may take; a round that has begun is finished.
    private var roundSeconds: Double { isQuick ? 4 : 60 }

    init(_ recipe: Recipe, name: String, isQuick: Bool, progress: ((LoadProgress) -> Void)? = nil) throws {
        let checkpoint: Checkpoint = try ModelLoader.checkpoint(recipe.model)
        let recipe: Recipe = Self.bounded(recipe, shape: try checkpoint.shape())
        let probe: ModelProbe = try ModelProbe(
            checkpoint: checkpoint, recipe: recipe, availableBytes: MachineMemory.available(), progress: progress)
        measurer = try MachineMeasurer(probe, recipe: recipe, isQuick: isQuick)
        backend = try CPUBackend(threads: recipe.threads)
        meter = try PeakMeter(backend)
        self.name = name
        self.isQuick = isQuick
        heldOut = HeldOutPasses(measurer.session.grid, count: isQuick ? 6 : 16)
    }

    /// A cache of 32k tokens, or of two requests of the greatest length, is enough for every shape of the grid.
    private static func bounded(_ recipe: Recipe, shape: ModelShape) -> Recipe {
        var recipe: Recipe = recipe
        let length: Int = recipe.maxModelLen ?? min(shape.lengthLimit(asked: nil), 8192)
        recipe.maxModelLen = length
        let perToken: Int = 4 * shape.layers * shape.kvHeads * shape.headDim
        if recipe.kvCacheMemoryBytes == nil { recipe.kvCacheMemoryBytes = perToken * max(32_768, 2 * length + 512) }
        return recipe
    }

    /// Measures everything.
    func run(_ progress: @escaping ProfileProgress) async throws -> MachineFile {
        let session: ProfileSession = measurer.session
        measurePeaks()
        _ = try session.probe.pass([ProbeEntry(tokens: 16, context: 0)], sampled: 1)
        try prompts(progress)
        try await rounds(progress)
        session.addSampling(hostSteps)
        return try file()
    }

    private func prompts(_ progress: ProfileProgress) throws {
        let grid: ProfileGrid = measurer.session.grid
        let total: Int = grid.pieces.count + grid.prompts.count
        let began: Date = Date()
        for round in 0..<(isQuick ? 1 : 3) {
            var done: Int = 0
            try measurer.session.prompts {
                done += 1
                progress("prompts, round \(round + 1)", done, total)
            }
            // Arithmetic wanders little: once is enough where it is long.
            if Date().timeIntervalSince(began) > 12 { return }
        }
    }

    private func rounds(_ progress: @escaping ProfileProgress) async throws {
        let began: Date = Date()
        let total: Int = measurer.session.passes + heldOut.count
        for round in 0..<(isQuick ? 2 : 9) {
            var done: Int = 0
            let step: () -> Void = {
                done += 1
                progress("decodes, round \(round + 1)", done, total)
            }
            measurePeaks()
            try measurer.session.round(step)
            try heldOut.measure(measurer.session.probe, step)
            if round == 0 {
                progress("the engine's own steps", 0, 1)
                hostSteps = try await measurer.hostSteps()
            }
            if round >= 1, Date().timeIntervalSince(began) > roundSeconds { return }
        }
    }

    private func measurePeaks() {
        for peak in Peak.allCases {
            if let value = meter.measure(peak) { peaks[peak, default: Samples()].add(value) }
        }
    }

    // MARK: The file

    private func file() throws -> MachineFile {
        let runner: ModelRunner = measurer.runner
        let machine: MachineFingerprint = MachineFacts.fingerprint(
            threads: backend.threads, instructionSet: backend.instructionSet.rawValue,
            generator: "cserve \(Self.version)")
        let accelerator: AcceleratorSpec = accelerator(machine)
        let engine: EngineProfile = EngineProfile(name: "cserve", version: Self.version)
        let host = HostFit.fit(hostSteps)
        let model: ProfiledModel = ProfiledModel(
            name: measurer.recipe.model, shape: runner.shape, weights: runner.formats.weights.standard.format,
            cache: runner.formats.cache)
        var calibration: Calibration = try scalars(accelerator, engine, host: host)
        calibration.title = "cserve profile of \(model.name) (\(model.weights)) on \(machine.processor)"
        calibration.date = machine.date
        let byScalars: ErrorSummary = heldOut.errors(try measurer.stepCost(calibration, accelerator, engine))
        calibration.profiles = [
            measurer.session.samples.profile(layers: runner.shape.layers, experts: runner.shape.mixture?.experts)
        ]
        let errors: ErrorSummary = heldOut.errors(try measurer.stepCost(calibration, accelerator, engine))
        // Nothing better than 5% is claimed: machines wander.
        calibration.interval = ErrorInterval(
            low: min(-0.05, errors.interval.low), high: max(0.05, errors.interval.high))
        return MachineFile(
            accelerator: accelerator,
            calibrations: [
                MachineCalibration(
                    accelerator: name, model: model, machine: machine, calibration: calibration,
                    heldOut: ErrorFigures(errors), heldOutByScalars: ErrorFigures(byScalars))
            ])
    }

    /// What other models borrow: how far whole passes are from speed of light, and the host's costs.
    private func scalars(
        _ accelerator: AcceleratorSpec, _ engine: EngineProfile, host: (step: Double, request: Double)
    ) throws -> Calibration {
        var engine: EngineProfile = engine
        (engine.host.step, engine.host.request) = (host.step, host.request)
        let steps: [ProbeStep] = measurer.session.whole.map { step, seconds in
            let requests: Double = Double(step.decodes + step.prefills.count)
            return ProbeStep(step, seconds: seconds + host.step + host.request * requests)
        }
        let cost: StepCost = try measurer.stepCost(nil, accelerator, engine)
        var calibration: Calibration = try Calibration.fitted(title: "", date: "", probe: steps, cost: cost).calibration
        (calibration.scalars.hostStep, calibration.scalars.hostRequest) = (host.step, host.request)
        return calibration
    }

    private func accelerator(_ machine: MachineFingerprint) -> AcceleratorSpec {
        let single: Double = peaks[.float32]?.median ?? 1
        let source: Provenance = Provenance(
            source: "cserve profile: medians of reading \(ByteCount(PeakMeter.readBytes)) and of f32, bf16 and int8 "
                + "dots on \(machine.threads) threads; types without instructions of their own are widened to f32",
            date: machine.date)
        return AcceleratorSpec(
            name: name, title: "\(machine.processor), \(machine.threads) threads", kind: .cpu,
            architecture: machine.instructionSet, memoryBytes: machine.memoryBytes,
            memoryBandwidth: peaks[.read]?.median ?? 1,
            peaks: [
                .float32: single, .float16: single, .bfloat16: peaks[.bfloat16]?.median ?? single,
                .int8: peaks[.int8]?.median ?? single,
            ], processors: machine.threads, provenance: ["*": source])
    }

    /// The measured peaks, for reports.
    var measuredPeaks: [(peak: Peak, samples: Samples)] {
        Peak.allCases.compactMap { peak in peaks[peak].map { (peak, $0) } }
    }
}
