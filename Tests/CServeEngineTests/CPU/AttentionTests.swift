// Attention over the paged cache against the oracle, and bit for bit against itself in other company.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct AttentionTests {
    /// One layer's shape over a cache of a block size.
    struct Case: CustomStringConvertible {
        var shape: AttentionShape
        var blockSize: Int
        var format: CacheFormat

        var description: String {
            "\(shape.heads)/\(shape.kvHeads) heads of \(shape.headDim), window \(shape.window ?? 0), "
                + "cap \(shape.softcap ?? 0), blocks of \(blockSize), \(format)"
        }
    }

    static let cases: [Case] = [
        case_(4, 4, 8, nil, nil, 16, .float32), case_(4, 2, 16, nil, nil, 16, .bfloat16),
        case_(8, 1, 64, nil, nil, 32, .float16), case_(3, 3, 80, 5, nil, 16, .float32),
        case_(8, 2, 96, 70, 30, 8, .bfloat16), case_(2, 1, 256, nil, 50, 5, .float32),
        case_(64, 1, 32, 1, nil, 128, .float16), case_(6, 3, 128, 64, nil, 16, .bfloat16),
    ]

    private static func case_(
        _ heads: Int, _ kvHeads: Int, _ dim: Int, _ window: Int?, _ cap: Float?, _ block: Int, _ format: CacheFormat
    ) -> Case {
        let scale = 3 / Float(dim).squareRoot()
        return Case(
            shape: AttentionShape(
                heads: heads, kvHeads: kvHeads, headDim: dim, scale: scale, window: window, softcap: cap),
            blockSize: block, format: format)
    }

    @Test("Every query attends like the oracle's on every instruction set", arguments: cases.indices)
    func oracle(_ index: Int) throws {
        let item = Self.cases[index]
        var random = Uniform(seed: UInt64(index + 1))
        let requests = [5, 67].map { Matrix($0, item.columns, &random) }
        let chunks = requests.map { [0..<$0.rows] }
        let expected = try Reference().attend(requests, chunks: chunks, item)
        for level in CPUInstructionSet.supported {
            let found = try CPUBackend(threads: 2, instructionSet: level).attend(requests, chunks: chunks, item)
            for (a, b) in zip(found, expected) { #expect(a.distance(to: b) < 5e-6, "\(item) on \(level)") }
        }
    }

    @Test("A query's result is the same alone, chunked and batched", arguments: CPUInstructionSet.supported)
    func invariant(_ level: CPUInstructionSet) throws {
        for (index, item) in Self.cases.enumerated() {
            var random = Uniform(seed: UInt64(index + 100))
            let requests = [140, 67, 3].map { Matrix($0, item.columns, &random) }
            let together = try CPUBackend(threads: 1, instructionSet: level)
                .attend(requests, chunks: requests.map { [0..<$0.rows] }, item)
            let chunked = try CPUBackend(threads: 2, instructionSet: level).attend(
                requests, chunks: [[0..<1, 1..<17, 17..<81, 81..<139, 139..<140], [0..<64, 64..<67], [0..<3]], item)
            #expect(chunked == together, "\(item) on \(level), chunked")
            let single = try CPUBackend(threads: 3, instructionSet: level).attend(
                [requests[1]], chunks: [(0..<67).map { $0..<($0 + 1) }], item)
            #expect(single == [together[1]], "\(item) on \(level), token by token")
        }
    }

    @Test("Copied blocks read like their originals in every layer")
    func copies() throws {
        let cpu = try CPUBackend(threads: 1)
        let plan = KVCachePlan(layers: 2, blocks: 4, blockSize: 16, kvHeads: 2, headDim: 8, format: .float16)
        let cache = cpu.cache(in: try cpu.allocate("cache", bytes: plan.bytes), plan: plan)
        let shape = AttentionShape(heads: 2, kvHeads: 2, headDim: 8, scale: 1)
        var random = Uniform(seed: 9)
        let qkv = try cpu.buffer(Matrix(16, 48, &random))
        var first = BatchInputs(blockSize: 16)
        first.append(tokens: [Int32](repeating: 0, count: 16), start: 0, blockTable: [1], wanted: .none)
        cpu.store(qkv, heads: shape, into: cache, layer: 1, batch: first)
        cpu.copyBlocks([BlockCopy(source: 1, destination: 3)], in: cache)
        var second = BatchInputs(blockSize: 16)
        second.append(tokens: [Int32](repeating: 0, count: 16), start: 0, blockTable: [3], wanted: .none)
        let outs = try [first, second].map { batch in
            let out = try cpu.blank(16, 16)
            cpu.attend(qkv, heads: shape, cache: cache, layer: 1, batch: batch, into: out)
            return cpu.matrix(out, rows: 16, columns: 16)
        }
        #expect(outs[0] == outs[1])
    }
}

extension AttentionTests.Case {
    var columns: Int { (shape.heads + 2 * shape.kvHeads) * shape.headDim }
}

extension Backend {
    /// Computes requests chunk by chunk, all requests' n-th chunks in one batch; returns each request's outputs.
    fileprivate func attend(_ requests: [Matrix], chunks: [[Range<Int>]], _ item: AttentionTests.Case) throws
        -> [Matrix]
    {
        let width = item.shape.heads * item.shape.headDim
        let perRequest = 140 / item.blockSize + 2
        let plan = KVCachePlan(
            layers: 2, blocks: perRequest * requests.count, blockSize: item.blockSize, kvHeads: item.shape.kvHeads,
            headDim: item.shape.headDim, format: item.format)
        let cache = cache(in: try allocate("cache", bytes: plan.bytes), plan: plan)
        var results = requests.map { Matrix($0.rows, width, .init(repeating: .nan, count: $0.rows * width)) }
        for turn in 0..<(chunks.map(\.count).max() ?? 0) {
            var inputs = BatchInputs(blockSize: item.blockSize)
            var rows: [Float] = []
            let active = requests.indices.filter { turn < chunks[$0].count }
            for request in active {
                let range = chunks[request][turn]
                // Blocks of a request lie apart and out of order.
                let table = (0..<perRequest).map { Int32((perRequest - 1 - $0) * requests.count + request) }
                inputs.append(
                    tokens: range.map { Int32($0) }, start: range.lowerBound, blockTable: table, wanted: .none)
                rows += requests[request].rows(range).values
            }
            let count = inputs.tokens.count
            let qkv = try buffer(Matrix(count, item.columns, rows))
            let out = try blank(count, width)
            let batch = try prepare(inputs)
            store(qkv, heads: item.shape, into: cache, layer: 1, batch: batch)
            attend(qkv, heads: item.shape, cache: cache, layer: 1, batch: batch, into: out)
            let found = matrix(out, rows: count, columns: width)
            var row = 0
            for request in active {
                let range = chunks[request][turn]
                results[request].values.replaceSubrange(
                    (range.lowerBound * width)..<(range.upperBound * width),
                    with: found.rows(row..<(row + range.count)).values)
                row += range.count
            }
        }
        return results
    }
}
