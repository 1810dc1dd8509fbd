// Fits a calibration's scalars to a short probe: a minute of steps, their compositions and how long they took.
import CServeCore

/// One measured step of a probe.
public struct ProbeStep: Hashable, Sendable {
    /// What it computed.
    public var step: StepComposition
    /// How long it took, the host included, in seconds.
    public var seconds: Double

    /// Describes a measured step.
    public init(_ step: StepComposition, seconds: Double) {
        self.step = step
        self.seconds = seconds
    }
}

extension Calibration {
    /// Steps that a fit needs at least.
    public static let leastSteps = 20

    /// A calibration by five scalars, the cache's blocks taken as reported.
    /// - Parameters:
    ///   - probe: Measured steps; every fifth is kept for the remaining error and not fitted to.
    ///   - cost: The times without calibration, of a replica with one stage.
    /// - Returns: The calibration, and the error before it.
    /// - Throws: ``CalibrationError/tooFew(what:found:needed:)``.
    public static func fitted(
        title: String, date: String, probe: [ProbeStep], cost: StepCost, kvBlocks: Int? = nil
    ) throws(CalibrationError) -> (calibration: Calibration, before: ErrorSummary) {
        guard probe.count >= leastSteps else {
            throw .tooFew(what: "steps of a probe", found: probe.count, needed: leastSteps)
        }
        let rows: [(work: [Double], seconds: Double)] = probe.map { (cost.probeParts($0.step), $0.seconds) }
        let fitted = rows.enumerated().filter { $0.offset % 5 != 4 }.map(\.element)
        let kept = rows.enumerated().filter { $0.offset % 5 == 4 }.map(\.element)
        let start: [Double] = [1, 1, 1, max(cost.engine.host.step, 1e-6), max(cost.engine.host.request, 1e-8)]
        let values: [Double] = ProbeFit.fit(fitted, start: start)
        let scalars = Scalars(
            compute: values[0], bandwidth: values[1], hostStep: values[3], hostRequest: values[4], allReduce: values[2],
            kvBlocks: kvBlocks)
        let after = ErrorSummary(kept.map { ProbeFit.time($0.work, values) / $0.seconds - 1 })
        let before = ErrorSummary(kept.map { ProbeFit.time($0.work, start) / $0.seconds - 1 })
        return (Calibration(title: title, date: date, scalars: scalars, interval: after.interval), before)
    }
}

enum ProbeFit {
    /// The time of a step's parts under scalars.
    static func time(_ parts: [Double], _ scalars: [Double]) -> Double {
        zip(parts, scalars).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// Least squares of relative errors. What the probe does not show stays as it was: every scalar is held at its start
    /// with a millionth of the rows' weight; one that came out below zero stays at its start.
    static func fit(_ rows: [(work: [Double], seconds: Double)], start: [Double]) -> [Double] {
        var free: [Int] = Array(start.indices)
        var values: [Double] = start
        while !free.isEmpty {
            let solved: [Double] = solve(rows, start: start, free: free)
            let negative: [Int] = free.indices.filter { solved[$0] <= 0 }
            if negative.isEmpty {
                for (place, scalar) in free.enumerated() { values[scalar] = solved[place] }
                return values
            }
            free = free.indices.filter { !negative.contains($0) }.map { free[$0] }
        }
        return values
    }

    /// Solves the normal equations of the free scalars by elimination.
    private static func solve(
        _ rows: [(work: [Double], seconds: Double)], start: [Double], free: [Int]
    ) -> [Double] {
        let count: Int = free.count
        var matrix: [[Double]] = Array(repeating: Array(repeating: 0, count: count + 1), count: count)
        for row in rows {
            let fixed: Double = start.indices.filter { !free.contains($0) }.reduce(0) { $0 + row.work[$1] * start[$1] }
            for i in 0..<count {
                let weight: Double = row.work[free[i]] / (row.seconds * row.seconds)
                for j in 0..<count { matrix[i][j] += weight * row.work[free[j]] }
                matrix[i][count] += weight * (row.seconds - fixed)
            }
        }
        for i in 0..<count {
            let hold: Double = 1e-6 * Double(rows.count) / (start[free[i]] * start[free[i]])
            matrix[i][i] += hold
            matrix[i][count] += hold * start[free[i]]
        }
        for i in 0..<count {
            for j in (i + 1)..<max(count, i + 1) {
                let factor: Double = matrix[j][i] / matrix[i][i]
                for k in i...count { matrix[j][k] -= factor * matrix[i][k] }
            }
        }
        var solution: [Double] = Array(repeating: 0, count: count)
        for i in (0..<count).reversed() {
            let known: Double = ((i + 1)..<max(count, i + 1)).reduce(0) { $0 + matrix[i][$1] * solution[$1] }
            solution[i] = (matrix[i][count] - known) / matrix[i][i]
        }
        return solution
    }
}

extension StepCost {
    /// Seconds that arithmetic bounds, that memory bounds, and of sums across ranks; then one step and its requests.
    func probeParts(_ step: StepComposition) -> [Double] {
        let parts: StepBreakdown = breakdown(of: step, stage: 0)
        let others: [OperatorKind] = [.allReduce, .host, .sendReceive]
        let work: Double = parts.seconds - others.reduce(0) { $0 + parts[$1] }
        let dense: Double = parts[.dense] + parts[.mixture] + parts[.head]
        let compute: Double = dense * arithmeticShare(tokens: Double(step.tokens)) + parts[.prefillAttention]
        return [compute, work - compute, parts[.allReduce], 1, Double(step.decodes + step.prefills.count)]
    }

    /// The part that arithmetic has in a matrix's time by speed of light.
    private func arithmeticShare(tokens: Double) -> Double {
        let peak: Double = placement.accelerator.peaks[placement.precision.arithmetic] ?? 1
        let arithmetic: Double = 2 * tokens / peak
        let memory: Double =
            placement.precision.weights.bytesPerNumber(columns: placement.shape.hiddenSize)
            / placement.accelerator.memoryBandwidth
        return arithmetic / (arithmetic + memory)
    }
}
