// The thread pool: every item once, many pools at once, and errors of the backend's options.

import CKernels
import Testing

@testable import CServeEngine

@Suite struct PoolTests {
    @Test("Every item of every job is computed exactly once", arguments: [1, 2, 3, 8])
    func items(_ threads: Int32) throws {
        let pool = try #require(cs_pool_create(threads))
        defer { cs_pool_destroy(pool) }
        for items in [1, 2, 7, 1000] {
            for grain: Int32 in [1, 3, 64] {
                var counts = [Int32](repeating: 0, count: items)
                for _ in 0..<20 {
                    counts.withUnsafeMutableBufferPointer { counts in
                        cs_pool_run(
                            pool,
                            { context, _, first, last in
                                guard let counts = context?.assumingMemoryBound(to: Int32.self) else { return }
                                for i in Int(first)..<Int(last) { counts[i] += 1 }
                            }, counts.baseAddress, Int32(items), grain)
                    }
                }
                #expect(counts.allSatisfy { $0 == 20 })
            }
        }
    }

    @Test("Pools come and go while others work")
    func churn() async throws {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<50 {
                        guard let pool = cs_pool_create(3) else { return }
                        var sum: Int32 = 0
                        cs_pool_run(pool, { _, _, _, _ in }, &sum, 100, 1)
                        cs_pool_destroy(pool)
                    }
                }
            }
        }
    }

    @Test("A backend that cannot be made says why and what to do")
    func errors() {
        let missing = CPUInstructionSet.allCases.first { !CPUInstructionSet.supported.contains($0) }
        if let missing {
            #expect(
                throws: CPUBackendError.instructionSetNotSupported(
                    asked: missing, supported: CPUInstructionSet.supported)
            ) {
                try CPUBackend(instructionSet: missing)
            }
        }
        #expect(throws: CPUBackendError.threadsOutOfRange(threads: 0)) { try CPUBackend(threads: 0) }
        #expect(throws: CPUBackendError.threadsRefused(threads: 5000)) { try CPUBackend(threads: 5000) }
        let errors: [(CPUBackendError, String)] = [
            (
                .instructionSetNotSupported(asked: .neon, supported: [.portable, .avx2]),
                "This machine does not run neon. Choose one of: portable, avx2."
            ),
            (
                .unknownInstructionSet(name: "mmx", supported: [.portable, .avx2]),
                "CSERVE_CPU_ISA is mmx. Use one of: portable, avx2, or unset it."
            ),
            (
                .threadsOutOfRange(threads: 0),
                "The CPU backend was asked for 0 threads. Use --threads 1 or more, or leave it out to use every core."
            ),
            (
                .threadsRefused(threads: 2),
                "The system refused 2 threads with 2097152 bytes of scratch. Use fewer --threads."
            ),
        ]
        for (error, message) in errors { #expect(error.description == message) }
    }
}
