// One copy of a model on some hardware: the question that memory budget and step cost answer.
import CServeCore

/// A model, divided and placed: everything that the time of a step and the room for keys and values depend on, but for the
/// engine's habits and what was measured.
public struct ReplicaPlacement: Hashable, Sendable {
    /// The model.
    public var shape: ModelShape
    /// Its types.
    public var precision: ModelPrecision
    /// How it is divided: `tensor * pipeline` accelerators.
    public var parallelism: Parallelism
    /// The accelerator.
    public var accelerator: AcceleratorSpec
    /// The node that holds the ranks; a replica that needs more accelerators than it has spans nodes over its network.
    public var node: NodeSpec
    /// The engine's settings: batch limits, block size, memory share, cache size.
    public var recipe: Recipe
    /// The share of each stage's layer weights that lives in host memory and streams in, 0 to 1.
    public var offloadedShare: Double

    /// Describes a placement.
    public init(
        shape: ModelShape, precision: ModelPrecision, parallelism: Parallelism = Parallelism(),
        accelerator: AcceleratorSpec, node: NodeSpec, recipe: Recipe = Recipe(), offloadedShare: Double = 0
    ) {
        self.shape = shape
        self.precision = precision
        self.parallelism = parallelism
        self.accelerator = accelerator
        self.node = node
        self.recipe = recipe
        self.offloadedShare = offloadedShare
    }

    /// Accelerators of one replica.
    public var accelerators: Int { parallelism.tensor * parallelism.pipeline }
}
