// Attention over the paged cache against the oracle, and bit for bit against itself in other company.

import CKernels
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

    /// Groups of 1 to 64 heads, widths below, at and beside the 16 lanes up to the widest head, blocks of whole runs of 16
    /// positions and others, windows within a tile and beyond, caps; every format in both layouts.
    static let cases: [Case] = [
        case_(4, 4, 8, nil, nil, 16, .float32), case_(4, 2, 16, nil, nil, 16, .bfloat16),
        case_(8, 1, 64, nil, nil, 32, .float16), case_(3, 3, 80, 5, nil, 16, .float32),
        case_(8, 2, 96, 70, 30, 8, .bfloat16), case_(2, 1, 256, nil, 50, 5, .float32),
        case_(64, 1, 32, 1, nil, 128, .float16), case_(6, 3, 128, 64, nil, 16, .bfloat16),
        case_(7, 1, 64, nil, nil, 16, .int8), case_(5, 5, 33, 40, nil, 3, .int8),
        case_(10, 2, 48, nil, 20, 16, .fp8), case_(3, 1, 7, nil, nil, 1, .fp8),
        case_(2, 2, 64, 65, nil, 1024, .bfloat16), case_(16, 1, 112, nil, nil, 48, .int8),
        case_(2, 1, 1024, nil, nil, 16, .bfloat16), case_(1, 1, 1000, nil, nil, 16, .float16),
        case_(4, 1, 64, 100, nil, 64, .fp8), case_(2, 1, 33, nil, nil, 16, .bfloat16),
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
        // The oracle's sums are double, its cache rounded alike.
        let expected = try Reference().attend(requests, chunks: chunks, item)
        for level in CPUInstructionSet.supported {
            let found = try CPUBackend(threads: 2, instructionSet: level).attend(requests, chunks: chunks, item)
            let tolerance = item.tolerance(on: level)
            for (a, b) in zip(found, expected) { #expect(a.distance(to: b) < tolerance, "\(item) on \(level)") }
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

    @Test("A context split into spans over threads has the bits of one that is not", arguments: CacheFormat.allCases)
    func spans(_ format: CacheFormat) throws {
        // 1,100 positions are three spans; 600 of window begin within one.
        for item in [Self.case_(4, 1, 16, nil, nil, 16, format), Self.case_(3, 1, 32, 600, nil, 5, format)] {
            var random = Uniform(seed: 7)
            let requests = [1100, 530].map { Matrix($0, item.columns, &random) }
            for level in CPUInstructionSet.supported {
                let whole = try CPUBackend(threads: 1, instructionSet: level)
                    .attend(requests, chunks: requests.map { [0..<$0.rows] }, item)
                // Four threads split what one row of one or two requests needs.
                let tails = [[0..<1090] + (1090..<1100).map { $0..<($0 + 1) }, [0..<511, 511..<513, 513..<530]]
                let split = try CPUBackend(threads: 4, instructionSet: level).attend(requests, chunks: tails, item)
                #expect(split == whole, "\(item) on \(level)")
            }
            let expected = try Reference().attend([requests[1]], chunks: [[0..<530]], item)
            let found = try CPUBackend(threads: 2).attend([requests[1]], chunks: [[0..<530]], item)
            #expect(found[0].distance(to: expected[0]) < item.tolerance(on: .best))
        }
    }

    @Test("A key that is not finite makes what sees it NaN, and nothing else", arguments: CacheFormat.allCases)
    func notFinite(_ format: CacheFormat) throws {
        let item = Self.case_(2, 1, 16, nil, nil, 16, format)
        var random = Uniform(seed: 8)
        var broken = Matrix(20, item.columns, &random)
        let whole = Matrix(20, item.columns, &random)
        broken.values[10 * item.columns + 2 * 16 + 3] = .nan
        let found = try CPUBackend(threads: 1).attend(
            [broken, whole], chunks: [[0..<10, 10..<11, 11..<20], [0..<20]], item)
        let width = item.shape.heads * item.shape.headDim
        #expect(found[0].values[..<(10 * width)].allSatisfy { $0.isFinite })
        #expect(found[0].values[(10 * width)...].allSatisfy { $0.isNaN })
        #expect(found[1].values.allSatisfy { $0.isFinite })
    }

    @Test("The plan's bytes of a block are the kernels'")
    func bytes() {
        for format in CacheFormat.allCases {
            for (heads, dim, size) in [(1, 1, 1), (4, 64, 16), (3, 7, 5), (12, 80, 128), (1, 1024, 1024)] {
                let plan = KVCachePlan(
                    layers: 1, blocks: 1, blockSize: size, kvHeads: heads, headDim: dim, format: format)
                #expect(
                    plan.bytesPerBlock
                        == cs_kv_block_bytes(format.kernelType, Int32(heads), Int32(dim), Int32(size)))
            }
        }
    }

    @Test("Copied blocks read like their originals in every layer", arguments: CacheFormat.allCases)
    func copies(_ format: CacheFormat) throws {
        let cpu = try CPUBackend(threads: 1)
        let plan = KVCachePlan(layers: 2, blocks: 4, blockSize: 16, kvHeads: 2, headDim: 8, format: format)
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

    /// How far a result may lie from the oracle's, for keys and values of at most 1.
    func tolerance(on level: CPUInstructionSet) -> Float {
        let isDot = level.roundsToBF16 && [.bfloat16, .int8, .fp8].contains(format)
        // bf16 dots round a query and a weight by at most 2^-9 of it: the weights' errors average out, those of the scores
        // (of a few units at most) weigh in full.
        return isDot ? 8e-3 : 1e-5
    }
}

extension Backend {
    /// Computes requests chunk by chunk, all requests' n-th chunks in one batch; returns each request's outputs.
    fileprivate func attend(_ requests: [Matrix], chunks: [[Range<Int>]], _ item: AttentionTests.Case) throws
        -> [Matrix]
    {
        let width = item.shape.heads * item.shape.headDim
        let perRequest = (requests.map(\.rows).max() ?? 0) / item.blockSize + 2
        let plan = KVCachePlan(
            layers: 2, blocks: perRequest * requests.count, blockSize: item.blockSize, kvHeads: item.shape.kvHeads,
            headDim: item.shape.headDim, format: item.format)
        let cache = cache(in: try allocate("cache", bytes: plan.bytes), plan: plan)
        // What other requests left behind is anything: here, numbers that are none.
        (cache as? PagedKVCache)?.memory.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: plan.bytes)
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
