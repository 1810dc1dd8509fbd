// What `cserve fidelity --only claims` rests on: no folder, the placing of its cases, the search for break-evens.

import Testing

@testable import cserve

@Suite struct FidelityClaimsTests {
    @Test("Only the claims need no folder of measurements")
    func folder() throws {
        #expect(try Fidelity.parse(["--only", "claims"]).data == nil)
        for arguments in [[], ["--only", "serving"]] as [[String]] {
            let command: Fidelity = try Fidelity.parse(arguments)
            #expect(throws: (any Error).self) { try command.checkData() }
        }
        let result: CommandResult = try Command.run(["fidelity"])
        #expect(result.status != 0)
        #expect(result.errors.contains("Name a folder of measurements with --data."), "\(result.errors)")
    }

    @Test("Llama-2-13B in 16 bits fits an L4 only with weights in host memory, and more of them leave more room")
    func streaming() throws {
        let bench: ClaimBench = try ClaimBench()
        let one = ClaimCase(model: "llama-2-13b", accelerator: "l4", workload: "batch")
        // 13.0 billion weights of two bytes are 26 GB; an L4 has 23.7.
        #expect(try bench.budget(one) == nil)
        let half: Int = try #require(try bench.budget(one.offloading(0.5))).kvTokens
        let most: Int = try #require(try bench.budget(one.offloading(0.8))).kvTokens
        // 0.3 of 40 layers with 635 MB of matrices each are 7.6 GB; a token's keys and values take 819,200 bytes. Two
        // layers' streamed parts pass through buffers: 2 x 0.3 x 635 MB less.
        let expected: Double = (0.3 * 40 - 2 * 0.3) * 634_388_480 / 819_200
        #expect(abs(Double(most - half) / expected - 1) < 0.01, "\(half) and \(most)")
    }

    @Test("A case's name tells how its accelerators are divided; what is left over makes copies")
    func names() {
        var one = ClaimCase(model: "llama-3-8b", accelerator: "l4", count: 4, workload: "batch")
        #expect(one.name == "4xl4 dp4")
        (one.tensor, one.pipeline) = (2, 2)
        #expect(one.name == "4xl4 tp2 pp2")
        #expect(one.replicas == 1)
    }

    @Test("The break-even search brackets a threshold and tells where there is none")
    func bisection() throws {
        let found: Double = try #require(Bisection.least(from: 1, to: 1000, within: 0.1) { $0 >= 42 })
        #expect(found >= 42 && found <= 42 * 1.1)
        #expect(Bisection.least(from: 1, to: 10, within: 0.1) { $0 > 10 } == nil)
        #expect(Bisection.least(from: 3, to: 10, within: 0.1) { _ in true } == 3)
    }
}
