// `cserve profile`, planning with what it wrote, and `cserve calibrate --url` on a server of our own: forms, never times.

import CServeCore
import CServeCost
import CServeEngine
import CServeWorkload
import Foundation
import Testing

@testable import cserve

@Suite(.serialized)
struct ProfileTests {
    private let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent(
        "profile-\(UUID().uuidString)")

    @Test("A profile of the built-in model is hardware that simulate and plan take")
    func profile() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file: String = folder.appendingPathComponent("here.json").path
        let result: CommandResult = try Command.run(
            ["profile", "--quick", "--name", "my-box", "--max-model-len", "512", "--max-num-seqs", "8", "-o", file])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("6 passes held out"), "\(result.output)")
        let bytes: [UInt8] = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let catalog: HardwareCatalog = try HardwareCatalog([CatalogFile(name: file, bytes: bytes)])
        let one: MachineCalibration = try #require(catalog.calibrations.first)
        #expect(one.model.name == "cserve-demo" && one.model.weights == "bfloat16" && one.model.digest.count == 64)
        #expect(one.machine.generator.hasPrefix("cserve ") && one.machine.threads > 0)
        #expect(one.heldOut.count == 6)
        let profile: OperatorProfile = try #require(one.calibration.profiles.first)
        for name in OperatorProfile.layerOperators + ["layernorm", "rotary_emb", "act_fn", "embedding", "overhead"] {
            let series: OperatorProfile.Series = try #require(profile.dense[name], "\(name)")
            #expect(series.counts.first == 1 && series.microseconds.allSatisfy { $0 >= 0 }, "\(name)")
        }
        #expect(profile.perRow["lm_head"] != nil && profile.perRow["sampler"] != nil)
        try plans(with: file)
    }

    private func plans(with file: String) throws {
        let simulated: CommandResult = try Command.run(
            [
                "simulate", "--model", "cserve-demo", "--hardware", file, "--on", "my-box", "-w", "64/16", "--rate",
                "1",
                "--final-requests", "50", "--final-seeds", "1",
            ])
        #expect(simulated.status == 0, "\(simulated.errors)")
        #expect(simulated.output.contains("Times: measured (cserve profile of cserve-demo"), "\(simulated.output)")
        let planned: CommandResult = try Command.run(
            [
                "plan", "--model", "cserve-demo", "--hardware", file, "--gpus", "my-box", "-w", "64/16", "--rate", "1",
                "--max-gpus", "1", "--final-requests", "50", "--final-seeds", "1",
            ])
        #expect(planned.status == 0, "\(planned.errors)")
        #expect(planned.output.contains("rests on measured"), "\(planned.output)")
        // Another model borrows, and says so.
        let other: CommandResult = try Command.run(
            [
                "simulate", "--model", "llama-3.2-1b", "--hardware", file, "--on", "my-box", "-w", "64/16", "--rate",
                "0.01", "--final-requests", "20", "--final-seeds", "1",
            ])
        #expect(other.status == 0, "\(other.errors)")
        #expect(other.output.contains("borrowed from cserve-demo"), "\(other.output)")
    }

    @Test(
        "What cannot be profiled is refused before anything is measured",
        arguments: [
            (["--model", "nowhere"], "no checkpoint folder"), (["-o", "/nowhere/x.json"], "cannot be written"),
            (["--name", "l4"], "in the catalogue already"), (["--name", "A b"], "lower-case letters"),
            (["--device", "null"], "Use cpu"),
        ])
    func refusals(arguments: [String], hint: String) throws {
        let result: CommandResult = try Command.run(["profile"] + arguments)
        #expect(result.status == 1)
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test("A server's step log, or times from outside, become a calibration", arguments: [0, 4096])
    func server(log: Int) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file: String = folder.appendingPathComponent("c\(log).json").path
        let server: RunningCommand = try RunningCommand(["serve", "--port", "0", "--step-log", "\(log)"])
        defer { server.signal(SIGKILL) }
        let address: String = try #require(try await server.line("Listening on http://"))
        _ = try #require(try await server.line("Ready: "))
        let result: CommandResult = try Command.run(
            [
                "calibrate", "--url", "http://\(address)/v1", "--model", "cserve-demo", "--on", "zen4-2c",
                "--max-model-len", "512", "-o", file,
            ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains(log > 0 ? "steps from the server's log" : "times measured from outside"))
        #expect(result.output.contains("held out:") && result.output.contains("in sample:"))
        let calibration: Calibration = try CalibrationFile.read(file)
        #expect(calibration.scalars.kvBlocks ?? 0 > 0)
        #expect(calibration.scalars.compute > 0 && calibration.scalars.bandwidth > 0)
        server.signal(SIGTERM)
    }

    @Test("Calibrating by a server needs its model and hardware, and a server")
    func needs() throws {
        let without: CommandResult = try Command.run(["calibrate", "--url", "http://127.0.0.1:1/v1"])
        #expect(without.status == 64)
        #expect(without.errors.contains("--model llama-3-8b --on l4"), "\(without.errors)")
        let nobody: CommandResult = try Command.run(
            ["calibrate", "--url", "http://127.0.0.1:1/v1", "--model", "cserve-demo", "--on", "zen4-2c"])
        #expect(nobody.status == 1)
        #expect(nobody.errors.contains("cannot be reached"), "\(nobody.errors)")
    }
}

