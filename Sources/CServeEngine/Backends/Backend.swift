// The seam between a model and the machine: every operation that a forward pass needs, with its shapes.

import CServeCore
import CServeScheduling

/// Runs a model's operations on one kind of machine.
///
/// Forward passes are generic over it (`func forward<B: Backend>`); `any` stands only at the edges. Activations are f32
/// matrices at this level (row-major, `Buffer.columns` apart); a backend may convert inside an operation.
///
/// Memory comes in a few regions that ``MemoryPlan`` sized; a forward pass allocates nothing.
///
/// Batch invariance: an output row depends on its own input row (and, in attention, on its own request's cached keys and
/// values and positions) only, bit for bit: never on how many rows there are, where the row stands among them, or which
/// blocks hold the cache. The inner dimension of a product is never split by the number of rows.
public protocol Backend: Sendable {
    /// A region of the machine's memory, freed when its last reference goes.
    associatedtype Memory
    /// A packed matrix `[rows, columns]` = [output features, input features], perhaps with a bias `[rows]`.
    associatedtype Weight
    /// A vector of f32 constants: a norm's weight, a rope table.
    associatedtype Vector
    /// f32 activations `[rows, columns]` inside a region.
    associatedtype Buffer
    /// The paged keys and values of this stage's layers.
    associatedtype KVCache
    /// A step's inputs where the machine reads them.
    associatedtype Batch

    /// The name in the table of backends and in `--device`.
    var name: String { get }

    /// The name for people, with what the machine computes with where there is a choice: "cpu (avx2)".
    var title: String { get }

    /// How matrices are packed for a format; the memory plan counts with it.
    func weightLayout(_ format: WeightFormat) -> WeightLayout

    /// How weights and cache are stored for a recipe, given how the checkpoint stores its matrices.
    ///
    /// A default keeps weights as stored and caches in their type unless the recipe says otherwise.
    /// - Throws: ``EngineError/unsupportedType(field:value:supported:)``,
    ///   ``EngineError/quantizationMismatch(asked:stored:)``.
    func formats(stored: StoredFormats, shape: ModelShape, recipe: Recipe) throws -> MemoryPlan.Formats

    // MARK: Memory

    /// Reserves a region of zeroed memory, aligned to ``MemoryPlan/alignment``.
    /// - Throws: ``EngineError/outOfMemory(what:bytes:)``.
    func allocate(_ what: String, bytes: Int) throws -> Memory

    /// Packs a matrix into `memory` at `offset`: `layout.bytes(rows:columns:)` bytes, then, when there is a bias, its
    /// f32 values (`rows * 4` bytes, aligned).
    func pack(_ matrix: MatrixSource, layout: WeightLayout, into memory: Memory, at offset: Int) throws -> Weight

    /// Copies f32 constants into `memory` at `offset`: `count * 4` bytes.
    func upload(_ values: [Float], into memory: Memory, at offset: Int) -> Vector

    /// A view of `rows * columns` f32 values of `memory`, row-major.
    func buffer(in memory: Memory, at offset: Int, rows: Int, columns: Int) -> Buffer

    /// The view that starts `firstRow` rows further down.
    func slice(_ buffer: Buffer, firstRow: Int) -> Buffer

    /// The paged cache inside `memory`, which has `plan.bytes` bytes.
    func cache(in memory: Memory, plan: KVCachePlan) -> KVCache

    /// Has memory put behind the blocks that are taken first, up to `bytes`, so that no step waits for it.
    func populate(_ cache: KVCache, bytes: Int)

    /// Brings a step's inputs to the machine.
    func prepare(_ inputs: BatchInputs) throws -> Batch

