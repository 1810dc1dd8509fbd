// The parts that families build their layers from, over one step's activations.

import CServeCore

/// One layer's pass over a step: the stream is in `hidden`; parts leave what they add in `projected`.
struct LayerPass<B: Backend> {
    let backend: B
    let shape: ModelShape
    let shard: ModelShard
    let activations: Activations<B>
    let weights: LayerWeights<B>
    let cache: B.KVCache
    let batch: B.Batch
    let collective: any Collective
    let routing: Routing
    /// Tokens.
    let rows: Int
    /// The layer, counted in the whole model.
    let layer: Int

    private var epsilon: Float { Float(shape.normEpsilon) }

    /// `normed = norm(hidden)`.
    func norm(_ role: WeightRole) {
        backend.rmsNorm(
            activations[.hidden], weight: weights.vector(role), epsilon: epsilon, rows: rows,
            into: activations[.normed])
    }

    /// `hidden += projected; normed = norm(hidden)`.
    func addNorm(_ role: WeightRole) {
        backend.addNorm(
            activations[.projected], to: activations[.hidden], weight: weights.vector(role), epsilon: epsilon,
            rows: rows, into: activations[.normed])
    }

    /// `projected = norm(projected)`: a sandwich's upper half.
    func normProjected(_ role: WeightRole) {
        let projected = activations[.projected]
        backend.rmsNorm(projected, weight: weights.vector(role), epsilon: epsilon, rows: rows, into: projected)
    }

    /// `hidden += projected`.
    func add() {
        backend.add(activations[.projected], to: activations[.hidden], rows: rows)
    }

    /// `projected = attention(normed)`.
    func attention() {
        let isLocal = shape.slidingLayers[layer]
        let heads = shape.attention(layer: layer, shard: shard)
        let qkv = activations[.qkv]
        let queries = 0..<heads.heads
        let keys = heads.heads..<(heads.heads + heads.kvHeads)
        backend.linear(activations[.normed], weights.matrix(.qkv), rows: rows, into: qkv)
        if shape.queryKeyNorm {
            normHeads(qkv, queries, .queryNorm)
            normHeads(qkv, keys, .keyNorm)
        }
        let rope = isLocal ? activations.localRope ?? activations.rope : activations.rope
        backend.rotate(
            qkv, heads: 0..<keys.upperBound, headDim: shape.headDim, rope: rope, batch: batch)
        let place = layer - shard.layers.lowerBound
        backend.store(qkv, heads: heads, into: cache, layer: place, batch: batch)
        backend.attend(qkv, heads: heads, cache: cache, layer: place, batch: batch, into: activations[.attended])
        backend.linear(activations[.attended], weights.matrix(.output), rows: rows, into: activations[.projected])
        backend.reduce(activations[.projected], rows: rows, with: collective)
    }

    private func normHeads(_ qkv: B.Buffer, _ heads: Range<Int>, _ role: WeightRole) {
        backend.normHeads(
            qkv, heads: heads, headDim: shape.headDim, weight: weights.vector(role), epsilon: epsilon, rows: rows)
    }

    /// `projected = down(act(gate(normed)) * up(normed))`.
    func feedForward() {
        dense(.gateUp, .down, width: shape.intermediateSize / shard.ranks, into: activations[.projected])
        backend.reduce(activations[.projected], rows: rows, with: collective)
    }

    private func dense(_ gateUp: WeightRole, _ down: WeightRole, width: Int, into out: B.Buffer) {
        let gates = activations.view(.gateUp, columns: 2 * width)
        let activated = activations.view(.activated, columns: width)
        backend.linear(activations[.normed], weights.matrix(gateUp), rows: rows, into: gates)
        backend.activate(gates, shape.activation, rows: rows, into: activated)
        backend.linear(activated, weights.matrix(down), rows: rows, into: out)
    }

    /// `projected = sum of the chosen experts of normed, weighted`, plus the shared expert where there is one.
    func mixtureOfExperts(_ mixture: ModelShape.Mixture) {
        let spec = MixtureSpec(
            experts: mixture.experts, perToken: mixture.perToken, renormalise: mixture.renormalise)
        backend.linear(activations[.normed], weights.matrix(.router), rows: rows, into: activations[.router])
        backend.route(activations[.router], spec: spec, rows: rows, into: routing)
        routing.sources.withUnsafeBufferPointer {
            backend.gather(activations[.normed], rows: $0, into: activations[.expertInput])
        }
        for expert in 0..<mixture.experts { run(expert: expert) }
        backend.combine(activations[.expertOutput], routing: routing, rows: rows, into: activations[.projected])
        if let shared = mixture.sharedIntermediateSize { addShared(width: shared / shard.ranks) }
        backend.reduce(activations[.projected], rows: rows, with: collective)
    }

    private func run(expert: Int) {
        let first = routing.offsets[expert]
        let count = routing.offsets[expert + 1] - first
        guard count > 0 else { return }
        func part(_ name: ActivationPlan.Name) -> B.Buffer { backend.slice(activations[name], firstRow: first) }
        let (gateUp, down) = weights.experts[expert]
        backend.linear(part(.expertInput), gateUp, rows: count, into: part(.expertGateUp))
        backend.activate(part(.expertGateUp), shape.activation, rows: count, into: part(.expertActivated))
        backend.linear(part(.expertActivated), down, rows: count, into: part(.expertOutput))
    }

    private func addShared(width: Int) {
        dense(.sharedGateUp, .sharedDown, width: width, into: activations[.shared])
        backend.linear(activations[.normed], weights.matrix(.sharedGate), rows: rows, into: activations[.sharedGate])
        backend.addGated(
            activations[.shared], gate: activations[.sharedGate], to: activations[.projected], rows: rows)
    }

    /// The layer of most families: norm, attention, sum, norm, feed-forward, sum.
    func prenormLayer() {
        norm(.inputNorm)
        attention()
        addNorm(.postAttentionNorm)
        feedForward()
        add()
    }

    /// The layer of Gemma 2 and 3: a norm before and behind each part.
    func sandwichLayer() {
        norm(.inputNorm)
        attention()
        normProjected(.postAttentionNorm)
        addNorm(.preFeedforwardNorm)
        feedForward()
        normProjected(.postFeedforwardNorm)
        add()
    }
}

extension ModelShape {
    /// The shape and the rule of a layer's attention on one rank.
    func attention(layer: Int, shard: ModelShard) -> AttentionShape {
        AttentionShape(
            heads: shard.heads(self).count, kvHeads: shard.kvHeads(self).count, headDim: headDim,
            scale: Float(attentionScale), window: window(layer: layer), softcap: attentionSoftcap.map { Float($0) })
    }
}
