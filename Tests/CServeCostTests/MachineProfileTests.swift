// A machine's profile: medians by shape, one file that the catalogue reads, and what it says of models that it did not measure.

import CServeCore
import CServeCost
import Testing

@Suite struct MachineProfileTests {
    /// A profile of a model with 32 layers whose operators take 2 µs a token and layer, attention 0.5 µs a position.
    private func samples() -> ProfileSamples {
        var samples = ProfileSamples()
        for tokens in [1, 2, 4, 8, 64, 512] {
            for noise in [0.9, 1, 1.4] {
                for name in ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"] {
                    samples.add(name, tokens: tokens, seconds: 32 * 2e-6 * Double(tokens) * noise)
                }
                samples.add("layernorm", tokens: tokens, seconds: 64 * 1e-6 * Double(tokens) * noise)
                samples.add("overhead", tokens: tokens, seconds: 3e-5 * noise)
            }
            samples.addPrompt(tokens: tokens, context: 0, seconds: 32e-6 * Double(tokens))
            samples.addPrompt(tokens: tokens, context: 256, seconds: 64e-6 * Double(tokens))
        }
        for requests in [1, 4] {
            for context in [16, 64] {
                samples.addDecodes(
                    requests: requests, context: context, seconds: 32 * 0.5e-6 * Double(requests * context))
            }
            samples.add("lm_head", rows: requests, seconds: 1e-4 * Double(requests))
        }
        return samples
    }

    private func machine(_ placement: ReplicaPlacement) throws -> MachineFile {
        var calibration = Calibration(
            title: "profile", date: "2026-11-25",
            scalars: Calibration.Scalars(compute: 1.2, bandwidth: 1.1, hostStep: 5e-5, hostRequest: 1e-6),
            profiles: [samples().profile(layers: 32)], interval: ErrorInterval(low: -0.06, high: 0.07))
        calibration.host = EngineProfile.HostCosts(step: 5e-5, request: 1e-6)
        let fingerprint = MachineFingerprint(
            processor: "P", cores: 2, threads: 2, instructionSet: "avx512bf16", memoryBytes: 25_000_000_000,
            system: "Linux", generator: "cserve 0.1", date: "2026-11-25")
        return MachineFile(
            accelerator: accelerator,
            calibrations: [
                MachineCalibration(
                    accelerator: "this-machine",
                    model: ProfiledModel(
                        name: "m", shape: placement.shape, weights: .plain(.bfloat16), cache: .bfloat16),
                    machine: fingerprint, calibration: calibration, heldOut: ErrorFigures(ErrorSummary([0.01, -0.02])),
                    heldOutByScalars: ErrorFigures(ErrorSummary([0.3, -0.4])))
            ])
    }

    private let accelerator = AcceleratorSpec(
        name: "this-machine", title: "P, 2 threads", kind: .cpu, architecture: "avx512bf16",
        memoryBytes: 25_000_000_000,
        memoryBandwidth: 40e9, peaks: [.float32: 2e11, .float16: 2e11, .bfloat16: 4e11, .int8: 8e11], processors: 2)

    @Test("medians of the rounds are kept by shape, per layer")
    func medians() throws {
        let profile: OperatorProfile = samples().profile(layers: 32)
        #expect(profile.ranks == 1)
        #expect(profile.dense["qkv_proj"]?.counts == [1, 2, 4, 8, 64, 512])
        let single: Double = try #require(profile.dense["qkv_proj"]).seconds(at: 1)
        #expect(abs(single - 2e-6) < 1e-12)
        // A norm stands twice in a layer; what lies between operators stands once in a model.
        #expect(abs(try #require(profile.dense["layernorm"]).seconds(at: 4) - 4e-6) < 1e-12)
        #expect(abs(try #require(profile.dense["overhead"]).seconds(at: 4) - 3e-5) < 1e-12)
        #expect(profile.attention.decodes.axes == [[1, 4], [16, 64]])
        #expect(profile.attention.decodes.microseconds.map { ($0 * 1000).rounded() / 1000 } == [8, 32, 32, 128])
    }

    @Test("the file is a hardware catalogue whose calibration comes back as it was")
    func roundTrip() throws {
        let placement = try CostShapes.placement(accelerator)
        let file: MachineFile = try machine(placement)
        let bytes: [UInt8] = try file.json().serialized(.pretty)
        let catalog = try HardwareCatalog([CatalogFile(name: "here.json", bytes: bytes)])
        #expect(catalog.accelerators == [file.accelerator])
        #expect(catalog.calibrations == file.calibrations)
        #expect(try catalog.choose("this-machine").accelerators == 1)
        // A second file of the same model and types replaces the first one's measurement.
        var again = catalog
        try again.add(CatalogFile(name: "again.json", bytes: bytes))
        #expect(again.calibrations.count == 1)
    }

    @Test("the very model takes the measured times, to the sum of its parts")
    func exact() throws {
        let placement = try CostShapes.placement(accelerator)
        let file: MachineFile = try machine(placement)
        let catalog = try HardwareCatalog([CatalogFile(name: "here.json", bytes: try file.json().serialized())])
        let calibration: Calibration = try #require(catalog.calibration(for: placement))
        #expect(calibration.note == nil && calibration.profiles.count == 1)
        let cost = try StepCost(placement, engine: CostShapes.engine, calibration: calibration)
        #expect(cost.interval == ErrorInterval(low: -0.06, high: 0.07))
        #expect(cost.weakestEvidence == .measured)
        // 4 decodes of 16: 4 matrices of 8 µs and two norms of 4 µs a layer, attention 32 µs a layer, 30 µs, 400 µs of head.
        let expected: Double = 32 * (4 * 8 + 2 * 4 + 32) + 30 + 400
        let seconds: Double = Double(cost.stageTime(of: CostShapes.decodes(4, context: 16), stage: 0)) * 1e-3
        #expect(abs(seconds / expected - 1) < 1e-6)
        #expect(cost.hostTime(of: CostShapes.decodes(4, context: 16)) == 54_000)
    }

    @Test("another model, other types or threads borrow the machine's rates, and that is said")
    func borrowed() throws {
        let placement = try CostShapes.placement(accelerator)
        let file: MachineFile = try machine(placement)
        let catalog = try HardwareCatalog([CatalogFile(name: "here.json", bytes: try file.json().serialized())])
        var other = placement
        other.shape.layers = 16
        other.precision = ModelPrecision(.float16)
        other.recipe.threads = 1
        let calibration: Calibration = try #require(catalog.calibration(for: other))
        #expect(calibration.profiles.isEmpty)
        #expect(calibration.scalars.compute == 1.2)
        // The held-out errors of scalars alone: P90 of 0.3 and 0.4 is 0.39.
        #expect(abs(calibration.interval.high - 0.39) < 1e-9 && abs(calibration.interval.low + 0.39) < 1e-9)
        #expect(
            calibration.note
                == "Times on this-machine are borrowed from m (bfloat16, KV cache bfloat16): the model has other shapes; "
                + "weights are float16; the KV cache is float16; 1 threads in place of 2. cserve profile --model measures "
                + "this one.")
        #expect(catalog.calibration(for: try CostShapes.placement()) == nil)
    }

    @Test("a calibration of an unknown accelerator, or one that is none, names its place in the file")
    func refusals() throws {
        let placement = try CostShapes.placement(accelerator)
        let text = String(decoding: try machine(placement).json().serialized(), as: UTF8.self)
        let broken: [(String, String)] = [
            (#""accelerator":"this-machine","model""#, #""accelerator":"that","model""#),
            (#""bandwidth":1.1"#, #""bandwidth":"fast""#),
        ]
        for (old, new) in broken {
            let changed: String = text.replacing(old, with: new)
            #expect(changed != text)
            #expect(throws: CatalogError.self) {
                try HardwareCatalog([CatalogFile(name: "x.json", bytes: Array(changed.utf8))])
            }
        }
    }
}
