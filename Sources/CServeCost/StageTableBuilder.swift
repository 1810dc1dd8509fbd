// Tabulates the operators of a stage over token counts, and notes what each rests on.
import CServeCore

/// Builds the tables of one replica's stages; stages of the same form share their matrices' curves.
struct StageTableBuilder {
    let placement: ReplicaPlacement
    private let engine: EngineProfile
    let axis: CurveAxis
    let model: OperatorModel
    private let links: CollectiveModel
    private let profile: OperatorProfile?
    private let scalars: Calibration.Scalars
    private var dense: [DenseKey: PiecewiseCurve] = [:]
    var evidence: [OperatorKind: EvidenceKind] = [:]

    private struct DenseKey: Hashable {
        var rows: Int
        var columns: Int
        var format: WeightFormat
    }

    init(
        _ placement: ReplicaPlacement, _ engine: EngineProfile, library: UtilisationLibrary, calibration: Calibration?,
        axis: CurveAxis
    ) {
        self.placement = placement
        self.engine = engine
        self.axis = axis
        model = OperatorModel(placement.accelerator, library: library)
        links = CollectiveModel(placement, engine: engine, library: library)
        profile = calibration?.profiles.first { $0.ranks == placement.parallelism.tensor }
        scalars = calibration?.scalars ?? Calibration.Scalars()
    }

    mutating func table(_ plan: StagePlan) -> StageTable {
        let zero = PiecewiseCurve(values: Array(repeating: 0, count: axis.knots.count))
        var table = StageTable(tokens: zero, reductions: (zero, zero), send: Link(latency: 0, bandwidth: 1))
        if let profile {
            addProfiled(profile, plan, to: &table)
        } else {
            addDense(plan, to: &table)
            addElementwise(plan, to: &table)
            addMixture(plan, to: &table)
        }
        for part in table.byTokens { table.tokens.add(part.curve) }
        addReductions(plan, to: &table)
        if profile == nil {
            addRows(plan, to: &table)
            addAttention(plan, to: &table)
        }
        addHostWork(plan, to: &table)
        return table
    }

    private mutating func note(_ kind: OperatorKind, _ estimate: TimeEstimate) -> Double {
        evidence[kind] = max(evidence[kind] ?? .measured, estimate.evidence)
        return estimate.seconds
    }

    private mutating func denseCurve(_ rows: Int, _ columns: Int, _ role: WeightRole) -> PiecewiseCurve {
        let format: WeightFormat = placement.format(role)
        let key = DenseKey(rows: rows, columns: columns, format: format)
        if let known = dense[key] { return known }
        var values: [Double] = []
        for tokens in axis.knots {
            let estimate: TimeEstimate = model.dense(
                tokens: tokens, rows: Double(rows), columns: Double(columns), weights: format,
                arithmetic: placement.precision.arithmetic)
            values.append(note(.dense, estimate) * correction(tokens: tokens, rows: rows, columns: columns, format))
        }
        let curve = PiecewiseCurve(values: values)
        dense[key] = curve
        return curve
    }

    /// What a probe found of arithmetic and memory, in the parts that they have in a matrix's time.
    private func correction(tokens: Double, rows: Int, columns: Int, _ format: WeightFormat) -> Double {
        let matrix: Double = Double(rows) * Double(columns)
        let arithmetic: Double =
            2 * tokens * matrix / (model.rates.peaks[placement.precision.arithmetic] ?? model.rates.halfPeak)
        let memory: Double = matrix * format.bytesPerNumber(columns: columns) / model.rates.bandwidth
        return (arithmetic * scalars.compute + memory * scalars.bandwidth) / (arithmetic + memory)
    }

    private mutating func addDense(_ plan: StagePlan, to table: inout StageTable) {
        for part in plan.dense {
            var curve: PiecewiseCurve = denseCurve(part.rows, part.columns, part.role)
            for place in curve.values.indices { curve.values[place] *= Double(part.count) }
            table.byTokens.append((part.kind, curve))
        }
    }

    private mutating func addElementwise(_ plan: StagePlan, to table: inout StageTable) {
        let hidden = Double(placement.shape.hiddenSize)
        var values: [Double] = []
        var embedding: [Double] = []
        for tokens in axis.knots {
            let estimate: TimeEstimate = model.elementwise(
                bytes: tokens * plan.elementwiseBytes, kernels: Double(plan.elementwiseKernels))
            values.append(note(.elementwise, estimate))
            embedding.append(model.elementwise(bytes: tokens * 4 * hidden, kernels: 1).seconds)
        }
        table.byTokens.append((.elementwise, PiecewiseCurve(values: values)))
        guard plan.shard.hasEmbedding else { return }
        table.byTokens.append((.embedding, PiecewiseCurve(values: embedding)))
        evidence[.embedding] = .theoretical
    }

    private mutating func addMixture(_ plan: StagePlan, to table: inout StageTable) {
        guard let experts = plan.mixture else { return }
        var values: [Double] = []
        for tokens in axis.knots {
            let seconds: Double = note(.mixture, time(experts, tokens: tokens))
            values.append(seconds * Double(experts.layers))
        }
        table.byTokens.append((.mixture, PiecewiseCurve(values: values)))
    }

