// Intervals from runs with several seeds.
import CServeCore
import CServeSimulator

/// Sums up one figure over runs that differ in their seed alone.
public enum SeedStatistics {
    /// The mean and its 95% confidence interval (Student's t over the runs); one run has no interval.
    public static func estimate(_ values: [Double]) -> PlanEstimate {
        let estimate = Estimate(of: values)
        return PlanEstimate(estimate.mean, low: estimate.low, high: estimate.high)
    }
}
