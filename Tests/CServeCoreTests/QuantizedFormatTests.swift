// One format for several: the narrowest that holds all, worked out by hand from docs/design/0007.

import Testing

@testable import CServeCore

@Suite struct QuantizedFormatTests {
    private typealias Format = QuantizedFormat

    @Test("The common format is the narrowest that holds both")
    func holding() {
        let cases: [(Format, Format, Format?)] = [
            (Format(.int8), Format(.int8), Format(.int8)),
            (
                Format(.int4, group: 32, scale: .bfloat16), Format(.int4, group: 32, scale: .bfloat16),
                Format(.int4, group: 32, scale: .bfloat16)
            ),
            (
                Format(.int4, group: 128, scale: .float16), Format(.int8, group: 32, scale: .float16),
                Format(.int8, group: 32, scale: .float16)
            ),
            (Format(.int4, group: 64), Format(.int8), Format(.int8, group: 64)),
            (
                Format(.int4, group: 64, scale: .float16), Format(.int4, group: 64, scale: .bfloat16),
                Format(.int4, group: 64)
            ),
            // A minimum of 128 scales is beyond a half's range where the scale is above 512.
            (
                Format(.int8, group: 16, scale: .float16), Format(.int4, group: 32, scale: .float16, hasMinimums: true),
                Format(.int8, group: 16, scale: .float32, hasMinimums: true)
            ),
            (
                Format(.int4, group: 32, scale: .bfloat16, hasMinimums: true), Format(.int4, scale: .bfloat16),
                Format(.int4, group: 32, scale: .bfloat16, hasMinimums: true)
            ),
            (Format(.fp8), Format(.fp8, group: 128), Format(.fp8, group: 128)),
            (Format(.fp8), Format(.int8), nil), (Format(.int4, group: 32), Format(.fp8, group: 128), nil),
        ]
        for (first, second, expected) in cases {
            #expect(first.holding(second) == expected)
            #expect(second.holding(first) == expected)
        }
    }

    @Test("A slice has the largest group that begins with it")
    func sliced() {
        let format = Format(.int4, group: 128, scale: .float16)
        for (first, group) in [(0, 128), (256, 128), (64, 64), (96, 32), (48, 16)] {
            #expect(format.sliced(at: first) == Format(.int4, group: group, scale: .float16))
        }
        #expect(format.sliced(at: 24) == nil)
        #expect(Format(.int8).sliced(at: 7) == Format(.int8))
        #expect(Format(.int8, group: 16).sliced(at: 8) == nil)
    }

    @Test("Quantising on load leaves norms, routers and gates, and keeps eight bits outside the layers")
    func onLoad() throws {
        let shape = try ModelShape.parse(config: ModelShapeTests.config("Qwen2MoeForCausalLM"))
        for quantization in Quantization.allCases {
            let layouts = WeightLayouts(quantization, plain: .bfloat16, shape: shape) { WeightLayout(format: $0) }
            func format(_ role: WeightRole, _ layer: Int?) -> WeightFormat {
                layouts[WeightItem(role: role, layer: layer, expert: nil, rows: 1, columns: 1, hasBias: false)].format
            }
            #expect(format(.router, 1) == .plain(.bfloat16) && format(.sharedGate, 0) == .plain(.bfloat16))
            for role in [WeightRole.qkv, .output, .gateUp, .down, .expertGateUp, .expertDown, .sharedDown] {
                #expect(format(role, 2) == quantization.format(role).map { .quantized($0) })
            }
            for role in [WeightRole.embedding, .head] {
                #expect(format(role, nil) == quantization.format(role).map { .quantized($0) })
            }
        }
        #expect(Quantization.int4.format(.down)?.code == .int4 && Quantization.int4.format(.head)?.code == .int8)
    }
}