    /// Lets the host read and write the first `rows` rows, once all earlier operations are done.
    func withHostRows<R>(
        _ buffer: Buffer, rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R

    // MARK: Operations on rows

    /// `out[r, :] = scale * table[token[r] - firstToken, :]`, zeros where the token is not among the table's rows (a
    /// tensor-parallel shard). Shapes: tokens of `batch` `[T]`, `table [V, hidden]`, `out [T, hidden]`.
    func embed(_ batch: Batch, table: Weight, firstToken: Int, scale: Float, into out: Buffer)

    /// `out = x / sqrt(mean(x^2) + epsilon) * weight`, per row. `x`, `out [rows, n]`, `weight [n]`; `out` may be `x`.
    func rmsNorm(_ x: Buffer, weight: Vector, epsilon: Float, rows: Int, into out: Buffer)

    /// `x += delta`. Both `[rows, n]`.
    func add(_ delta: Buffer, to x: Buffer, rows: Int)

    /// `residual += delta`, then `out = rmsNorm(residual)`. All `[rows, n]`.
    func addNorm(
        _ delta: Buffer, to residual: Buffer, weight: Vector, epsilon: Float, rows: Int, into out: Buffer)

    /// `out = x * weight^T + bias`. `x [rows, inputs]`, `weight [outputs, inputs]`, `out [rows, >= outputs]`.
    func linear(_ x: Buffer, _ weight: Weight, rows: Int, into out: Buffer)

    /// `out = act(gateUp[:, 0..<n]) * gateUp[:, n..<2n]`. `gateUp [rows, 2n]`, `out [rows, n]`.
    func activate(_ gateUp: Buffer, _ activation: Activation, rows: Int, into out: Buffer)

    /// `x = cap * tanh(x / cap)` on the first `columns` columns.
    func softcap(_ x: Buffer, cap: Float, rows: Int, columns: Int)

    /// `out[i, :] = x[rows[i], :]`.
    func gather(_ x: Buffer, rows: UnsafeBufferPointer<Int32>, into out: Buffer)

    // MARK: Attention

    /// RMS norm of each head by itself, in place: columns `head * headDim ..< (head + 1) * headDim` of `qkv` for `heads`.
    /// `weight [headDim]`.
    func normHeads(_ qkv: Buffer, heads: Range<Int>, headDim: Int, weight: Vector, epsilon: Float, rows: Int)

    /// Rotates the first `rope.rotaryDim` columns of each of `heads` in place, by the rows' positions (rotate-half:
    /// `x1 = x[i]`, `x2 = x[i + d/2]` become `x1 cos - x2 sin`, `x2 cos + x1 sin`).
    func rotate(_ qkv: Buffer, heads: Range<Int>, headDim: Int, rope: RopeTable<Vector>, batch: Batch)

    /// Writes keys and values of the batch's rows into their slots of `layer` (counted from the cache's first).
    /// `qkv [T, (heads + 2 * kvHeads) * headDim]`: queries, keys, values.
    func store(_ qkv: Buffer, heads: AttentionShape, into cache: KVCache, layer: Int, batch: Batch)

    /// Attends every query to its own request's cached keys and values at positions `<=` its own (and inside the
    /// window), read as cached, in tiles of a fixed number of positions (the backend's choice), aligned
    /// to absolute positions.
    ///
    /// Query head `h` reads KV head `h / (heads / kvHeads)`. `qkv` as in ``store(_:heads:into:layer:batch:)``;
    /// `out [T, heads * headDim]`.
    func attend(
        _ qkv: Buffer, heads: AttentionShape, cache: KVCache, layer: Int, batch: Batch, into out: Buffer)

    /// Copies whole blocks of every layer, pairs in order.
    func copyBlocks(_ pairs: [BlockCopy], in cache: KVCache)

    // MARK: Mixture of experts

    /// Chooses experts: softmax over all of `logits [rows, experts]`, the `perToken` greatest (ties: lower index first),
    /// their weights renormalised to sum to one if `renormalise`. Assignments are grouped by expert, rows ascending.
    func route(_ logits: Buffer, spec: MixtureSpec, rows: Int, into routing: Routing)

    /// `out[r, :] = sum over k (in rank order) of routing.weights[r, k] * experts[routing.places[r, k], :]`.
    func combine(_ experts: Buffer, routing: Routing, rows: Int, into out: Buffer)

    /// `x[r, :] += sigmoid(gate[r, 0]) * delta[r, :]`. `gate [rows, 1]`.
    func addGated(_ delta: Buffer, gate: Buffer, to x: Buffer, rows: Int)
}

/// The shape and the rule of one layer's attention.
public struct AttentionShape: Hashable, Sendable {
    /// Query heads on this rank.
    public var heads: Int
    /// Key and value heads on this rank.
    public var kvHeads: Int
    /// Numbers per head.
    public var headDim: Int
    /// What scores are multiplied with.
    public var scale: Float
    /// A query at position `i` sees a key at `j` if `i - j < window`; nil sees all before.
    public var window: Int?
    /// Scores become `cap * tanh(score / cap)`; nil leaves them.
    public var softcap: Float?

    /// Describes a layer's attention.
    public init(heads: Int, kvHeads: Int, headDim: Int, scale: Float, window: Int? = nil, softcap: Float? = nil) {
        self.heads = heads
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.scale = scale
        self.window = window
        self.softcap = softcap
    }
}

/// Cosines and sines by position: `[positions, rotaryDim / 2]` each, the attention factor multiplied in.
public struct RopeTable<Vector> {
    /// Cosines.
    public var cosines: Vector
    /// Sines.
    public var sines: Vector
    /// Columns of a head that are rotated.
    public var rotaryDim: Int
    /// Rows of the tables.
    public var positions: Int
}

/// How a mixture chooses.
public struct MixtureSpec: Hashable, Sendable {
    /// Experts in all.
    public var experts: Int
    /// Experts per token.
    public var perToken: Int
    /// Whether the chosen experts' weights are made to sum to one.
    public var renormalise: Bool

    /// Describes a choice.
    public init(experts: Int, perToken: Int, renormalise: Bool) {
        self.experts = experts
        self.perToken = perToken
        self.renormalise = renormalise
    }
}

/// A step's choice of experts, on the host; reused from step to step.
public final class Routing {
    /// Weight of each choice: `[rows, perToken]`, greatest first.
    public var weights: [Float] = []
    /// Where each choice's row stands among the grouped rows: `[rows, perToken]`.
    public var places: [Int32] = []
    /// The token row of each grouped row: `[rows * perToken]`.
    public var sources: [Int32] = []
    /// Grouped rows of expert `e`: `offsets[e] ..< offsets[e + 1]`.
    public var offsets: [Int] = []

    /// An empty choice.
    public init() {}
}

/// One block's copy to another (copy on write): the scheduler's word, under the engine's roof.
public typealias BlockCopy = CServeScheduling.BlockCopy
