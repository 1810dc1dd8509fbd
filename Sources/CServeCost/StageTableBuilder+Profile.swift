// Takes a profiled model's times as they are: layers times the operators of one layer.
import CServeCore

extension StageTableBuilder {
    /// Adds every operator that the profile has.
    mutating func addProfiled(_ profile: OperatorProfile, _ plan: StagePlan, to table: inout StageTable) {
        let layers = Double(plan.shard.layers.count)
        func series(_ name: String, times count: Double) -> PiecewiseCurve? {
            guard let series = profile.dense[name] else { return nil }
            return axis.tabulate { count * series.seconds(at: $0) }
        }
        for name in OperatorProfile.layerOperators {
            if let curve = series(name, times: layers) { table.byTokens.append((.dense, curve)) }
        }
        for name in OperatorProfile.elementwise {
            // A norm stands before attention and before the feed-forward part.
            let count: Double = name == "layernorm" ? 2 * layers : layers
            if let curve = series(name, times: count) { table.byTokens.append((.elementwise, curve)) }
        }
        if plan.shard.hasEmbedding, let curve = series("embedding", times: 1) {
            table.byTokens.append((.embedding, curve))
        }
        if plan.shard.hasHead {
            for name in OperatorProfile.once {
                if let curve = series(name, times: 1) { table.byTokens.append((.elementwise, curve)) }
            }
        }
        addProfiledExperts(profile, plan, to: &table)
        addProfiledRows(profile, plan, to: &table)
        table.profile = ProfiledAttention(profile, layers: plan.shard.layers.count)
        for kind in [OperatorKind.dense, .elementwise, .prefillAttention, .decodeAttention] {
            // This model's own operators, on this accelerator.
            evidence[kind] = .measured
        }
    }

    private mutating func addProfiledExperts(_ profile: OperatorProfile, _ plan: StagePlan, to table: inout StageTable)
    {
        guard let part = plan.mixture, profile.experts != nil else { return }
        let experts = Double(part.mixture.experts)
        let perToken = Double(part.mixture.perToken)
        let curve: PiecewiseCurve = axis.tabulate { tokens in
            let touched: Double = MixtureOperator.touchedExperts(experts: experts, perToken: perToken, tokens: tokens)
            return Double(part.layers) * profile.experts(tokens: tokens, touched: touched)
        }
        table.byTokens.append((.mixture, curve))
        evidence[.mixture] = .measured
    }

    private mutating func addProfiledRows(_ profile: OperatorProfile, _ plan: StagePlan, to table: inout StageTable) {
        guard plan.shard.hasHead else { return }
        let rows = CurveAxis.tokens(
            upTo: max(2, placement.recipe.maxNumSeqs), measured: profile.perRow.values.flatMap(\.counts))
        let zero = OperatorProfile.Series(counts: [1], microseconds: [0])
        let head: OperatorProfile.Series = profile.perRow["lm_head"] ?? zero
        let sampler: OperatorProfile.Series = profile.perRow["sampler"] ?? zero
        table.rows = (rows.tabulate { head.seconds(at: $0) }, rows.tabulate { sampler.seconds(at: $0) }, rows)
        evidence[.head] = .measured
        evidence[.sampler] = .measured
    }
}
