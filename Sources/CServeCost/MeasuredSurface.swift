// What was measured over what the physical model says, interpolated between the measured points.

/// The logarithm of measured over modelled time, over logarithmic axes.
///
/// Exact on a measured point. Between points it is the mean of the nearest ones, weighted by inverse distance, so it stays
/// within them; outside of the measured box a query is taken to the box's edge, which holds the utilisation.
struct MeasuredSurface: Sendable {
    /// Weights of the axes: how much an octave on one counts against an octave on another.
    let weights: [Double]
    let neighbours: Int
    let power: Double
    private let tree: PointTree
    private let values: [Double]
    private let low: [Double]
    private let high: [Double]

    /// An answer.
    struct Answer {
        /// The logarithm of measured over modelled time.
        var value: Double
        var evidence: EvidenceKind
    }

    /// Takes points (unweighted coordinates) with their values.
    init(_ coordinates: [[Double]], _ values: [Double], weights: [Double], neighbours: Int, power: Double) {
        self.weights = weights
        self.neighbours = neighbours
        self.power = power
        self.values = values
        var flat: [Double] = []
        flat.reserveCapacity(coordinates.count * weights.count)
        for point in coordinates { for axis in weights.indices { flat.append(point[axis] * weights[axis]) } }
        tree = PointTree(flat, dimensions: weights.count)
        low = weights.indices.map { axis in coordinates.map { $0[axis] * weights[axis] }.min() ?? 0 }
        high = weights.indices.map { axis in coordinates.map { $0[axis] * weights[axis] }.max() ?? 0 }
    }

    var count: Int { values.count }

    /// The value at a point.
    func callAsFunction(_ coordinates: [Double]) -> Answer {
        var query: [Double] = zip(coordinates, weights).map { $0 * $1 }
        var isOutside = false
        for axis in query.indices {
            if query[axis] < low[axis] - 1e-9 || query[axis] > high[axis] + 1e-9 { isOutside = true }
            query[axis] = min(max(query[axis], low[axis]), high[axis])
        }
        let found: [PointTree.Neighbour] = tree.nearest(query, most: neighbours)
        guard let first = found.first else { return Answer(value: 0, evidence: .theoretical) }
        if first.distance < 1e-12 {
            return Answer(value: values[first.point], evidence: isOutside ? .extrapolated : .measured)
        }
        var sum: Double = 0
        var total: Double = 0
        for neighbour in found {
            let weight: Double = 1 / CostMath.pow(neighbour.distance, power / 2)
            sum += weight * values[neighbour.point]
            total += weight
        }
        // Farther than two octaves from everything measured: another shape lends its utilisation.
        let evidence: EvidenceKind = isOutside ? .extrapolated : first.distance > 4 ? .neighbouring : .interpolated
        return Answer(value: sum / total, evidence: evidence)
    }
}
