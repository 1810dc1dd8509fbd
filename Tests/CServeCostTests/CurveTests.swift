import CServeCore
import Testing

@testable import CServeCost

@Suite("Utilisation curves")
struct CurveTests {
    private let rates = DeviceRates(CostShapes.a100())

    /// Times that follow the physical model, slowed by a smooth factor.
    private func samples() -> [KernelSample] {
        var samples: [KernelSample] = []
        for m in [1, 4, 16, 64, 256, 1024, 4096] {
            for n in [512, 2048, 8192] {
                for k in [512, 2048, 8192] {
                    let work = KernelWork.gemm(m: Double(m), n: Double(n), k: Double(k), type: "bfloat16")
                    let factor: Double = 1 + 0.1 * CostMath.log2(Double(m)) / 12
                    let seconds: Double = factor * work.modelled(rates, GemmPhysics.constants)
                    samples.append(KernelSample(work, seconds: seconds))
                }
            }
        }
        return samples
    }

    private func curve(_ samples: [KernelSample]) -> KernelCurve {
        KernelCurve(
            .gemm(type: "bfloat16"), accelerator: "a100", rates: rates, samples: samples,
            constants: GemmPhysics.constants)
    }

    @Test("a measured point is answered exactly")
    func exactOnPoints() {
        let samples: [KernelSample] = samples()
        let curve: KernelCurve = curve(samples)
        for sample in samples {
            let answer: TimeEstimate = curve.time(of: sample.work)
            #expect(abs(answer.seconds / sample.seconds - 1) < 1e-9)
            #expect(answer.evidence == .measured)
        }
    }

    @Test("between points the utilisation stays within its neighbours', outside it is held")
    func bracketedAndHeld() {
        let curve: KernelCurve = curve(samples())
        let inside = KernelWork.gemm(m: 100, n: 3000, k: 1000, type: "bfloat16")
        let ratio: Double = curve.time(of: inside).seconds / inside.modelled(rates, GemmPhysics.constants)
        #expect(ratio > 1 && ratio < 1.1)
        #expect(curve.time(of: inside).evidence == .interpolated)
        let outside = KernelWork.gemm(m: 65536, n: 8192, k: 8192, type: "bfloat16")
        let edge: Double = curve.time(of: outside).seconds / outside.modelled(rates, GemmPhysics.constants)
        #expect(abs(edge - 1.1) < 1e-9)
        #expect(curve.time(of: outside).evidence == .extrapolated)
    }

    @Test("repeated rows count once, by their geometric mean")
    func merging() {
        let work = KernelWork.gemm(m: 8, n: 64, k: 64, type: "bfloat16")
        let merged: [KernelSample] = KernelCurve.merged([
            KernelSample(work, seconds: 1e-6), KernelSample(work, seconds: 4e-6),
        ])
        #expect(merged.count == 1)
        #expect(abs(merged[0].seconds - 2e-6) < 1e-12)
    }

    @Test("the tree finds what a full search finds")
    func treeSearch() {
        var generator = SearchGenerator(seed: 3)
        let points: [Double] = (0..<900).map { _ in generator.unit() }
        let tree = PointTree(points, dimensions: 3)
        for _ in 0..<50 {
            let query: [Double] = [generator.unit(), generator.unit(), generator.unit()]
            let all: [Double] = (0..<300).map { point in
                (0..<3).reduce(0) { sum, axis in
                    let gap: Double = query[axis] - points[point * 3 + axis]
                    return sum + gap * gap
                }
            }
            let found: [Double] = tree.nearest(query, most: 5).map(\.distance)
            for (left, right) in zip(found, all.sorted()) { #expect(abs(left - right) < 1e-12) }
        }
    }

    @Test("a fit finds the constants that made the times")
    func fitRecovers() {
        var truth: [Double] = GemmPhysics.constants
        truth[GemmPhysics.Constant.compute.rawValue] *= 0.7
        truth[GemmPhysics.Constant.floor.rawValue] *= 2
        let made: [KernelSample] = samples().map {
            KernelSample($0.work, seconds: $0.work.modelled(rates, truth))
        }
        let fitted: [Double] = KernelCurve.fit(
            .gemm(type: "bfloat16"), [(rates: rates, samples: made)], hold: 0.0001, seed: 7)
        let errors = ErrorSummary(made.map { $0.work.modelled(rates, fitted) / $0.seconds - 1 })
        #expect(errors.median < 0.03)
    }

    @Test("an accelerator's own curve is taken before a sibling's, and strangers lend nothing")
    func borrowing() {
        let owner = UtilisationLibrary.Accelerator(name: "a100", spec: CostShapes.a100())
        let library = UtilisationLibrary(accelerators: [owner], curves: [curve(samples())], collectives: [])
        let kind = CurveKind.gemm(type: "bfloat16")
        #expect(library.curve(kind, for: CostShapes.a100())?.nearness == .measured)
        var smaller: AcceleratorSpec = CostShapes.a100()
        smaller.memoryBandwidth = 1.555e12
        #expect(library.curve(kind, for: smaller)?.nearness == .sibling)
        #expect(library.curve(kind, for: CostShapes.l4()) == nil)
    }

    @Test("a collective is exact on its points, between them in logarithms, beyond them at the last rate")
    func collectives() {
        let key = CollectiveCurve.Key(accelerator: "a100", way: "graph", ranks: 4)
        let curve = CollectiveCurve(
            key,
            [
                CollectiveCurve.Point(bytes: 1000, seconds: 1e-5), CollectiveCurve.Point(bytes: 100_000, seconds: 1e-4),
            ])
        #expect(curve.time(bytes: 1000) == TimeEstimate(seconds: 1e-5, evidence: .measured))
        #expect(abs(curve.time(bytes: 10_000).seconds / 3.1623e-5 - 1) < 1e-4)
        #expect(curve.time(bytes: 200_000).seconds == 2e-4)
        #expect(curve.time(bytes: 10).seconds == 1e-5)
    }

    @Test("percentiles of errors are numpy's")
    func percentiles() {
        // numpy.percentile([1, 2, 3, 4], [50, 90]) = [2.5, 3.7]
        let errors = ErrorSummary([-4, 1, 3, 2])
        #expect(abs(errors.median - 2.5) < 1e-12)
        #expect(abs(errors.p90 - 3.7) < 1e-12)
        #expect(abs(errors.bias - 1.5) < 1e-12)
    }
}
