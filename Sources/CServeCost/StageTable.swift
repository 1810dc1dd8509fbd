// The tabulated times of one stage and how a micro-batch reads them.
import CServeCore

/// How far decodes of different lengths wait for the longest one.
public enum Skew {
    /// The median of the fitted shares in LLMServingSim's skew profiles (0.07 to 0.13 at p50).
    public static let share: Double = 0.08
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
    /// Attention as a profile of this model measured it, in place of ``attention``.
    var profile: ProfiledAttention?
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
        time += attentionTime(of: step)
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
        add(attention: step, to: &parts)
        if let rows, step.sampledRows > 0 {
            let row: CurveAxis.Place = rows.axis.locate(Double(step.sampledRows))
            parts[.head] = rows.head[row]
            parts[.sampler] = rows.sampler[row]
        }
        if !captured { parts[.launch] = max(0, launching - parts.seconds) }
        parts[.streaming] = max(0, streaming - parts.seconds)
        return parts
    }

    @inline(__always)
    private func attentionTime(of step: StepComposition) -> Double {
        if let profile { return profile.time(of: step).seconds }
        var time: Double = 0
        for table in attention {
            if !step.prefills.isEmpty { time += table.prefill(step.prefills) }
            time += table.decode(step)
        }
        return time
    }

    private func add(attention step: StepComposition, to parts: inout StepBreakdown) {
        if let profile {
            let time = profile.time(of: step)
            parts[.prefillAttention] += time.seconds - time.decodes
            parts[.decodeAttention] += time.decodes
        }
        for table in attention where profile == nil {
            parts[.prefillAttention] += table.prefill(step.prefills)
            parts[.decodeAttention] += table.decode(step)
        }
    }
}
