// Attention over the paged cache: prompts and decodes.

import CServeCore

extension KernelCase {
    /// A model's heads.
    public struct Heads: Hashable, Sendable {
        /// Query heads.
        public var queries: Int
        /// Key and value heads.
        public var keys: Int
        /// Numbers per head.
        public var dimension: Int

        /// Describes heads.
        public init(queries: Int, keys: Int, dimension: Int) {
            self.queries = queries
            self.keys = keys
            self.dimension = dimension
        }

        /// TinyLlama-1.1B's.
        public static let tinyLlama = Heads(queries: 32, keys: 4, dimension: 64)
    }

    /// Attention of `requests` requests, each with `rows` new tokens behind `context` cached ones.
    /// - Parameter coldBytes: Bytes of cache that calls go round in, layer by layer; 0 for one layer.
    public static func attention(
        _ heads: Heads, _ format: CacheFormat, requests: Int, rows: Int, context: Int,
        coldBytes: Int = KernelCase.coldBytes
    ) -> KernelCase {
        let length = context + rows
        // Row i sees context + i + 1 positions.
        let pairs = requests * rows * (2 * context + rows + 1) / 2
        let cached = requests * heads.keys * format.headBytes(positions: length, headDim: heads.dimension)
        let name = "attention \(format.rawValue) \(heads.queries)/\(heads.keys)x\(heads.dimension)"
        return KernelCase(
            family: "attention", name: "\(name) b\(requests) q\(rows) at \(context)",
            operations: 4 * Double(pairs * heads.queries * heads.dimension),
            bytes: Double(cached + 8 * requests * rows * heads.queries * heads.dimension),
            source: coldBytes > 0 ? .read : .cachedRead
        ) { backend in
            let layers = min(64, max(1, coldBytes / cached))
            let blocks = (length + 15) / 16
            let plan = KVCachePlan(
                layers: layers, blocks: blocks * requests, blockSize: 16, kvHeads: heads.keys,
                headDim: heads.dimension, format: format)
            let memory = try backend.allocate("A kernel's cache", bytes: plan.bytes)
            let cache = backend.cache(in: memory, plan: plan)
            var batch = BatchInputs(blockSize: 16)
            for request in 0..<requests {
                let table = (request * blocks..<(request + 1) * blocks).map { Int32($0) }
                batch.append(
                    tokens: [Int32](repeating: 1, count: rows), start: context, blockTable: table, wanted: .none)
            }
            let qkv = try KernelNumbers.buffer(backend, rows: max(length, requests * rows), columns: heads.width)
            for request in 0..<requests {
                var stored = BatchInputs(blockSize: 16)
                let table = (request * blocks..<(request + 1) * blocks).map { Int32($0) }
                stored.append(
                    tokens: [Int32](repeating: 1, count: length), start: 0, blockTable: table, wanted: .none)
                for layer in 0..<layers {
                    backend.store(qkv, heads: heads.shape, into: cache, layer: layer, batch: stored)
                }
            }
            let out = try KernelNumbers.buffer(
                backend, rows: requests * rows, columns: heads.queries * heads.dimension)
            return { call in
                backend.attend(
                    qkv, heads: heads.shape, cache: cache, layer: call % layers, batch: batch, into: out)
            }
        }
    }

    static func attentionCases() -> [KernelCase] {
        CacheFormat.allCases.flatMap { format in
            [(1, 512, 0), (1, 512, 1536), (1, 1, 512), (1, 1, 4096), (32, 1, 128), (32, 1, 1024)].map {
                attention(.tinyLlama, format, requests: $0.0, rows: $0.1, context: $0.2)
            }
        }
    }
}

extension KernelCase.Heads {
    /// Columns of queries, keys and values.
    var width: Int { (queries + 2 * keys) * dimension }

    /// As the backend wants it.
    var shape: AttentionShape {
        AttentionShape(
            heads: queries, kvHeads: keys, headDim: dimension, scale: 1 / Float(dimension).squareRoot())
    }
}
