// The time of a micro-batch on a stage, from its composition: the cost model that simulator and planner ask.
import CServeCore

/// The times of one placed replica, tabulated once and then read in a microsecond. Pure and without allocation per call.
public struct StepCost: StepTiming {
    /// What the times are of.
    public let placement: ReplicaPlacement
    /// The engine whose habits they follow.
    public let engine: EngineProfile
    /// What was measured on the very hardware, if anything.
    public let calibration: Calibration?
    /// What the times of each operator rest on, the weakest of its points.
    public let evidence: [OperatorKind: EvidenceKind]
    let tables: [StageTable]
    let axis: CurveAxis
    private let host: EngineProfile.HostCosts
    private let hostStep: Double
    private let hostRequest: Double

    /// Tabulates a replica's times.
    /// - Parameter library: The measured utilisation curves; without them times come from data sheets.
    /// - Throws: ``StepCostError``.
    public init(
        _ placement: ReplicaPlacement, engine: EngineProfile, library: UtilisationLibrary = .none,
        calibration: Calibration? = nil
    ) throws(StepCostError) {
        try placement.checkTimes()
        self.placement = placement
        self.engine = engine
        self.calibration = calibration
        host = calibration?.host ?? engine.host
        hostStep = calibration?.scalars.hostStep ?? host.step
        hostRequest = calibration?.scalars.hostRequest ?? host.request
        let profile: OperatorProfile? = calibration?.profiles.first { $0.ranks == placement.parallelism.tensor }
        axis = CurveAxis.tokens(
            upTo: max(placement.recipe.maxNumBatchedTokens, placement.recipe.maxNumSeqs),
            measured: profile?.dense.values.flatMap(\.counts) ?? [])
        var builder = StageTableBuilder(placement, engine, library: library, calibration: calibration, axis: axis)
        var tables: [StageTable] = []
        for stage in 0..<placement.parallelism.pipeline {
            do {
                tables.append(builder.table(try StagePlan(placement, stage: stage)))
            } catch {
                throw .parallelism(error)
            }
        }
        self.tables = tables
        evidence = builder.evidence
    }

    /// Stages of the pipeline.
    public var stages: Int { tables.count }

    /// How long a stage is taken by a micro-batch.
    public func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds {
        guard step.tokens > 0 else { return 0 }
        return nanoseconds(tables[stage].seconds(of: step, at: axis.locate(Double(step.tokens))))
    }

    /// How long the activations take to the next stage.
    public func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds {
        guard step.tokens > 0, stage + 1 < tables.count else { return 0 }
        return nanoseconds(tables[stage].send.time(bytes: tables[stage].sendBytes * Double(step.tokens)))
    }

    /// What the host spends on a step.
    public func hostTime(of step: StepComposition) -> Nanoseconds {
        let requests: Int = step.decodes + step.prefills.count
        return nanoseconds(hostStep + hostRequest * Double(requests))
    }

    /// From a request's arrival until the scheduler has it.
    public func ingressTime(promptTokens: Int) -> Nanoseconds {
        nanoseconds(host.ingress + host.ingressPerToken * Double(promptTokens))
    }

    /// From a step's end until the client has its tokens.
    public var egressTime: Nanoseconds { nanoseconds(host.egress) }

    /// Where the time of a step goes on a stage; the parts add up to ``stageTime(of:stage:)`` and, in addition, the send to
    /// the next stage and (on stage 0) the host.
    public func breakdown(of step: StepComposition, stage: Int) -> StepBreakdown {
        guard step.tokens > 0 else { return StepBreakdown() }
        var parts: StepBreakdown = tables[stage].breakdown(of: step, at: axis.locate(Double(step.tokens)))
        parts[.sendReceive] = Double(sendTime(of: step, after: stage)) / 1e9
        if stage == 0 { parts[.host] = Double(hostTime(of: step)) / 1e9 }
        return parts
    }

    /// How far from the truth a step's time may be, as shares of it: the calibration's own range, or what the weakest
    /// evidence among the operators that take time has been found to miss (docs/results/fidelity.md).
    public var interval: ErrorInterval { calibration?.interval ?? weakestEvidence.interval }

    /// The weakest evidence among the operators that take most of a step's time.
    public var weakestEvidence: EvidenceKind {
        let major: [OperatorKind] = [.dense, .mixture, .prefillAttention, .decodeAttention, .head, .allReduce]
        return major.compactMap { evidence[$0] }.max() ?? .theoretical
    }

    @inline(__always)
    private func nanoseconds(_ seconds: Double) -> Nanoseconds { Nanoseconds((seconds * 1e9).rounded()) }
}

extension ReplicaPlacement {
    /// Refuses what has no time.
    func checkTimes() throws(StepCostError) {
        guard accelerator.peaks[precision.arithmetic] != nil else {
            throw .unsupportedArithmetic(
                precision.arithmetic, accelerator: accelerator.title,
                supported: ArithmeticType.allCases.filter { accelerator.peaks[$0] != nil })
        }
        guard offloadedShare >= 0, offloadedShare <= 1 else { throw .offloadedShare(offloadedShare) }
        guard offloadedShare == 0 || accelerator.hostLink != nil else {
            throw .noHostLink(accelerator: accelerator.title)
        }
        guard accelerators <= node.count || node.network != nil else {
            throw .noNetwork(node: node.name, accelerators: accelerators, perNode: node.count)
        }
    }
}
