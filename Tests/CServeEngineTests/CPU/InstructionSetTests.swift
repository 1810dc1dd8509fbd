// Which level is chosen, and that a level which computes wrongly is not.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct InstructionSetTests {
    private static let right: [Float] = [1, -2, 300]

    @Test("Tiles are used where they give the next level's products, but for the order of sums")
    func tilesAgree() {
        let choice = InstructionSetChoice.widest(.amx) { $0 == .amx ? [1.0005, -2, 300.1] : Self.right }
        #expect(choice == InstructionSetChoice(level: .amx, refused: nil))
    }

    @Test(
        "Tiles that give other products, too few or no numbers are refused, and the next level is used",
        arguments: [[1, -2.1, 300], [1, -2, .nan], [1, -2], []] as [[Float]])
    func tilesDiffer(_ wrong: [Float]) {
        let choice = InstructionSetChoice.widest(.amx) { $0 == .amx ? wrong : Self.right }
        #expect(choice == InstructionSetChoice(level: .avx512bf16, refused: .amx))
    }

    @Test("Levels without tiles are taken without a check")
    func vectors() {
        let choice = InstructionSetChoice.widest(.avx2) { _ in
            Issue.record("nothing is to be computed")
            return []
        }
        #expect(choice.level == .avx2)
    }

    @Test("The check's products are those of every level that multiplies alike, and a single wrong one is seen")
    func products() throws {
        for rounds in [false, true] {
            let levels = CPUInstructionSet.supported.filter { $0.roundsToBF16 == rounds }
            guard let first = levels.first else { continue }
            let expected = InstructionSetCheck.products(first)
            #expect(expected.count == 2 * 41 * 96 && !expected.contains { $0.isNaN })
            for level in levels {
                #expect(InstructionSetCheck.agree(InstructionSetCheck.products(level), expected), "\(level)")
            }
            var wrong = expected
            wrong[1000] += 0.1
            #expect(!InstructionSetCheck.agree(wrong, expected))
        }
    }

    @Test("A level is named as kernels are, and others are refused with a list")
    func names() throws {
        #expect(try InstructionSetChoice.named("avx512").level == .avx512)
        #expect(
            throws: CPUBackendError.unknownInstructionSet(name: "mmx", supported: CPUInstructionSet.supported)
        ) {
            try InstructionSetChoice.named("mmx")
        }
    }

    @Test("The backend's title says which level was refused")
    func title() throws {
        let cpu = try CPUBackend(threads: 1, choice: InstructionSetChoice(level: .portable, refused: .amx))
        #expect(cpu.title == "cpu (portable; amx gave wrong products and is not used)")
    }
}
