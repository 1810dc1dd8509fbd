// The time of one operator on one accelerator: speed of light over utilisation.
import CServeCore

/// The operators of one accelerator.
struct OperatorModel: Sendable {
    let accelerator: AcceleratorSpec
    let library: UtilisationLibrary
    /// Shares of the peaks that are reached, and seconds per kernel, where nothing was measured.
    let computeShare: Double = 0.75
    let bandwidthShare: Double = 0.75
    let kernelFloor: Double = 3e-6

    init(_ accelerator: AcceleratorSpec, library: UtilisationLibrary) {
        self.accelerator = accelerator
        self.library = library
    }

    /// A matrix `[rows, columns]` times `tokens` vectors.
    func dense(
        tokens: Double, rows: Int, columns: Int, weights: WeightFormat, arithmetic: ArithmeticType
    ) -> TimeEstimate {
        let m: Double = tokens
        let n = Double(rows)
        let k = Double(columns)
        let peak: Double = accelerator.peaks[arithmetic] ?? 1
        let operations: Double = 2 * m * n * k
        let bytes: Double = n * k * weights.bytesPerNumber(columns: columns) + 2 * m * (n + k)
        let bound: Double = max(
            operations / (peak * computeShare), bytes / (accelerator.memoryBandwidth * bandwidthShare))
        return TimeEstimate(seconds: kernelFloor + bound, evidence: .theoretical)
    }

    func prefill(_ work: PrefillWork, _ shape: AttentionShape, peak: Double) -> TimeEstimate {
        let pairs: Double = work.requests * shape.pairs(tokens: work.tokens, context: work.context)
        let read: Double = work.requests * (work.tokens + work.context) * shape.bytesPerPosition
        let bytes: Double = read + work.requests * work.tokens * shape.bytesPerToken
        let bound: Double = max(
            shape.operations(pairs: pairs) / (peak * 0.55), bytes / (accelerator.memoryBandwidth * bandwidthShare))
        return TimeEstimate(seconds: 5e-6 + bound, evidence: .theoretical)
    }

    func decode(_ work: DecodeWork, _ shape: AttentionShape, peak: Double) -> TimeEstimate {
        let seen: Double = min(work.context, shape.window.map(Double.init) ?? work.context)
        let bytes: Double = work.requests * (seen * shape.bytesPerPosition + shape.bytesPerToken)
        let bound: Double = max(
            shape.operations(pairs: work.requests * seen) / (peak * 0.5),
            bytes / (accelerator.memoryBandwidth * bandwidthShare))
        return TimeEstimate(seconds: 8e-6 + bound, evidence: .theoretical)
    }

    func elementwise(bytes: Double, kernels: Double) -> TimeEstimate {
        TimeEstimate(
            seconds: kernels * 1.5e-6 + bytes / (accelerator.memoryBandwidth * 0.8), evidence: .theoretical)
    }
}
