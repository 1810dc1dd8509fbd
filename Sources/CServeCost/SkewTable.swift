// How far a batch of decodes waits for its longest one, as profiled: a share for every kind of batch.

/// Shares of the way from the time at the mean context to the time at the longest.
///
/// Source of the form: LLMServingSim's skew fit (casys-kaist, MIT): buckets of prompt tokens, requests, how many requests
/// are near the longest, the longest context, and the prompt's context.
public struct SkewTable: Hashable, Codable, Sendable {
    /// A bucket's share.
    public struct Row: Hashable, Codable, Sendable {
        /// Prompt tokens of the bucket.
        public var promptTokens: Double
        /// Upper bounds: requests, heaviness, longest context, context of the prompt.
        public var bounds: [Double]
        /// The share.
        public var share: Double

        /// Describes a bucket.
        public init(promptTokens: Double, bounds: [Double], share: Double) {
            self.promptTokens = promptTokens
            self.bounds = bounds
            self.share = share
        }
    }

    /// The share where no bucket was profiled.
    public var standard: Double
    /// The buckets.
    public var rows: [Row]

    /// Takes buckets.
    public init(standard: Double = Skew.share, rows: [Row] = []) {
        self.standard = standard
        self.rows = rows
    }

    /// Reads a bucket's label: `n<=128`, `sr<=15%`, `kvB<=16k`, `kp=0`, `n>256`. The bound that it ends with; infinity
    /// where it has none; nil if it is none of these.
    static func bound(_ label: String) -> Double? {
        if label.contains(">") { return .infinity }
        guard let sign = label.lastIndex(of: "=") else { return nil }
        var text: Substring = label[label.index(after: sign)...]
        var unit: Double = 1
        if text.hasSuffix("k") { unit = 1024 }
        if text.hasSuffix("%") { unit = 0.01 }
        if unit != 1 { text.removeLast() }
        return Double(text).map { $0 * unit }
    }
}

/// A table ready to be read without search: buckets in an array over their axes.
struct SkewReader: Sendable {
    private let standard: Double
    private let axes: [[Double]]
    private let shares: [Double]

    init(_ table: SkewTable) {
        standard = table.standard
        var axes: [[Double]] = [Array(Set(table.rows.map(\.promptTokens))).sorted()]
        for axis in 0..<4 { axes.append(Array(Set(table.rows.map { $0.bounds[axis] })).sorted()) }
        let total: Int = table.rows.isEmpty ? 0 : axes.reduce(1) { $0 * $1.count }
        var shares: [Double] = Array(repeating: .nan, count: total)
        for row in table.rows {
            var place = 0
            for (axis, value) in ([row.promptTokens] + row.bounds).enumerated() {
                place = place * axes[axis].count + (axes[axis].firstIndex(of: value) ?? 0)
            }
            shares[place] = row.share
        }
        self.axes = axes
        self.shares = shares
    }

    /// The share for decodes beside a piece of a prompt.
    func share(promptTokens: Double, requests: Double, heaviness: Double, longest: Double, context: Double) -> Double {
        guard !shares.isEmpty else { return standard }
        var place: Int = nearest(promptTokens)
        place = place * axes[1].count + bucket(1, requests)
        place = place * axes[2].count + bucket(2, heaviness)
        place = place * axes[3].count + bucket(3, longest)
        place = place * axes[4].count + bucket(4, context)
        let share: Double = shares[place]
        return share.isNaN ? standard : min(1, max(0, share))
    }

    private func bucket(_ axis: Int, _ value: Double) -> Int {
        axes[axis].firstIndex { value <= $0 } ?? axes[axis].count - 1
    }

    private func nearest(_ tokens: Double) -> Int {
        let high: Int = axes[0].firstIndex { $0 >= tokens } ?? axes[0].count - 1
        guard high > 0 else { return 0 }
        return tokens - axes[0][high - 1] < axes[0][high] - tokens ? high - 1 : high
    }
}
