// The arena of a stage: one region, every activation a view of it, and the rotary tables beside them.

import CServeCore

/// The places of a forward pass's results.
struct Activations<B: Backend> {
    private let backend: B
    private let plan: ActivationPlan
    private let memory: B.Memory
    private var buffers: [B.Buffer?]
    /// Rotation of the full layers.
    let rope: RopeTable<B.Vector>
    /// Rotation of the sliding layers, where it differs.
    let localRope: RopeTable<B.Vector>?

    init(_ backend: B, plan: ActivationPlan, shape: ModelShape, maxModelLength: Int) throws {
        let memory = try backend.allocate("The activations", bytes: plan.bytes)
        self.backend = backend
        self.plan = plan
        self.memory = memory
        buffers = ActivationPlan.Name.allCases.map { name in
            plan.regions[name].map {
                backend.buffer(in: memory, at: $0.offset, rows: $0.rows, columns: $0.columns)
            }
        }
        func table(_ parameters: RopeParameters, _ names: (ActivationPlan.Name, ActivationPlan.Name)) -> RopeTable<
            B.Vector
        > {
            let values = RopeValues(parameters, shape: shape, maxModelLength: maxModelLength)
            let places = (plan.regions[names.0]?.offset ?? 0, plan.regions[names.1]?.offset ?? 0)
            return RopeTable(
                cosines: backend.upload(values.cosines, into: memory, at: places.0),
                sines: backend.upload(values.sines, into: memory, at: places.1),
                rotaryDim: parameters.rotaryDim(headDim: shape.headDim), positions: maxModelLength)
        }
        rope = table(shape.rope, (.cosines, .sines))
        localRope = shape.localRope.map { table($0, (.localCosines, .localSines)) }
    }

    /// A result's place.
    subscript(name: ActivationPlan.Name) -> B.Buffer {
        guard let buffer = buffers[name.rawValue] else { preconditionFailure("the plan has no \(name)") }
        return buffer
    }

    /// A place used with narrower rows.
    func view(_ name: ActivationPlan.Name, columns: Int) -> B.Buffer {
        guard let region = plan.regions[name] else { preconditionFailure("the plan has no \(name)") }
        return backend.buffer(in: memory, at: region.offset, rows: region.rows, columns: columns)
    }
}

/// Cosines and sines by position, in f32 as transformers computes them.
struct RopeValues {
    var cosines: [Float] = []
    var sines: [Float] = []

    init(_ rope: RopeParameters, shape: ModelShape, maxModelLength: Int) {
        let frequencies = RopeFrequencies(
            rope, headDim: shape.headDim, maxModelLength: maxModelLength, maxPositions: shape.maxPositionEmbeddings)
        cosines.reserveCapacity(maxModelLength * frequencies.inverse.count)
        sines.reserveCapacity(maxModelLength * frequencies.inverse.count)
        for position in 0..<maxModelLength {
            for inverse in frequencies.inverse {
                let angle = Double(Float(position) * inverse)
                cosines.append(Float(Trigonometry.cosine(angle)) * frequencies.attentionFactor)
                sines.append(Float(Trigonometry.sine(angle)) * frequencies.attentionFactor)
            }
        }
    }
}
