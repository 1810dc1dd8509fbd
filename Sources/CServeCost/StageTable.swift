// The tabulated times of one stage and how a micro-batch reads them.
import CServeCore

/// One form of attention in a stage.
struct AttentionTable: Sendable {
    let shape: AttentionShape
    let layers: Double
    let model: OperatorModel
    let peak: Double

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
        return layers * model.prefill(work, shape, peak: peak).seconds
    }

    /// Decodes at their mean context, and a part of the way to the longest, for which the kernel's last blocks wait.
    func decode(_ step: StepComposition) -> Double {
        guard step.decodes > 0 else { return 0 }
        let requests = Double(step.decodes)
        let mean: Double = Double(step.decodeContext) / requests
        let even: Double = model.decode(DecodeWork(requests: requests, context: mean), shape, peak: peak).seconds
        let longest = Double(step.longestDecodeContext)
        guard longest > mean * 1.01 else { return layers * even }
        let worst: Double = model.decode(DecodeWork(requests: requests, context: longest), shape, peak: peak).seconds
        return layers * (even + Skew.share * (worst - even))
    }
}

/// How far decodes of different lengths wait for the longest one.
enum Skew {
    /// The median of the fitted shares in LLMServingSim's skew profiles (0.07 to 0.13 at p50).
    static let share: Double = 0.08
}

/// The tabulated times of one stage.
struct StageTable: Sendable {
    /// Seconds by tokens, per operator.
    var byTokens: [(kind: OperatorKind, curve: PiecewiseCurve)] = []
    /// Their sum.
    var tokens: PiecewiseCurve
    /// All-reduce by tokens, from a captured graph and launched one by one.
    var reductions: (captured: PiecewiseCurve, launched: PiecewiseCurve)
    /// Head and sampler by sampled rows; nil where the stage has no head.
    var rows: (head: PiecewiseCurve, sampler: PiecewiseCurve, axis: CurveAxis)?
    var attention: [AttentionTable] = []
    /// Seconds that the streamed weights take over the host's link.
    var streaming: Double = 0
    /// Seconds that the host needs to launch a step that no graph replays.
    var launching: Double = 0
    /// Steps of decodes up to so many tokens are replayed.
    var graphTokens: Int = 0
    var capturesPrefill: Bool = true
    var send: Link
    var sendBytes: Double = 0

    @inline(__always)
    func isCaptured(_ step: StepComposition) -> Bool {
        step.tokens <= graphTokens && (step.prefills.isEmpty || capturesPrefill)
    }

    func seconds(of step: StepComposition, at place: CurveAxis.Place) -> Double {
        let captured: Bool = isCaptured(step)
        var time: Double = tokens[place] + (captured ? reductions.captured[place] : reductions.launched[place])
        for table in attention {
            if !step.prefills.isEmpty { time += table.prefill(step.prefills) }
            time += table.decode(step)
        }
        if let rows, step.sampledRows > 0 {
            let row: CurveAxis.Place = rows.axis.locate(Double(step.sampledRows))
            time += rows.head[row] + rows.sampler[row]
        }
        if !captured { time = max(time, launching) }
        return max(time, streaming)
    }

    func breakdown(of step: StepComposition, at place: CurveAxis.Place) -> StepBreakdown {
        var parts = StepBreakdown()
        for part in byTokens { parts[part.kind] += part.curve[place] }
        let captured: Bool = isCaptured(step)
        parts[.allReduce] = captured ? reductions.captured[place] : reductions.launched[place]
        for table in attention {
            parts[.prefillAttention] += table.prefill(step.prefills)
            parts[.decodeAttention] += table.decode(step)
        }
        if let rows, step.sampledRows > 0 {
            let row: CurveAxis.Place = rows.axis.locate(Double(step.sampledRows))
            parts[.head] = rows.head[row]
            parts[.sampler] = rows.sampler[row]
        }
        if !captured { parts[.launch] = max(0, launching - parts.seconds) }
        parts[.streaming] = max(0, streaming - parts.seconds)
        return parts
    }
}
