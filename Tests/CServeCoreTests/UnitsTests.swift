// Amounts of memory print as people read them.

import CServeCore
import Testing

@Test(
    "Memory prints with three digits in decimal units",
    arguments: [
        (0, "0 B"), (512, "512 B"), (1_310_720, "1.31 MB"), (26_030_000_000, "26 GB"), (141_107_400_000, "141 GB"),
        (-2_500, "-2.5 kB"), (1_000_000_000_000, "1 TB"),
    ])
func memoryPrints(bytes: Int, text: String) {
    #expect(ByteCount(bytes).description == text)
}

@Test("Memory adds, scales and compares")
func memoryArithmetic() {
    let block = ByteCount(1024)
    #expect(block * 3 - block == block + block)
    #expect(ByteCount.gigabytes(24) < .gibibytes(24))
    #expect((3 * Nanoseconds.second).seconds == 3)
}
