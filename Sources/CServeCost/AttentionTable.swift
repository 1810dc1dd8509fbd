// Attention of one form in a stage: the physical model, times what was measured over it, tabulated for quick reading.
import CServeCore

/// One form of attention in a stage.
struct AttentionTable: Sendable {
    private let prompt: AttentionShape
    private let answer: AttentionShape
    private let layers: Double
    private let rates: DeviceRates
    private let isProcessor: Bool
    /// Measured over modelled time by requests and tokens, times what a probe found.
    private let prompts: GridTable
    private let answers: GridTable
    private let prefillConstants: [Double]
    private let decodeConstants: [Double]
    private let model: OperatorModel
    /// The weakest evidence of the points that were tabulated.
    let evidence: (prompts: EvidenceKind, answers: EvidenceKind)

    init(
        prompt: AttentionShape, answer: AttentionShape, layers: Int, model: OperatorModel, limits: Recipe,
        scales: (prompts: Double, answers: Double)
    ) {
        self.prompt = prompt
        self.answer = answer
        self.layers = Double(layers)
        self.model = model
        rates = model.rates
        isProcessor = model.isProcessor
        let (prefill, decode) = (PrefillPhysics.constants, DecodePhysics.constants)
        prefillConstants = prefill
        decodeConstants = decode
        let rates: DeviceRates = model.rates
        var weakest: (prompts: EvidenceKind, answers: EvidenceKind) = (.measured, .measured)
        prompts = GridTable(rows: 9, columns: 16) { requests, tokens in
            let work = PrefillWork(requests: requests, tokens: tokens, context: 0)
            let estimate: TimeEstimate = model.prefill(work, prompt)
            // Prompts of this batch size could not run in one step anyway: they say nothing of the evidence.
            if requests * tokens <= Double(limits.maxNumBatchedTokens) {
                weakest.prompts = max(weakest.prompts, estimate.evidence)
            }
            return scales.prompts * estimate.seconds
                / PrefillPhysics.seconds(work, prompt, rates, peak: rates.halfPeak, prefill)
        }
        answers = GridTable(rows: 12, columns: 18) { requests, context in
            let work = DecodeWork(requests: requests, context: context)
            let estimate: TimeEstimate = model.decode(work, answer)
            if requests <= Double(limits.maxNumSeqs) { weakest.answers = max(weakest.answers, estimate.evidence) }
            return scales.answers * estimate.seconds / DecodePhysics.seconds(work, answer, rates, decode, isCold: true)
        }
        evidence = weakest
    }

    /// Pieces of prompts of different sizes, as a batch of like ones with the same number of tokens and of pairs.
    func prefill(_ pieces: [StepComposition.PrefillChunk]) -> Double {
        var tokens: Double = 0
        var squares: Double = 0
        var contexts: Double = 0
        for piece in pieces {
            let length = Double(piece.tokens)
            tokens += length
            squares += length * length
            contexts += length * Double(piece.context)
        }
        guard tokens > 0 else { return 0 }
        let mean: Double = squares / tokens
        let work = PrefillWork(requests: tokens / mean, tokens: mean, context: contexts / tokens)
        if isProcessor { return layers * model.prefill(work, prompt).seconds }
        // Behind a context a piece works like a longer prompt: the length with the same number of pairs.
        let alike: Double = (mean * (mean + 2 * work.context)).squareRoot()
        let measured: Double = prompts(CostMath.log2(work.requests), CostMath.log2(alike))
        return layers * measured
            * PrefillPhysics.seconds(work, prompt, rates, peak: rates.halfPeak, prefillConstants)
    }

    /// Decodes at their mean context, and a part of the way to the longest, for which the kernel's last blocks wait.
    func decode(_ step: StepComposition) -> Double {
        guard step.decodes > 0 else { return 0 }
        let requests = Double(step.decodes)
        let mean: Double = Double(step.decodeContext) / requests
        let even: Double = decode(requests, mean)
        let longest = Double(step.longestDecodeContext)
        guard longest > mean * 1.01 else { return layers * even }
        return layers * (even + Skew.share * (decode(requests, longest) - even))
    }

    @inline(__always)
    private func decode(_ requests: Double, _ context: Double) -> Double {
        let work = DecodeWork(requests: requests, context: context)
        if isProcessor { return model.decode(work, answer).seconds }
        let measured: Double = answers(CostMath.log2(requests), CostMath.log2(context))
        return measured * DecodePhysics.seconds(work, answer, rates, decodeConstants, isCold: true)
    }
}
