import CServeCore
import CServeScheduling
import Testing

@testable import CServeEngine

@Suite("Engine")
struct EngineTests {
    @Test("a request is started, answered one batch per step, finished and timed")
    func answersARequest() async throws {
        let engine = try Engine.null(recipe: smallRecipe())
        let answer = try await engine.submit(.test(1)).answer()
        #expect(answer.cachedTokens == 0)
        #expect(answer.ids.count == 8)
        #expect(answer.reasons == [.length])
        #expect(answer.batches == 8)
        let timings = try #require(answer.timings)
        let scheduled = try #require(timings.scheduled)
        let first = try #require(timings.firstToken)
        let last = try #require(timings.lastToken)
        #expect(timings.arrival <= scheduled && scheduled <= first && first < last)
        let again = try await engine.submit(.test(2)).answer()
        #expect(again.ids == answer.ids)
    }

    @Test("n branches and log-probabilities come as asked for")
    func branchesAndScores() async throws {
        let engine = try Engine.null(recipe: smallRecipe())
        let request = Request.test(1) {
            $0.n = 3
            $0.logprobs = 2
        }
        let answer = try await engine.submit(request).answer(branches: 3)
        #expect(answer.reasons == [.length, .length, .length])
        #expect(answer.tokens.allSatisfy { $0.count == 8 && $0.allSatisfy { $0.logprob != nil && $0.top.count == 2 } })
    }

    @Test("prompt scores come once, in order, from chunks; nothing is sampled when no token is asked for")
    func promptScores() async throws {
        let engine = try Engine.null(recipe: smallRecipe { $0.chunkedPrefillSize = 7 })
        let request = Request.test(1, prompt: (0..<100).map { TokenID($0) }, maxTokens: 0) { $0.promptLogprobs = 1 }
        let answer = try await engine.submit(request).answer()
        #expect(answer.prompt.map(\.token) == request.promptTokens)
        #expect(answer.prompt[0].logprob == nil)
        #expect(answer.prompt.dropFirst().allSatisfy { $0.logprob != nil })
        #expect(answer.reasons == [.length])
        #expect(answer.ids.isEmpty)
    }

