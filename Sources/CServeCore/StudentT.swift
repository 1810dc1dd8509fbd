// How far a mean of few runs can be off.

/// Student's t distribution.
public enum StudentT {
    /// The quantile of a two-sided 95% interval. Between the tabled degrees of freedom the smaller one counts, which widens
    /// intervals.
    ///
    /// Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975.
    public static func quantile(degrees: Int) -> Double {
        let few: [Double] = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
            2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ]
        if degrees <= few.count { return few[max(1, degrees) - 1] }
        return degrees < 50 ? 2.042 : degrees < 100 ? 2.009 : 1.984
    }
}
