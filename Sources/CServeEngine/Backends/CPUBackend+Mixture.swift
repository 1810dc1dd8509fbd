// The CPU backend's mixture of experts: the choice on the caller, the sums in the C kernels.

import CKernels
import CServeCore

extension CPUBackend {
    /// On the caller: `rows * experts * perToken` comparisons.
    public func route(_ logits: HostBuffer, spec: MixtureSpec, rows: Int, into routing: Routing) {
        let count = rows * spec.perToken
        routing.weights.refill(count, with: 0)
        routing.places.refill(count, with: 0)
        routing.sources.refill(count, with: 0)
        routing.offsets.refill(spec.experts + 1, with: 0)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * spec.experts) { scratch in
            guard let scores = scratch.baseAddress else { return }
            let chances = scores + spec.experts
            for row in 0..<rows {
                scores.update(from: logits.row(row), count: spec.experts)
                chances.update(from: logits.row(row), count: spec.experts)
                cs_softmax(context, chances, spec.experts, 1, Int32(spec.experts))
                choose(scores, chances, spec: spec, row: row, into: routing)
            }
        }
        group(spec: spec, rows: rows, routing)
    }

    /// Writes a row's experts (first into `places`) and their weights, greatest first; spoils `scores`.
    private func choose(
        _ scores: UnsafeMutablePointer<Float>, _ chances: UnsafePointer<Float>, spec: MixtureSpec, row: Int,
        into routing: Routing
    ) {
        let first = row * spec.perToken
        var total: Float = 0
        for rank in 0..<spec.perToken {
            let best = Int(cs_argmax(context, scores, Int32(spec.experts)))
            routing.places[first + rank] = Int32(best)
            routing.weights[first + rank] = chances[best]
            total += chances[best]
            scores[best] = -.infinity
        }
        guard spec.renormalise, total > 0 else { return }
        for rank in 0..<spec.perToken { routing.weights[first + rank] /= total }
    }

    /// Turns experts into places: rows grouped by expert, ascending within each.
    private func group(spec: MixtureSpec, rows: Int, _ routing: Routing) {
        let count = rows * spec.perToken
        for choice in 0..<count { routing.offsets[Int(routing.places[choice]) + 1] += 1 }
        for expert in 0..<spec.experts { routing.offsets[expert + 1] += routing.offsets[expert] }
        withUnsafeTemporaryAllocation(of: Int.self, capacity: spec.experts) { next in
            for expert in 0..<spec.experts { next[expert] = routing.offsets[expert] }
            for choice in 0..<count {
                let expert = Int(routing.places[choice])
                routing.places[choice] = Int32(next[expert])
                routing.sources[next[expert]] = Int32(choice / spec.perToken)
                next[expert] += 1
            }
        }
    }

    /// In rank order, row by row.
    public func combine(_ experts: HostBuffer, routing: Routing, rows: Int, into out: HostBuffer) {
        guard rows > 0 else { return }
        let choices = routing.weights.count / rows
        routing.weights.withUnsafeBufferPointer { weights in
            routing.places.withUnsafeBufferPointer { places in
                cs_combine(
                    context, experts.base, experts.columns, weights.baseAddress, places.baseAddress, Int32(rows),
                    Int32(choices), Int32(out.columns), out.base, out.columns)
            }
        }
    }

    /// One sigmoid per row.
    public func addGated(_ delta: HostBuffer, gate: HostBuffer, to x: HostBuffer, rows: Int) {
        cs_add_gated(
            context, delta.base, delta.columns, gate.base, gate.columns, x.base, x.columns, Int32(rows),
            Int32(x.columns))
    }
}

extension Array {
    /// Becomes `count` times `value`, keeping its storage.
    fileprivate mutating func refill(_ count: Int, with value: Element) {
        removeAll(keepingCapacity: true)
        append(contentsOf: repeatElement(value, count: count))
    }
}
