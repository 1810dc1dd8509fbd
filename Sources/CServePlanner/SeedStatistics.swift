// Intervals from runs with several seeds.
import CServeCore

/// Sums up one figure over runs that differ in their seed alone.
public enum SeedStatistics {
    /// The mean and its 95% confidence interval (Student's t over the runs); one run has no interval.
    public static func estimate(_ values: [Double]) -> PlanEstimate {
        guard let first = values.first else { return PlanEstimate(0) }
        guard values.count > 1 else { return PlanEstimate(first) }
        let count: Double = Double(values.count)
        let mean: Double = values.reduce(0, +) / count
        let squares: Double = values.reduce(0.0) { (sum: Double, value: Double) -> Double in
            sum + (value - mean) * (value - mean)
        }
        let half: Double = quantile(freedom: values.count - 1) * (squares / (count - 1) / count).squareRoot()
        return PlanEstimate(mean, low: mean - half, high: mean + half)
    }

    /// The 97.5% quantile of Student's t, from the usual table (Abramowitz and Stegun, table 26.10).
    static func quantile(freedom: Int) -> Double {
        let table: [Double] = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
            2.120, 2.110, 2.101, 2.093, 2.086,
        ]
        return freedom <= table.count ? table[max(freedom, 1) - 1] : freedom <= 60 ? 2.086 : 2.0
    }
}
