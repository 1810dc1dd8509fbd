import CServeCore
import Testing

@testable import CServeCost

@Suite("Step traffic")
struct StepTrafficTests {
    @Test("TP sends a ring's share of two sums per layer, PP one message, copies nothing")
    func divisions() throws {
        func bytes(_ tensor: Int, _ pipeline: Int) throws -> Int {
            StepTraffic(
                try CostShapes.placement(CostShapes.a100(), Parallelism(tensor: tensor, pipeline: pipeline))
            ).bytes(tokens: 64)
        }
        // Llama-3-8B: 32 layers of width 4096; 64 tokens of 8192 bytes are a message of 524,288 bytes.
        #expect(try bytes(1, 1) == 0)
        // 65 sums, of each 2 x 3/4 of the message.
        #expect(try bytes(4, 1) == 65 * 524_288 * 3 / 2)
        #expect(try bytes(1, 4) == 524_288)
        // 16 layers a stage: 33 sums, of each 2 x 1/2 of the message, and one message to the next stage.
        #expect(try bytes(2, 2) == 33 * 524_288 + 524_288)
    }
}
