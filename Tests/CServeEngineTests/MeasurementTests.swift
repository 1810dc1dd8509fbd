// What measurements count: their numbers of bytes, operations and tokens are checked, never their times.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct MeasurementTests {
    private func traffic(_ family: String, tokens: Int) throws -> WeightTraffic {
        let checkpoint = try TinyCheckpoint.make(family)
        let runner = try ModelRunner(checkpoint: checkpoint, recipe: TinyCheckpoint.recipe(), backend: Reference())
        return WeightTraffic(
            shape: runner.shape, plans: runner.plans, layouts: runner.formats.weights, tokens: tokens)
    }

    @Test("a step reads every weight but the embedding, once")
    func dense() throws {
        // By hand, hidden 32, 4 heads and 2 KV heads of 8, width 24, 61 words: per layer qkv 64*32 + output 32*32 +
        // gate and up 48*32 + down 32*24 = 5376, four layers; head 61*32; nine norms of 32; all in f32.
        let traffic = try traffic("mistral", tokens: 1)
        #expect(traffic.parametersPerToken == 4 * 5376)
        #expect(traffic.headParameters == 61 * 32)
        #expect(traffic.bytes == Double((4 * 5376 + 61 * 32 + 9 * 32) * 4))
        #expect(traffic.operations(tokens: 10, sampled: 1) == 2 * Double(10 * 4 * 5376 + 61 * 32))
    }

    @Test("a tied head is read although it is the embedding")
    func tied() throws {
        #expect(try traffic("llama3-tied", tokens: 1).headParameters == 61 * 32)
    }

    @Test("of a mixture, the experts count that the tokens choose")
    func mixture() throws {
        // Four layers of qkv, output and router 4*32 beside experts of (48 + 24) * 32, two of four chosen.
        let others = 64 * 32 + 32 * 32 + 4 * 32
        let expert = 72 * 32
        let one = try traffic("mixtral", tokens: 1)
        #expect(one.parametersPerToken == Double(4 * (others + 2 * expert)))
        // Two tokens leave an expert out with probability 1/4.
        let more = try traffic("mixtral", tokens: 2).bytes - one.bytes
        #expect(abs(more - Double(4 * 4 * expert * 4) * 0.25) < 1)
    }

    @Test("an offline run computes the prompt and decodes every step's batch, however prompts were spread over steps")
    func offline() throws {
        let checkpoint = try TinyCheckpoint.make("qwen3")
        let recipe = TinyCheckpoint.recipe(tokens: 8)
        let runner = try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: CPUBackend(threads: 1))
        let scheduler = try recipe.schedulerConfiguration(
            blockCount: runner.totalBlocks, modelLength: 64, endTokens: [])
        let configuration = EngineConfiguration(scheduler: scheduler, vocabularySize: runner.vocabularySize)
        let run = OfflineRun(configuration, executor: runner)
        for _ in 0..<2 {
            let prefill = run.prefill(tokens: 20)
            #expect(prefill.tokens == 20)
            // Eight tokens per step at most.
            #expect(prefill.steps == 3)
            let decode = run.decode(batch: 4, depth: 5, steps: 6)
            #expect(decode.steps == 6)
            #expect(decode.tokens == 24)
            #expect(decode.forwardSeconds > 0)
            #expect((0...1).contains(decode.overhead))
        }
    }

    @Test("the median is the middle of an odd number and between the middles of an even one")
    func samples() {
        #expect(Samples([3, 1, 2]).median == 2)
        #expect(Samples([4, 1, 2, 3]).median == 2.5)
        #expect(Samples().median == 0)
        #expect(Samples([3, 1, 2]).least == 1)
        #expect(Samples([3, 1, 2]).greatest == 3)
    }

    @Test("peaks are measured at every level; a level without an instruction has none")
    func peaks() throws {
        for level in CPUInstructionSet.supported {
            let meter = try PeakMeter(CPUBackend(threads: 1, instructionSet: level))
            for peak in [Peak.read, .cachedRead, .float32] { #expect(try #require(meter.measure(peak)) > 0) }
            #expect((meter.measure(.bfloat16) != nil) == level.roundsToBF16)
            #expect((meter.measure(.int8) != nil) == level.multipliesBytes)
        }
    }

    @Test("kernel cases have names of their own and count their work")
    func cases() {
        let all = KernelCase.all()
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(all.allSatisfy { $0.bytes > 0 })
        let linear = KernelCase.linear("bf16", .plain(.bfloat16), rows: 3, inputs: 10, outputs: 64)
        #expect(linear.operations == 3840)
        #expect(linear.bytes == Double(1280 + 12 * 74))
        // Queries at 2 and 3 see 3 and 4 keys: 7 pairs of 4 operations per component, 8 heads of 16.
        let heads = KernelCase.Heads(queries: 8, keys: 2, dimension: 16)
        let attention = KernelCase.attention(heads, .float16, requests: 1, rows: 2, context: 2)
        #expect(attention.operations == 3584)
        #expect(attention.bytes == Double(512 + 8 * 256))
    }

    @Test("every family of kernels runs")
    func running() throws {
        let timer = try KernelTimer(CPUBackend(threads: 2), rounds: 1, roundSeconds: 0)
        let heads = KernelCase.Heads(queries: 4, keys: 2, dimension: 16)
        var cases = KernelCase.weightFormats.flatMap { name, format in
            [
                KernelCase.linear(name, format, rows: 2, inputs: 64, outputs: 64, coldBytes: 1 << 16),
                .packing(name, format, inputs: 64, outputs: 64),
            ]
        }
        cases += CacheFormat.allCases.flatMap { format in
            [
                KernelCase.attention(heads, format, requests: 2, rows: 3, context: 20, coldBytes: 1 << 16),
                .place(heads, rows: 3, storing: format),
            ]
        }
        cases += [
            .norm(rows: 2, columns: 64, adding: false), .norm(rows: 2, columns: 64, adding: true),
            .activation(rows: 2, columns: 64), .place(heads, rows: 3, storing: nil),
        ]
        cases += KernelCase.SamplingPass.allCases.map { .sampling($0, vocabulary: 1000) }
        for kernel in cases {
            let timing = try timer.time(kernel)
            #expect(timing.seconds.median > 0)
            #expect(timing.share > 0)
        }
    }
}
