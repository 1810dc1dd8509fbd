// Times of single forward passes, collected until they are a model's profile: medians over rounds, arranged by shape.
import CServeCore

/// Measured times of one model on one machine, all of its layers together.
public struct ProfileSamples: Sendable {
    /// Operators by tokens: ``OperatorProfile/layerOperators``, ``OperatorProfile/elementwise``, `embedding`, `overhead`,
    /// `experts`.
    private var dense: [String: [Double: [Double]]] = [:]
    private var rows: [String: [Double: [Double]]] = [:]
    private var attention: [[Double]: [Double]] = [:]

    /// Nothing yet.
    public init() {}

    /// Adds the time of an operator in one pass.
    public mutating func add(_ name: String, tokens: Int, seconds: Double) {
        dense[name, default: [:]][Double(tokens), default: []].append(seconds)
    }

    /// Adds the time of the head (`lm_head`) or of sampling (`sampler`) for so many rows.
    public mutating func add(_ name: String, rows count: Int, seconds: Double) {
        rows[name, default: [:]][Double(count), default: []].append(seconds)
    }

    /// Adds the attention of a piece of a prompt behind a context.
    public mutating func addPrompt(tokens: Int, context: Int, seconds: Double) {
        attention[[Double(tokens), Double(context), 0, 0], default: []].append(seconds)
    }

    /// Adds the attention of decodes, each of so many positions (its own included).
    public mutating func addDecodes(requests: Int, context: Int, seconds: Double) {
        attention[[0, 0, Double(requests), Double(context)], default: []].append(seconds)
    }

    /// The profile of one rank that holds all layers.
    /// - Parameters:
    ///   - layers: The model's layers.
    ///   - experts: Experts of a mixture, for models that are one.
    public func profile(layers: Int, experts: Int? = nil) -> OperatorProfile {
        var series: [String: OperatorProfile.Series] = [:]
        for (name, points) in dense where name != "experts" {
            series[name] = Self.series(points, divisor: Self.count(name, layers: layers))
        }
        let mixture: [OperatorProfile.ExpertSeries]? = experts.flatMap { experts in
            dense["experts"].map {
                [
                    OperatorProfile.ExpertSeries(
                        touched: Double(experts), series: Self.series($0, divisor: Double(layers)))
                ]
            }
        }
        let points: [AttentionGrid.Point] = attention.map {
            AttentionGrid.Point(place: $0.key, microseconds: Self.median($0.value) * 1e6 / Double(layers))
        }
        // A processor's threads take requests in turn: nobody waits for the longest.
        return OperatorProfile(
            ranks: 1, dense: series, perRow: rows.mapValues { Self.series($0, divisor: 1) },
            attention: AttentionGrid(points), experts: mixture, skew: SkewTable(standard: 0))
    }

    /// How often an operator stands in the model, as ``StageTableBuilder`` counts it.
    private static func count(_ name: String, layers: Int) -> Double {
        if name == "layernorm" { return Double(2 * layers) }
        let isInLayers: Bool =
            OperatorProfile.layerOperators.contains(name) || OperatorProfile.elementwise.contains(name)
        return isInLayers ? Double(layers) : 1
    }

    private static func series(_ points: [Double: [Double]], divisor: Double) -> OperatorProfile.Series {
        let sorted = points.sorted { $0.key < $1.key }
        return OperatorProfile.Series(
            counts: sorted.map(\.key), microseconds: sorted.map { median($0.value) * 1e6 / divisor })
    }

    static func median(_ values: [Double]) -> Double { ErrorSummary.percentile(values.sorted(), 0.5) }
}
