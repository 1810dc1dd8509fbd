// Measures a loaded model pass by pass: dense operators, attention, head, and what the engine's loop adds to a step.

import CServeCore
import CServeCost
import CServeEngine

/// Runs a profile's measurements on one loaded model.
final class ProfileSession {
    let probe: ModelProbe
    let grid: ProfileGrid
    private let roles: [TimedOperator: String]
    private let isMixture: Bool
    private(set) var samples: ProfileSamples = ProfileSamples()
    /// Whole passes and their seconds, sampling left out: what scalars are fitted to.
    private(set) var whole: [(step: StepComposition, seconds: Double)] = []

    init(_ probe: ModelProbe, grid: ProfileGrid) {
        self.probe = probe
        self.grid = grid
        roles = Self.roles(probe.runner.shape)
        isMixture = probe.runner.shape.mixture != nil
    }

    /// Measurements of one round.
    var passes: Int { grid.batches.count + grid.decodes.count + grid.rows.count }

    /// Forgets what was measured.
    func reset() {
        samples = ProfileSamples()
        whole = []
    }

    /// Decode batches, decoding attention and the head: everything that memory bounds, and that other programs disturb.
    func round(_ step: () -> Void = {}) throws {
        for batch in grid.batches {
            try add(tokens: batch, Array(repeating: ProbeEntry(tokens: 1, context: 15), count: batch))
            step()
        }
        for (requests, context) in grid.decodes {
            let entry: ProbeEntry = ProbeEntry(tokens: 1, context: context - 1)
            let times: PassTimes = try probe.pass(Array(repeating: entry, count: requests), sampled: 0)
            samples.addDecodes(
                requests: requests, context: context, seconds: times.operators[.attention, default: 0])
            whole.append((StepComposition(Array(repeating: entry, count: requests), sampled: 0), times.layers))
            step()
        }
        for rows in grid.rows {
            let entries: [ProbeEntry] = Array(repeating: ProbeEntry(tokens: 1, context: 0), count: rows)
            let times: PassTimes = try probe.pass(entries, sampled: rows)
            samples.add("lm_head", rows: rows, seconds: times.logits)
            whole.append((StepComposition(entries, sampled: rows), times.layers + times.logits))
            step()
        }
    }

    /// Pieces of prompts: the dense operators once, attention behind contexts alone. Arithmetic bounds both.
    func prompts(_ step: () -> Void = {}) throws {
        for piece in grid.pieces {
            try add(tokens: piece, [ProbeEntry(tokens: piece, context: 0)])
            step()
        }
        for entry in grid.prompts {
            samples.addPrompt(
                tokens: entry.tokens, context: entry.context, seconds: try probe.attention([entry]))
            step()
        }
    }

    /// Adds how long sampling took for rows of several counts.
    func addSampling(_ steps: [StepRecord]) {
        for step in steps where step.sampledRows > 0 {
            samples.add("sampler", rows: step.sampledRows, seconds: step.sampling.seconds)
        }
    }

    private func add(tokens: Int, _ entries: [ProbeEntry]) throws {
        let times: PassTimes = try probe.pass(entries, sampled: 0)
        var sums: [String: Double] = [:]
        var rest: Double = times.layers
        for (operation, seconds) in times.operators {
            rest -= seconds
            guard let name = name(operation) else { continue }
            sums[name, default: 0] += seconds
        }
        sums["overhead"] = max(0, rest)
        for (name, seconds) in sums { samples.add(name, tokens: tokens, seconds: seconds) }
        whole.append((StepComposition(entries, sampled: 0), times.layers))
    }

    private func name(_ operation: TimedOperator) -> String? {
        switch operation {
        case .norm: "layernorm"
        case .headNorm: "qk_norm"
        case .place: "rotary_emb"
        case .activation: "act_fn"
        case .embedding: "embedding"
        case .attention: nil
        case .routing: "experts"
        case .linear: roles[operation] ?? (isMixture ? "experts" : "down_proj")
        }
    }

    /// Matrices by their shapes; two of the same shape share a name, and their times add up.
    private static func roles(_ shape: ModelShape) -> [TimedOperator: String] {
        let hidden: Int = shape.hiddenSize
        let queries: Int = shape.heads * shape.headDim
        let matrices: [(name: String, rows: Int, columns: Int)] = [
            ("down_proj", hidden, shape.intermediateSize), ("gate_up_proj", 2 * shape.intermediateSize, hidden),
            ("o_proj", hidden, queries), ("qkv_proj", queries + 2 * shape.kvHeads * shape.headDim, hidden),
        ]
        var roles: [TimedOperator: String] = [:]
        for one in matrices where shape.mixture == nil || one.name == "o_proj" || one.name == "qkv_proj" {
            roles[.linear(rows: one.rows, columns: one.columns)] = one.name
        }
        return roles
    }
}

extension StepComposition {
    /// The composition of a pass of a probe: single tokens are decodes.
    init(_ entries: [ProbeEntry], sampled: Int) {
        self.init()
        for entry in entries where entry.tokens == 1 { addDecode(context: entry.context + 1) }
        for entry in entries where entry.tokens > 1 {
            addPrefill(tokens: entry.tokens, context: entry.context, samples: false)
        }
        sampledRows = sampled
    }

    /// The composition of a logged step.
    init(_ record: StepRecord) {
        self.init()
        for piece in record.prefills { addPrefill(tokens: piece.tokens, context: piece.context, samples: false) }
        decodes = record.decodes
        decodeContext = record.decodeContext
        longestDecodeContext = record.longestDecodeContext
        sampledRows = record.sampledRows
    }
}