@Test("Every profile error says what to do instead")
func profileErrorMessages() {
    let messages: [(ProfileError, String)] = [
        (.notOnCPU(device: "null"), "--device null is not what a profile measures. Use cpu, or leave it out."),
        (
            .badName("A b"),
            "--name \"A b\" cannot name hardware. Use lower-case letters, digits and dashes, a letter first."
        ),
        (
            .nameTaken("l4"),
            "--name l4 is in the catalogue already, and would be mixed with it. Choose another name."
        ),
        (
            .unwritable(file: "/x/y"),
            "/x/y cannot be written. Name a file in a folder that is there and yours with -o."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every probe error says what to look at")
func serverProbeErrorMessages() {
    let messages: [(ServerProbeError, String)] = [
        (
            .noModel(url: "http://h/v1", status: 404),
            "http://h/v1/models answered 404 and names no model. Give the address of an OpenAI-style server, such as "
                + "http://127.0.0.1:8000/v1, with --api-key if it wants one."
        ),
        (
            .noTokens(url: "http://h/v1"),
            "http://h/v1 streamed no tokens. Does it serve /v1/completions with \"stream\"?"
        ),
        (
            .lost(url: "http://h/v1", reason: "refused"),
            "http://h/v1 cannot be reached: refused. Is the server running?"
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

/// What profiles and comparisons compute from numbers.
struct ProfileFigureTests {
    @Test("the host's costs are a line through the medians of the batches")
    func host() {
        var steps: [StepRecord] = []
        for batch in [1, 2, 4, 8, 16] {
            for noise in [0, 0, 0, 900_000] {
                var step: StepRecord = StepRecord()
                step.decodes = batch
                step.forward = 5_000_000
                step.sampling = 100_000
                step.cycle = 5_100_000 + 40_000 + Nanoseconds(3000 * batch + noise)
                steps.append(step)
            }
        }
        let fit = HostFit.fit(steps)
        #expect(abs(fit.step - 40e-6) < 1e-9 && abs(fit.request - 3e-6) < 1e-9)
    }

    @Test("decodes together are timed while all of them run, chunks of several tokens counted as such")
    func together() throws {
        // Two answers of 9 tokens in 9 and in 5 chunks (of 1.8 tokens); both run from 1.0 to 1.8, a token every 0.1 s.
        let single: ServerProbe.Answer = ServerProbe.Answer(
            sent: 0, chunks: (0...8).map { 1.0 + 0.1 * Double($0) }, tokens: 9)
        let coarse: ServerProbe.Answer = ServerProbe.Answer(
            sent: 0, chunks: (0...4).map { 1.0 + 0.18 * Double($0) }, tokens: 9)
        let step: ProbeStep = try #require(ServerProbe.decodeStep([single, coarse], prompt: 100))
        #expect(abs(step.seconds - 0.1) < 1e-9)
        #expect(step.step.decodes == 2 && step.step.prefills.isEmpty)
        #expect((101...110).contains(step.step.longestDecodeContext))
        #expect(ServerProbe.decodeStep([ServerProbe.Answer(sent: 0, chunks: [1], tokens: 1)], prompt: 8) == nil)
    }

    @Test("blocks are read from vLLM's metric")
    func blocks() {
        let text: String = "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"512\",x=\"y\"} 1.0\n"
        #expect(ServerProbe.kvBlocks(text) == 512)
        #expect(ServerProbe.kvBlocks("llamacpp:requests_processing 0") == nil)
    }

    @Test("scaled requests keep their proportions and what they share, and fit the model")
    func scaling() throws {
        let live: LiveWorkload = try LiveWorkload(named: "shared-prefix", scale: 0.25, longest: 1024)
        let requests: [WorkloadRequest] = live.requests(50, rate: 2)
        #expect(requests.count == 50)
        for request in requests {
            #expect(request.segments.map(\.tokens) == [768])
            #expect(request.promptLength + request.outputLength <= 1024)
            #expect((768 + 32...768 + 192).contains(request.promptLength))
            #expect((32...96).contains(request.outputLength))
        }
        #expect(!live.isBatch)
        #expect(try LiveWorkload(named: "batch", scale: 0.1, longest: 256).isBatch)
    }

    @Test("above the knee only throughput and the mean and the median of TPOT count")
    func cells() throws {
        func figures(_ factor: Double) -> RunFigures {
            let answers: [LiveAnswer] = (1...10).map { (number: Int) -> LiveAnswer in
                var answer: LiveAnswer = LiveAnswer(index: number, promptTokens: 8)
                answer.outputTokens = 11
                answer.arrival = Nanoseconds(number) * .second
                answer.firstToken = answer.arrival + Nanoseconds(factor * 1e8)
                answer.lastToken = answer.firstToken + Nanoseconds(factor * 1e9)
                return answer
            }
            return RunFigures(answers)
        }
        let machine: MachineFingerprint = MachineFacts.fingerprint(threads: 1, instructionSet: "x", generator: "y")
        var cell: FidelityCell = FidelityCell(
            model: "m", weights: "bfloat16", workload: "chat", scale: 1, share: 0.8, rate: 1, requests: 10,
            predicted: figures(1.3), measured: [figures(1), figures(1), figures(2)], plannedBlocks: 7, engineBlocks: 7,
            failed: 0, lateness: 0, machine: machine)
        #expect(abs(try #require(cell.error(1)) - 0.3) < 1e-6)
        #expect(abs(try #require(cell.error(4)) - 0.3) < 1e-6)
        #expect(abs(cell.spread - 0.5) < 1e-6)
        let page: String = MachineFidelityPage(cells: [cell]).text
        #expect(page.contains("**+30.0**") && page.contains("1 of 1"))
        cell.share = 1.2
        #expect(cell.error(1) == nil && cell.error(4) != nil)
        let again: FidelityCell = try JSONValue(encoding: cell).decoded(file: "cells.json")
        #expect(again == cell)
    }
}
