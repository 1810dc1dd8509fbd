// Randomness by counter: a request's numbers depend on its seed and on positions, never on its company or on threads.

import CServeCore

/// Philox4x32-10, a counter-based generator.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Random123).
enum Philox {
    /// Four random words for a counter under a key.
    static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let first: UInt64 = 0xD251_1F53 &* UInt64(counter[0])
            let second: UInt64 = 0xCD9E_8D57 &* UInt64(counter[2])
            counter = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ counter[1] ^ key[0], UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ counter[3] ^ key[1], UInt32(truncatingIfNeeded: first))
            key[0] &+= 0x9E37_79B9
            key[1] &+= 0xBB67_AE85
        }
        return counter
    }

    /// A uniform number in [0, 1) with 53 random bits.
    static func uniform(stream: RandomStream, position: Int) -> Double {
        let index = UInt64(truncatingIfNeeded: position)
        let words = block(
            counter: SIMD4(
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), stream.branch, stream.domain
            ),
            key: SIMD2(UInt32(truncatingIfNeeded: stream.seed), UInt32(truncatingIfNeeded: stream.seed >> 32)))
        let bits = (UInt64(words[0]) << 32 | UInt64(words[1])) >> 11
        return Double(bits) * 0x1p-53
    }
}

/// Names one branch's sequence of random numbers.
struct RandomStream: Hashable, Sendable {
    /// The request's seed, or one made of the engine's seed and the request's name.
    var seed: UInt64
    /// The branch.
    var branch: UInt32
    /// 0 for requests with a seed of their own, 1 for others: their streams never meet.
    var domain: UInt32

    /// The stream of a branch of a request.
    init(request: Request, branch: Int, engineSeed: UInt64) {
        self.branch = UInt32(truncatingIfNeeded: branch)
        if let seed = request.sampling.seed {
            self.seed = seed
            domain = 0
        } else {
            seed = RandomStream.mix(engineSeed &+ RandomStream.mix(request.id.value))
            domain = 1
        }
    }

    /// SplitMix64's finaliser (Steele et al. 2014).
    static func mix(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
