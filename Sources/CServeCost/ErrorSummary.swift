// Relative errors in the few numbers that a report needs.

/// Relative errors (predicted over measured, less one), summed up.
public struct ErrorSummary: Hashable, Sendable {
    /// Predictions.
    public var count: Int
    /// The median of the magnitudes.
    public var median: Double
    /// The 90th percentile of the magnitudes.
    public var p90: Double
    /// The median with its sign: what a prediction is too long by.
    public var bias: Double
    /// The 5th and the 95th percentile with their signs.
    public var interval: ErrorInterval

    /// Sums errors up; without any, everything is 0.
    public init(_ errors: [Double]) {
        let signed: [Double] = errors.sorted()
        let sizes: [Double] = errors.map(abs).sorted()
        count = errors.count
        median = ErrorSummary.percentile(sizes, 0.5)
        p90 = ErrorSummary.percentile(sizes, 0.9)
        bias = ErrorSummary.percentile(signed, 0.5)
        interval = ErrorInterval(
            low: ErrorSummary.percentile(signed, 0.05), high: ErrorSummary.percentile(signed, 0.95))
    }

    /// A percentile of sorted numbers, linear between neighbours as numpy has it.
    static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let place: Double = share * Double(sorted.count - 1)
        let low = Int(place)
        guard low + 1 < sorted.count else { return last }
        return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
    }
}
