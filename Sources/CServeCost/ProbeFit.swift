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

/// A fitted calibration and what it misses.
public struct ProbeResult: Hashable, Sendable {
    /// The calibration; its interval is the held-out steps'.
    public var calibration: Calibration
    /// Errors of the held-out steps without it.
    public var before: ErrorSummary
    /// Errors of the steps that it was fitted to.
    public var fitted: ErrorSummary
    /// Errors of the steps that it was not fitted to.
    public var heldOut: ErrorSummary
}

extension Calibration {
    /// Steps that a fit needs at least.
    public static let leastSteps = 20

    /// A calibration by five scalars, the cache's blocks taken as reported.
    /// - Parameters:
    ///   - probe: Measured steps; every fifth is kept for the remaining error and not fitted to.
    ///   - cost: The times without calibration, of a replica with one stage.
    /// - Returns: The calibration; the errors of the kept steps before it and with it, and of those that it was fitted to.
    /// - Throws: ``CalibrationError/tooFew(what:found:needed:)``.
    public static func fitted(
        title: String, date: String, probe: [ProbeStep], cost: StepCost, kvBlocks: Int? = nil
    ) throws(CalibrationError) -> ProbeResult {
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
        let inside = ErrorSummary(fitted.map { ProbeFit.time($0.work, values) / $0.seconds - 1 })
        let after = ErrorSummary(kept.map { ProbeFit.time($0.work, values) / $0.seconds - 1 })
        let before = ErrorSummary(kept.map { ProbeFit.time($0.work, start) / $0.seconds - 1 })
        return ProbeResult(
            calibration: Calibration(title: title, date: date, scalars: scalars, interval: after.interval),
            before: before, fitted: inside, heldOut: after)
    }
}

enum ProbeFit {
    /// The time of a step's parts under scalars.
    static func time(_ parts: [Double], _ scalars: [Double]) -> Double {
        zip(parts, scalars).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// What is left of a scalar of which the probe shows less than nothing.
    private static let floor = 0.02
    /// Relative errors beyond so many medians (two deviations of normal ones) weigh less, as Huber 1964 has it.
    private static let outlier = 3.0
    /// Errors up to this are none.
    private static let exact = 0.02

    /// Least squares of relative errors, outliers (other programs' moments) with less weight from the second pass on.
    ///
    /// What the probe does not show stays as it was: every scalar is held at its start with a millionth of the rows' weight.
    static func fit(_ rows: [(work: [Double], seconds: Double)], start: [Double]) -> [Double] {
        var weights: [Double] = Array(repeating: 1, count: rows.count)
        var values: [Double] = start
        for _ in 0..<6 {
            values = positive(rows, weights, start: start)
            let errors: [Double] = rows.map { abs(time($0.work, values) / $0.seconds - 1) }
            let limit: Double = max(exact, outlier * ErrorSummary.percentile(errors.sorted(), 0.5))
            weights = errors.map { $0 <= limit ? 1 : limit / $0 }
        }
        return values
    }

    /// Scalars above zero: the one that comes out furthest below is fixed near nothing, and the others are solved again.
    private static func positive(
        _ rows: [(work: [Double], seconds: Double)], _ weights: [Double], start: [Double]
    ) -> [Double] {
        var free: [Int] = Array(start.indices)
        var values: [Double] = start
        while !free.isEmpty {
            let solved: [Double] = solve(rows, weights, start: start, fixed: values, free: free)
            let worst: Int? = free.indices.min { solved[$0] / start[free[$0]] < solved[$1] / start[free[$1]] }
            guard let worst, solved[worst] < floor * start[free[worst]] else {
                for (place, scalar) in free.enumerated() { values[scalar] = solved[place] }
                return values
            }
            values[free[worst]] = floor * start[free[worst]]
            free.remove(at: worst)
        }
        return values
    }

    /// Solves the normal equations of the free scalars by elimination.
    private static func solve(
        _ rows: [(work: [Double], seconds: Double)], _ weights: [Double], start: [Double], fixed values: [Double],
        free: [Int]
    ) -> [Double] {
        let count: Int = free.count
        var matrix: [[Double]] = Array(repeating: Array(repeating: 0, count: count + 1), count: count)
        for (place, row) in rows.enumerated() {
            let fixed: Double = start.indices.filter { !free.contains($0) }.reduce(0) { $0 + row.work[$1] * values[$1] }
            for i in 0..<count {
                let weight: Double = weights[place] * row.work[free[i]] / (row.seconds * row.seconds)
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
