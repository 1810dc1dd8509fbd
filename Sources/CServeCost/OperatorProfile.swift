// A model's operators as profiled on one accelerator: the surest times there are, for that model, accelerator and division.
import CServeCore

/// Times by operator of one model on one accelerator, for one number of ranks.
public struct OperatorProfile: Hashable, Codable, Sendable {
    /// Ranks that share a layer.
    public var ranks: Int
    /// One layer's operators (and what surrounds the layers) by tokens.
    public var dense: [String: Series]
    /// Operators by sampled rows.
    public var perRow: [String: Series]
    /// Attention of one layer.
    public var attention: AttentionGrid
    /// Experts of one layer by tokens, for each number of touched experts; nil without a mixture.
    public var experts: [ExpertSeries]?
    /// How far decodes wait for the longest one.
    public var skew: SkewTable

    /// Measured times over a rising count.
    public struct Series: Hashable, Codable, Sendable {
        /// Counts.
        public var counts: [Double]
        /// Microseconds.
        public var microseconds: [Double]

        /// Takes points of rising counts.
        public init(counts: [Double], microseconds: [Double]) {
            self.counts = counts
            self.microseconds = microseconds
        }

        /// Seconds at a count: linear between points and beyond the last, held below the first.
        public func seconds(at count: Double) -> Double {
            guard let first = counts.first, counts.count > 1, count > first else {
                return (microseconds.first ?? 0) * 1e-6
            }
            let high: Int = max(1, min(counts.count - 1, counts.firstIndex { $0 >= count } ?? counts.count - 1))
            let share: Double = (count - counts[high - 1]) / (counts[high] - counts[high - 1])
            return 1e-6 * (microseconds[high - 1] + share * (microseconds[high] - microseconds[high - 1]))
        }
    }

    /// Experts' times with a number of them touched.
    public struct ExpertSeries: Hashable, Codable, Sendable {
        /// Touched experts.
        public var touched: Double
        /// Times by tokens.
        public var series: Series

        /// Describes the times with so many experts touched.
        public init(touched: Double, series: Series) {
            self.touched = touched
            self.series = series
        }
    }

    /// The operators that every layer has.
    public static let layerOperators = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
    /// The small ones; `layernorm` stands twice in a layer.
    public static let elementwise = ["layernorm", "rotary_emb", "act_fn", "qk_norm"]
    /// What stands once in a stage: the last norm, and what a pass spends between its operators.
    static let once = ["final_layernorm", "overhead"]

    /// Seconds of the experts of one layer.
    func experts(tokens: Double, touched: Double) -> Double {
        guard let experts, let first = experts.first, let last = experts.last else { return 0 }
        if touched <= first.touched { return first.series.seconds(at: tokens) }
        let high: Int = experts.firstIndex { $0.touched >= touched } ?? experts.count - 1
        guard high > 0, touched < last.touched else { return last.series.seconds(at: tokens) }
        let (left, right) = (experts[high - 1], experts[high])
        let share: Double = (touched - left.touched) / (right.touched - left.touched)
        let low: Double = left.series.seconds(at: max(tokens, left.series.counts.first ?? 1))
        return low + share * (right.series.seconds(at: max(tokens, right.series.counts.first ?? 1)) - low)
    }
}
