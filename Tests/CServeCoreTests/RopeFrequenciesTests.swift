// Rotary frequencies against the numbers that transformers 5.23 computes (modeling_rope_utils.py, ROPE_INIT_FUNCTIONS).

import Testing

@testable import CServeCore

@Suite struct RopeFrequenciesTests {
    /// hidden_size 64, 4 heads, max_position_embeddings 512, rope_theta 10000; the case's engine length.
    private func frequencies(_ rope: String, length: Int = 512) throws -> RopeFrequencies {
        let config = """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 10,
             "intermediate_size": 8, "num_hidden_layers": 1, "max_position_embeddings": 512, "rope_parameters": \(rope)}
            """
        let shape = try ModelShape.parse(config: Array(config.utf8))
        return RopeFrequencies(shape.rope, headDim: 16, maxModelLength: length, maxPositions: 512)
    }

    private func expect(_ found: RopeFrequencies, _ expected: [Float], factor: Float) {
        #expect(found.inverse.count == expected.count)
        for (a, b) in zip(found.inverse, expected) { #expect(abs(a - b) <= 1e-6 * b) }
        #expect(abs(found.attentionFactor - factor) < 1e-6)
    }

    @Test("linear divides every frequency")
    func linear() throws {
        let found = try frequencies(#"{"rope_type": "linear", "factor": 4.0}"#)
        let expected: [Float] = [
            0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012,
            7.90569466e-05,
        ]
        expect(found, expected, factor: 1)
    }

    @Test("dynamic raises the base for the engine's length, and leaves shorter ones alone")
    func dynamic() throws {
        let rope = #"{"rope_type": "dynamic", "factor": 4.0}"#
        let expected: [Float] = [
            1, 0.251273751, 0.0631385073, 0.0158650484, 0.0039864704, 0.0010016954, 0.000251699792, 6.32455485e-05,
        ]
        expect(try frequencies(rope, length: 1024), expected, factor: 1)
        #expect(try frequencies(rope, length: 100).inverse == frequencies(#"{"rope_type": "default"}"#).inverse)
    }

    @Test("llama3 leaves short waves, divides long ones, and blends between")
    func llama3() throws {
        let found = try frequencies(
            #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}"#
        )
        let expected: [Float] = [
            1, 0.244384587, 0.0130422562, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-05,
        ]
        expect(found, expected, factor: 1)
    }

    @Test("yarn ramps between the two, with its attention factor in both forms")
    func yarn() throws {
        let plain = try frequencies(#"{"type": "yarn", "factor": 8, "original_max_position_embeddings": 64}"#)
        let expected: [Float] = [
            1, 0.223994657, 0.0416666642, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-05,
        ]
        expect(plain, expected, factor: 1.2079442)
        let scaled = try frequencies(
            #"{"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 64, "mscale": 0.7, "mscale_all_dim": 0.3, "truncate": false, "beta_fast": 4}"#
        )
        let other: [Float] = [
            1, 0.272999018, 0.0136626968, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-05,
        ]
        expect(scaled, other, factor: 1.0782935)
    }

    @Test("longrope takes short or long factors by the engine's length")
    func longrope() throws {
        let rope =
            #"{"rope_type": "longrope", "short_factor": [1,1.1,1.2,1.3,1.4,1.5,1.6,1.7], "long_factor": [2,3,4,5,6,7,8,9], "original_max_position_embeddings": 64}"#
        let short: [Float] = [
            1, 0.287479758, 0.0833333358, 0.0243252143, 0.00714285718, 0.00210818532, 0.000624999986, 0.000186016332,
        ]
        let long: [Float] = [
            0.5, 0.10540925, 0.0250000004, 0.00632455572, 0.00166666671, 0.000451753964, 0.000125000006, 3.51364179e-05,
        ]
        expect(try frequencies(rope, length: 64), short, factor: 1.2247449)
        expect(try frequencies(rope, length: 65), long, factor: 1.2247449)
    }
}
