// What works on rows (norms, activation, rope, cache writes) and what the sampler does with one row of logits.

import CKernels
import CServeCore

extension KernelCase {
    /// Norm of `[rows, columns]`; with a delta that is added first.
    public static func norm(rows: Int, columns: Int, adding: Bool) -> KernelCase {
        KernelCase(
            family: "rows", name: "\(adding ? "add and norm" : "norm") \(columns) m\(rows)",
            bytes: Double(4 * rows * columns * (adding ? 4 : 2)), source: .cachedRead
        ) { backend in
            let x = try KernelNumbers.buffer(backend, rows: rows, columns: columns)
            let delta = try KernelNumbers.buffer(backend, rows: rows, columns: columns)
            let out = try KernelNumbers.buffer(backend, rows: rows, columns: columns)
            let memory = try backend.allocate("A norm's weight", bytes: columns * 4)
            let weight = backend.upload([Float](repeating: 1, count: columns), into: memory, at: 0)
            return { _ in
                if adding {
                    backend.addNorm(delta, to: x, weight: weight, epsilon: 1e-5, rows: rows, into: out)
                } else {
                    backend.rmsNorm(x, weight: weight, epsilon: 1e-5, rows: rows, into: out)
                }
            }
        }
    }

    /// `silu(gate) * up` of `[rows, 2 columns]`.
    public static func activation(rows: Int, columns: Int) -> KernelCase {
        KernelCase(
            family: "rows", name: "silu \(columns) m\(rows)", bytes: Double(12 * rows * columns), source: .cachedRead
        ) { backend in
            let gateUp = try KernelNumbers.buffer(backend, rows: rows, columns: 2 * columns)
            let out = try KernelNumbers.buffer(backend, rows: rows, columns: columns)
            return { _ in backend.activate(gateUp, .silu, rows: rows, into: out) }
        }
    }

    /// Rotation of queries and keys, or writing keys and values into the cache, of so many rows.
    public static func place(_ heads: Heads, rows: Int, storing format: CacheFormat?) -> KernelCase {
        let touched = (format == nil ? heads.queries + heads.keys : 2 * heads.keys) * heads.dimension
        return KernelCase(
            family: "rows", name: "\(format.map { "store \($0.rawValue)" } ?? "rope") m\(rows)",
            bytes: Double(rows * touched * (4 + (format?.numberBytes ?? 4))), source: .cachedRead
        ) { backend in
            let blocks = (rows + 15) / 16
            let plan = KVCachePlan(
                layers: 1, blocks: blocks, blockSize: 16, kvHeads: heads.keys, headDim: heads.dimension,
                format: format ?? .float32)
            let cache = backend.cache(in: try backend.allocate("A kernel's cache", bytes: plan.bytes), plan: plan)
            var batch = BatchInputs(blockSize: 16)
            batch.append(
                tokens: [Int32](repeating: 1, count: rows), start: 0, blockTable: (0..<Int32(blocks)), wanted: .none)
            let qkv = try KernelNumbers.buffer(
                backend, rows: rows, columns: heads.width)
            let count = rows * heads.dimension / 2
            let memory = try backend.allocate("Rope tables", bytes: 2 * count * 4)
            let table = RopeTable(
                cosines: backend.upload([Float](repeating: 0.6, count: count), into: memory, at: 0),
                sines: backend.upload([Float](repeating: 0.8, count: count), into: memory, at: count * 4),
                rotaryDim: heads.dimension, positions: rows)
            return { _ in
                if format != nil {
                    backend.store(qkv, heads: heads.shape, into: cache, layer: 0, batch: batch)
                } else {
                    backend.rotate(
                        qkv, heads: 0..<(heads.queries + heads.keys), headDim: heads.dimension, rope: table,
                        batch: batch)
                }
            }
        }
    }

    static func rowCases() -> [KernelCase] {
        [1, 32, 512].flatMap { rows in
            [
                norm(rows: rows, columns: 2048, adding: false), norm(rows: rows, columns: 2048, adding: true),
                activation(rows: rows, columns: 5632), place(.tinyLlama, rows: rows, storing: nil),
            ] + CacheFormat.allCases.map { place(.tinyLlama, rows: rows, storing: $0) }
        }
    }

    /// What the sampler does with one row of logits.
    public enum SamplingPass: String, CaseIterable, Sendable {
        /// The likeliest token.
        case argmax
        /// The normaliser of log-probabilities.
        case logSumExp = "log-sum-exp"
        /// Probabilities and the sums of their runs.
        case exponentials
    }

    /// One pass over a row of logits, on one thread.
    public static func sampling(_ pass: SamplingPass, vocabulary: Int) -> KernelCase {
        KernelCase(
            family: "sampling", name: "\(pass.rawValue) \(vocabulary)",
            bytes: Double(4 * vocabulary * (pass == .exponentials ? 2 : 1)), source: .cachedRead
        ) { backend in
            let row = try KernelNumbers.buffer(backend, rows: 1, columns: vocabulary)
            let terms = try KernelNumbers.buffer(backend, rows: 1, columns: vocabulary)
            let sums = try KernelNumbers.buffer(backend, rows: 1, columns: vocabulary)
            let kernels = cs_sampling_kernels(backend.instructionSet.isa)
            let count = Int32(vocabulary)
            return { _ in
                var largest: Float = 0
                var sum: Float = 0
                switch pass {
                case .argmax: _ = cs_argmax(backend.context, row.base, count)
                case .logSumExp: cs_log_sum_exp(backend.context, row.base, count, &largest, &sum)
                case .exponentials:
                    _ = kernels?.pointee.exponentials(row.base, count, 4, 1, 0, terms.base, sums.base)
                }
            }
        }
    }

    static func samplingCases() -> [KernelCase] {
        SamplingPass.allCases.flatMap { pass in [32_000, 128_256].map { sampling(pass, vocabulary: $0) } }
    }
}
