import CServeCore
import Testing

@testable import CServeEngine

@Suite("Failures")
struct FailureTests {
    @Test("a step that throws fails its own requests; the engine goes on and loses no block")
    func failedStep() async throws {
        let engine = try Engine.toy()
        let free = engine.snapshot().freeBlocks
        let failed = try await engine.submit(.test(1, prompt: [1, 2, ToyExecutor.poison])).answer()
        #expect(failed.failure?.contains("step failed") == true)
        #expect(failed.timings != nil)
        #expect(try await engine.submit(.test(2)).answer().reasons == [.length])
        await engine.drain()
        let snapshot = engine.snapshot()
        #expect(snapshot.failedSteps == 1)
        #expect(snapshot.freeBlocks == free)
        #expect(snapshot.running == 0)
    }

    @Test("logits that are not numbers fail one request, its company goes on")
    func notANumber() async throws {
        let engine = try Engine.toy()
        let good = try engine.submit(.test(1))
        let bad = try engine.submit(.test(2, prompt: [1, ToyExecutor.notANumber]) { $0.n = 2 })
        #expect(await bad.answer(branches: 2).failure == SamplingError.notANumber.description)
        #expect(await good.answer().reasons == [.length])
        await engine.drain()
        #expect(engine.snapshot().running == 0)
        #expect(engine.snapshot().failedSteps == 0)
    }

    @Test("a prompt that is only scored fails, too, when its scores are not numbers")
    func unscored() async throws {
        let engine = try Engine.toy()
        let free = engine.snapshot().freeBlocks
        let request = Request.test(1, prompt: [1, ToyExecutor.notANumber, 3]) {
            $0.maxTokens = 0
            $0.promptLogprobs = 1
        }
        #expect(try await engine.submit(request).answer().failure == SamplingError.notANumber.description)
        await engine.drain()
        #expect(engine.snapshot().running == 0 && engine.snapshot().freeBlocks == free)
    }

    @Test("bans that leave no token fail the request with the reason")
    func nothingLeft() async throws {
        let engine = try Engine.toy()
        let request = Request.test(1) {
            $0.allowedTokenIDs = [4]
            $0.badWords = [[4]]
        }
        #expect(try await engine.submit(request).answer().failure == SamplingError.allMasked.description)
    }

    @Test("random cancels under load lose no block, no stream and no request", arguments: [1, 2, 3] as [UInt64])
    func randomCancels(seed: UInt64) async throws {
        let engine = try Engine.toy(blocks: 60, seqs: 12)
        let free = engine.snapshot().freeBlocks
        await withTaskGroup(of: Void.self) { group in
            for id: UInt64 in 1...60 {
                let fate = RandomStream.mix(seed &* 1000 &+ id)
                group.addTask { await Self.serve(id, fate, on: engine) }
            }
        }
        await engine.drain()
        let snapshot = engine.snapshot()
        #expect(snapshot.freeBlocks == free)
        #expect(snapshot.running == 0)
        #expect(snapshot.waiting == 0)
        #expect(snapshot.waitingTokens == 0)
    }

    /// Reads an answer and, as fate has it, cancels it, drops it, or lets its task be cancelled.
    private static func serve(_ id: UInt64, _ fate: UInt64, on engine: Engine) async {
        var request = CompanyTests.request(id)
        request.sampling.n = 1 + Int((fate >> 8) % 3)
        guard let stream = try? engine.submit(request) else { return }
        var left = Int(fate >> 16) % 20
        for await _ in stream {
            left -= 1
            guard left < 0 else { continue }
            if fate % 4 == 0 { engine.cancel(request.id, branch: nil, reason: .abort) }
            if fate % 4 == 1 { return }
            if fate % 4 == 2 { engine.cancel(request.id, branch: 0, reason: .stop) }
        }
    }
}