    /// Grouped matrices: the experts that are expected to be touched are read once, the tokens share them evenly.
    private func time(_ part: MixtureOperator, tokens: Double) -> TimeEstimate {
        let experts = Double(part.mixture.experts)
        let perToken = Double(part.mixture.perToken)
        let touched: Double = MixtureOperator.touchedExperts(experts: experts, perToken: perToken, tokens: tokens)
        let each: Double = max(1, tokens * perToken / touched)
        let format: WeightFormat = placement.format(.expertGateUp)
        var sum: Double = 0
        var weakest: EvidenceKind = .measured
        for (rows, columns) in [(2 * part.width, part.hidden), (part.hidden, part.width)] {
            // One wide matrix with the work and the bytes of all touched experts, without a launch for each.
            let estimate: TimeEstimate = model.dense(
                tokens: each, rows: Double(rows) * touched, columns: Double(columns), weights: format,
                arithmetic: placement.precision.arithmetic)
            sum += estimate.seconds
            weakest = max(weakest, estimate.evidence)
        }
        let moved: TimeEstimate = model.elementwise(bytes: tokens * perToken * Double(4 * part.hidden), kernels: 4)
        return TimeEstimate(seconds: sum + moved.seconds, evidence: max(weakest, .neighbouring))
    }

    private mutating func addReductions(_ plan: StagePlan, to table: inout StageTable) {
        guard plan.reductions > 0 else { return }
        let perToken: Double = 2 * Double(placement.shape.hiddenSize)
        let count = Double(plan.reductions + (plan.shard.hasEmbedding ? 1 : 0))
        for (place, tokens) in axis.knots.enumerated() {
            let captured: TimeEstimate = links.allReduce(bytes: tokens * perToken, captured: true)
            let launched: TimeEstimate = links.allReduce(bytes: tokens * perToken, captured: false)
            table.reductions.captured.values[place] = note(.allReduce, captured) * count * scalars.allReduce
            table.reductions.launched.values[place] = launched.seconds * count * scalars.allReduce
        }
    }

    private mutating func addRows(_ plan: StagePlan, to table: inout StageTable) {
        guard plan.shard.hasHead else { return }
        let shape: ModelShape = placement.shape
        let rowAxis = CurveAxis.tokens(upTo: max(2, placement.recipe.maxNumSeqs))
        let vocabulary: Int = plan.shard.vocabulary(shape).count
        var head: [Double] = []
        var sampler: [Double] = []
        for rows in rowAxis.knots {
            let estimate: TimeEstimate = model.dense(
                tokens: rows, rows: Double(vocabulary), columns: Double(shape.hiddenSize),
                weights: placement.format(.head),
                arithmetic: placement.precision.arithmetic)
            head.append(
                note(.head, estimate)
                    * correction(tokens: rows, rows: vocabulary, columns: shape.hiddenSize, placement.format(.head)))
            // Logits are widened, scaled and searched in single precision: about four passes over them.
            let bytes: Double = rows * Double(shape.vocabularySize) * 16
            sampler.append(note(.sampler, model.elementwise(bytes: bytes, kernels: 8)))
        }
        table.rows = (PiecewiseCurve(values: head), PiecewiseCurve(values: sampler), rowAxis)
    }

    private mutating func addAttention(_ plan: StagePlan, to table: inout StageTable) {
        for form in plan.attention {
            let part: AttentionTable = attentionTable(form.prompt, form.answer, layers: form.layers)
            evidence[.prefillAttention] = max(evidence[.prefillAttention] ?? .measured, part.evidence.prompts)
            evidence[.decodeAttention] = max(evidence[.decodeAttention] ?? .measured, part.evidence.answers)
            table.attention.append(part)
        }
    }

    private func attentionTable(_ prompt: AttentionShape, _ answer: AttentionShape, layers: Int) -> AttentionTable {
        AttentionTable(
            prompt: prompt, answer: answer, layers: layers, model: model, limits: placement.recipe,
            scales: (scalars.compute, scalars.bandwidth))
    }

    private func addHostWork(_ plan: StagePlan, to table: inout StageTable) {
        if placement.offloadedShare > 0, let link = placement.accelerator.hostLink {
            table.streaming = link.time(bytes: placement.offloadedShare * plan.layerBytes)
        }
        let habits: EngineProfile.LaunchHabits = engine.launches
        // A processor calls its kernels: nothing is launched.
        let launches: Double = placement.accelerator.kind == .cpu ? 0 : 1
        table.launching = launches * Double(habits.kernelsPerLayer * plan.shard.layers.count) * habits.kernel
        table.graphTokens = habits.graphTokens
        table.capturesPrefill = habits.capturesPrefill
        table.sendBytes = 2 * Double(placement.shape.hiddenSize)
        let message: TimeEstimate = links.send(bytes: 0, after: plan.stage)
        let million: TimeEstimate = links.send(bytes: 1e6, after: plan.stage)
        table.send = Link(latency: message.seconds, bandwidth: 1e6 / max(1e-12, million.seconds - message.seconds))
    }
}

extension MixtureOperator {
    /// Experts that at least one of the tokens chose, were every choice equally likely.
    static func touchedExperts(experts: Double, perToken: Double, tokens: Double) -> Double {
        experts * (1 - CostMath.pow(1 - perToken / experts, tokens))
    }
}
