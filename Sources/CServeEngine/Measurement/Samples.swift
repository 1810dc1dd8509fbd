// Repeated measurements and what is told of them.

/// Some measurements of one thing.
public struct Samples: Hashable, Sendable {
    /// In the order in which they were taken.
    public private(set) var values: [Double]

    /// Starts with what there is.
    public init(_ values: [Double] = []) {
        self.values = values
    }

    /// Adds one.
    public mutating func add(_ value: Double) {
        values.append(value)
    }

    /// Half are below, half above; 0 without any.
    public var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    /// The smallest; 0 without any.
    public var least: Double { values.min() ?? 0 }
    /// The greatest; 0 without any.
    public var greatest: Double { values.max() ?? 0 }
}
