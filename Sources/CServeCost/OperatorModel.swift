// The time of one operator on one accelerator: what was measured where possible, a sibling's utilisation, or physics.
import CServeCore

/// The operators of one accelerator.
struct OperatorModel: Sendable {
    let rates: DeviceRates
    let isProcessor: Bool
    private let gemms: [String: UtilisationLibrary.Match]
    private let prefillCurve: UtilisationLibrary.Match?
    private let decodeCurve: UtilisationLibrary.Match?
    private let unmeasured: EvidenceKind

    init(_ accelerator: AcceleratorSpec, library: UtilisationLibrary) {
        rates = DeviceRates(accelerator)
        isProcessor = accelerator.kind == .cpu
        var gemms: [String: UtilisationLibrary.Match] = [:]
        gemms["bfloat16"] = library.curve(.gemm(type: "bfloat16"), for: accelerator)
        // A measurement with other kernels around the product still tells of the product.
        let bytes: [UtilisationLibrary.Match] = ["fp8", "fp8_eager"].compactMap {
            library.curve(.gemm(type: $0), for: accelerator)
        }
        gemms["fp8"] = bytes.min { $0.nearness < $1.nearness }
        self.gemms = gemms
        prefillCurve = library.curve(.prefill, for: accelerator)
        decodeCurve = library.curve(.decode, for: accelerator)
        unmeasured = library.isEmpty || accelerator.kind == .cpu ? .theoretical : .scaled
    }

    /// A matrix `[rows, columns]` times `tokens` vectors, the weights read from memory.
    func dense(
        tokens: Double, rows: Double, columns: Double, weights: WeightFormat, arithmetic: ArithmeticType
    ) -> TimeEstimate {
        let peak: Double = rates.peaks[arithmetic] ?? rates.halfPeak
        let isByte: Bool = arithmetic == .fp8 || arithmetic == .int8
        let bytes: Double = weights.bytesPerNumber(columns: Int(columns))
        var physical = GemmWork(
            m: tokens, n: rows, k: columns, weightBytes: bytes, inputBytes: isByte ? 1 : 2, peak: peak)
        if isProcessor { return processorTime(physical) }
        if isByte { physical.quantising = .fused }
        let name: String = isByte ? "fp8" : "bfloat16"
        guard let match = gemms[name] else {
            return TimeEstimate(
                seconds: GemmPhysics.seconds(physical, rates, GemmPhysics.constants, isCold: true), evidence: unmeasured
            )
        }
        let measured = KernelWork.gemm(m: tokens, n: rows, k: columns, type: name)
        let answer: MeasuredSurface.Answer = match.curve.surface(measured.coordinates)
        let modelled: Double = GemmPhysics.seconds(physical, rates, match.curve.constants, isCold: true)
        // Codes narrower than the arithmetic, and whole numbers of a byte, were not measured: their neighbours lend.
        let differs: Bool = abs(bytes - (isByte ? 1 : 2)) > 0.1 || arithmetic == .int8
        let evidence: EvidenceKind = max(answer.evidence, match.nearness, differs ? .neighbouring : .measured)
        return TimeEstimate(seconds: modelled * CMath.exp(answer.value), evidence: evidence)
    }

    /// A processor's cores work from caches of their own: speed of light at three quarters, a microsecond to start.
    private func processorTime(_ work: GemmWork) -> TimeEstimate {
        TimeEstimate(seconds: 1e-6 + work.lightTime(rates) / 0.75, evidence: .theoretical)
    }

    func prefill(_ work: PrefillWork, _ shape: AttentionShape) -> TimeEstimate {
        if isProcessor {
            let pairs: Double = work.requests * shape.pairs(tokens: work.tokens, context: work.context)
            return TimeEstimate(
                seconds: 1e-6 + shape.operations(pairs: pairs) / (rates.halfPeak * 0.5), evidence: .theoretical)
        }
        let kernel = KernelWork.prefill(
            requests: work.requests, tokens: work.tokens, context: work.context, shape: shape)
        return time(kernel, prefillCurve)
    }

    func decode(_ work: DecodeWork, _ shape: AttentionShape) -> TimeEstimate {
        if isProcessor {
            let seen: Double = min(work.context, shape.window.map(Double.init) ?? work.context)
            let bytes: Double = work.requests * seen * shape.bytesPerPosition
            return TimeEstimate(seconds: 1e-6 + bytes / (rates.bandwidth * 0.7), evidence: .theoretical)
        }
        return time(.decode(requests: work.requests, context: work.context, shape: shape), decodeCurve)
    }

    private func time(_ work: KernelWork, _ match: UtilisationLibrary.Match?) -> TimeEstimate {
        guard let match else {
            return TimeEstimate(
                seconds: work.modelled(rates, work.curve.constants, isCold: true), evidence: unmeasured)
        }
        var estimate: TimeEstimate = match.curve.time(of: work, on: rates, isCold: true)
        estimate.evidence = max(estimate.evidence, match.nearness)
        return estimate
    }

    /// Kernels that read and write without much arithmetic: three quarters of the bandwidth, and a short start each. What
    /// fits the second-level cache is still there from the kernel before: on RTX 4090 (72 MB) a norm of 67 MB runs at 2.4
    /// TB/s, an activation of 176 MB at the memory's 1.0.
    func elementwise(bytes: Double, kernels: Double) -> TimeEstimate {
        let start: Double = isProcessor ? 0.5e-6 : rates.seconds(kilocycles: 4)
        let memory: Double = rates.bandwidth * 0.75
        let cached: Double = max(memory, rates.processors * 6.27 * rates.clock * 1e6)
        let hit: Double = isProcessor ? 0 : min(1, max(0, 2 - bytes / kernels / rates.cache))
        let moved: Double = bytes * (hit / cached + (1 - hit) / memory)
        return TimeEstimate(seconds: kernels * start + moved, evidence: .theoretical)
    }
}