    @Test("what cannot be served is refused at once, with its reason")
    func refusals() async throws {
        let engine = try Engine.null(recipe: smallRecipe())
        func refusal(of request: Request) -> SubmitRefusal? {
            do throws(SubmitRefusal) {
                _ = try engine.submit(request)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(of: .test(1, prompt: [])) == .invalid(.emptyPrompt))
        #expect(
            refusal(of: .test(2, prompt: [999]))
                == .invalid(.tokenOutOfVocabulary(parameter: "prompt", token: 999, vocabulary: 512)))
        #expect(
            refusal(of: .test(3, maxTokens: 254))
                == .invalid(.contextExceeded(prompt: 3, maxTokens: 254, maxModelLength: 256)))
        #expect(refusal(of: .test(4) { $0.n = 17 }) != nil)
        #expect(refusal(of: .test(5) { $0.temperature = -1 }) != nil)
        #expect(refusal(of: .test(6, maxTokens: Int.max)) != nil)
        await engine.drain()
        #expect(refusal(of: .test(7)) == .shuttingDown)
        #expect(engine.snapshot().draining)
    }

    @Test("a full queue refuses at once and says when to come back")
    func fullQueue() async throws {
        let gate = Gate()
        let engine = try Engine.gated(gate) {
            $0.maxNumSeqs = 1
            $0.maxNumQueuedReqs = 3
        }
        var streams: [RequestStream] = []
        var refused: SubmitRefusal?
        for id in 1...8 {
            do throws(SubmitRefusal) {
                streams.append(try engine.submit(.test(UInt64(id), maxTokens: 2)))
            } catch {
                refused = error
            }
        }
        guard case .overloaded(_, let seconds) = refused else {
            Issue.record("no request was refused")
            return
        }
        #expect(seconds >= 1)
        #expect((3...4).contains(streams.count))
        gate.open()
        for stream in streams { #expect(await stream.answer().reasons == [.length]) }
    }

    @Test("cancelling ends a request or one branch of it within a step")
    func cancelling() async throws {
        let gate = Gate()
        let engine = try Engine.gated(gate)
        let stream = try engine.submit(.test(1, maxTokens: 250) { $0.n = 2 })
        engine.cancel(RequestID(1), branch: 1, reason: .stop)
        gate.allow(steps: 2)
        var answer = Answer(branches: 2)
        for await events in stream {
            events.forEach { answer.take($0) }
            engine.cancel(RequestID(1), branch: nil, reason: .abort)
            gate.open()
        }
        #expect(answer.reasons == [.abort, .stop])
        #expect((1...3).contains(answer.ids.count))
        #expect(answer.timings != nil)
    }

    @Test(
        "dropping a stream, or cancelling its reader, frees the request's blocks within a step",
        .timeLimit(.minutes(5)))
    func dropping() async throws {
        for isDropped in [true, false] {
            let gate = Gate()
            let engine = try Engine.gated(gate)
            let free = engine.snapshot().freeBlocks
            let reader = Task { [stream = try engine.submit(.test(1, maxTokens: 250))] in
                for await _ in stream where isDropped { return }
            }
            gate.allow(steps: 1)
            while engine.snapshot().generationTokens == 0 { try await Task.sleep(for: .milliseconds(1)) }
            if !isDropped { reader.cancel() }
            await reader.value
            // The task lets go of its stream some time after its end; steps wait at the gate until the engine knows.
            while engine.snapshot().running > 0 && engine.loop.waitingCommands == 0 {
                try await Task.sleep(for: .milliseconds(1))
            }
            gate.open()
            await engine.drain()
            let snapshot = engine.snapshot()
            #expect(snapshot.generationTokens <= 2)
            #expect(snapshot.freeBlocks == free)
            #expect(snapshot.running == 0)
            #expect(snapshot.stalledFor == nil)
        }
    }

    @Test("an engine whose step hangs says for how long, a waiting or idle one does not")
    func stalling() async throws {
        let gate = Gate()
        let engine = try Engine.gated(gate)
        #expect(engine.snapshot().stalledFor == nil)
        let stream = try engine.submit(.test(1))
        while engine.snapshot().stalledFor ?? 0 < 2 * .millisecond { try await Task.sleep(for: .milliseconds(1)) }
        gate.open()
        _ = await stream.answer()
        await engine.drain()
        #expect(engine.snapshot().stalledFor == nil)
    }

    @Test("stopping fails what runs, and the streams end")
    func stopping() async throws {
        let gate = Gate()
        let engine = try Engine.gated(gate)
        let stream = try engine.submit(.test(1, maxTokens: 200))
        engine.stop()
        gate.open()
        let answer = await stream.answer()
        #expect(answer.failure?.contains("stopped") == true)
        await engine.drain()
        #expect(throws: SubmitRefusal.shuttingDown) { try engine.submit(.test(2)) }
    }

    @Test("an engine that is released finishes what it has and lets go of its loop", .timeLimit(.minutes(5)))
    func releasing() async throws {
        weak var loop: EngineLoop?
        func submit() throws -> RequestStream {
            let engine = try Engine.null(recipe: smallRecipe(), delay: .millisecond)
            loop = engine.loop
            return try engine.submit(.test(1, maxTokens: 20))
        }
        #expect(try await submit().answer().ids.count == 20)
        while loop != nil { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("counters add up")
    func counters() async throws {
        let engine = try Engine.null(recipe: smallRecipe())
        for id in 1...3 { _ = try await engine.submit(.test(UInt64(id))).answer() }
        await engine.drain()
        let snapshot = engine.snapshot()
        #expect(snapshot.generationTokens == 24)
        #expect(snapshot.promptTokens == 9)
        #expect(snapshot.steps == 24)
        #expect(snapshot.iterationTokenCounts.reduce(0, +) == 24)
        #expect(snapshot.iterationTokenSum == 9 + 21)
        #expect(snapshot.blockSize == 16)
        #expect(snapshot.waiting == 0)
    }
}
