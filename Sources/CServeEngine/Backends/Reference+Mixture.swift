// The oracle's mixture of experts; `HostRouting` is the choice itself, which every host backend can share.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Reference {
    /// Chooses experts.
    public func route(_ logits: HostBuffer, spec: MixtureSpec, rows: Int, into routing: Routing) {
        HostRouting.route(logits, spec: spec, rows: rows, into: routing)
    }

    /// Sums the chosen experts' results in the order of their weights.
    public func combine(_ experts: HostBuffer, routing: Routing, rows: Int, into out: HostBuffer) {
        let perToken = routing.weights.count / max(rows, 1)
        for row in 0..<rows {
            let target = out.row(row)
            for i in 0..<out.columns {
                var sum = 0.0
                for k in (row * perToken)..<((row + 1) * perToken) {
                    sum += Double(routing.weights[k]) * Double(experts.row(Int(routing.places[k]))[i])
                }
                target[i] = Float(sum)
            }
        }
    }

    /// Adds the shared expert.
    public func addGated(_ delta: HostBuffer, gate: HostBuffer, to x: HostBuffer, rows: Int) {
        for row in 0..<rows {
            let share = Float(1 / (1 + exp(-Double(gate.row(row)[0]))))
            for i in 0..<x.columns { x.row(row)[i] += share * delta.row(row)[i] }
        }
    }
}

/// The choice of experts on the host: softmax in double, ties to the lower index, rows grouped by expert.
public enum HostRouting {
    /// Chooses experts for `rows` rows of scores.
    public static func route(_ logits: HostBuffer, spec: MixtureSpec, rows: Int, into routing: Routing) {
        let choices = rows * spec.perToken
        reset(routing, choices: choices, experts: spec.experts)
        var chosen: [Int] = []
        chosen.reserveCapacity(choices)
        for row in 0..<rows { choose(logits.row(row), spec, &chosen, routing) }
        for expert in chosen { routing.offsets[expert + 1] += 1 }
        for expert in 0..<spec.experts { routing.offsets[expert + 1] += routing.offsets[expert] }
        var next = routing.offsets
        for (choice, expert) in chosen.enumerated() {
            routing.places[choice] = Int32(next[expert])
            routing.sources[next[expert]] = Int32(choice / spec.perToken)
            next[expert] += 1
        }
    }

    private static func reset(_ routing: Routing, choices: Int, experts: Int) {
        routing.weights.removeAll(keepingCapacity: true)
        routing.places.removeAll(keepingCapacity: true)
        routing.places.append(contentsOf: repeatElement(0, count: choices))
        routing.sources.removeAll(keepingCapacity: true)
        routing.sources.append(contentsOf: repeatElement(0, count: choices))
        routing.offsets.removeAll(keepingCapacity: true)
        routing.offsets.append(contentsOf: repeatElement(0, count: experts + 1))
    }

    private static func choose(
        _ scores: UnsafeMutablePointer<Float>, _ spec: MixtureSpec, _ chosen: inout [Int], _ routing: Routing
    ) {
        let first = chosen.count
        for _ in 0..<spec.perToken {
            var best = -1
            for expert in 0..<spec.experts where !chosen[first...].contains(expert) {
                if best < 0 || scores[expert] > scores[best] { best = expert }
            }
            chosen.append(best)
        }
        let greatest = Double(scores[chosen[first]])
        var all = 0.0
        for expert in 0..<spec.experts { all += exp(Double(scores[expert]) - greatest) }
        var kept = 0.0
        for expert in chosen[first...] { kept += exp(Double(scores[expert]) - greatest) }
        let divisor = spec.renormalise ? kept : all
        for expert in chosen[first...] {
            routing.weights.append(Float(exp(Double(scores[expert]) - greatest) / divisor))
        }
    }
}
