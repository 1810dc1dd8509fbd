// Prometheus histograms and the edges of vLLM's, which dashboards expect exactly.

/// Counts observations per bucket.
struct Histogram: Sendable {
    let edges: [Double]
    private(set) var counts: [Int]
    private(set) var sum: Double = 0

    init(_ edges: [Double]) {
        self.edges = edges
        counts = [Int](repeating: 0, count: edges.count + 1)
    }

    /// A histogram that was counted elsewhere.
    init(edges: [Double], counts: [Int], sum: Double) {
        self.edges = edges
        self.counts = counts.count == edges.count + 1 ? counts : [Int](repeating: 0, count: edges.count + 1)
        self.sum = sum
    }

    /// Counts a value, or the same value several times.
    mutating func observe(_ value: Double, times: Int = 1) {
        counts[bucket(of: value)] += times
        sum += value * Double(times)
    }

    /// The first bucket whose edge is not below the value, by bisection.
    private func bucket(of value: Double) -> Int {
        var low: Int = 0
        var high: Int = edges.count
        while low < high {
            let middle: Int = (low + high) / 2
            if edges[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Bucket edges (vllm/v1/metrics/loggers.py), and finer ones for small models.
enum Edges {
    static let firstToken: [Double] = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
        2560,
    ]
    static let perToken: [Double] = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
    ]
    static let request: [Double] = [
        0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
    ]
    static let answers: [Double] = [1, 2, 5, 10, 20]
    /// `cserve:` inter-token latency: from a tenth of a millisecond.
    static let finePerToken: [Double] = series(from: 0.0001, decades: 5)
    /// `cserve:` latencies: from a millisecond.
    static let fineLatency: [Double] = series(from: 0.001, decades: 6)
    /// Seconds of an HTTP exchange (prometheus_fastapi_instrumentator's high resolution, which vLLM uses).
    static let http: [Double] = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60,
    ]

    /// 1, 2, 5, 10, … up to a model's length, as vLLM's `build_1_2_5_buckets`.
    static func oneTwoFive(upTo limit: Int) -> [Double] {
        var edges: [Double] = []
        var scale: Int = 1
        while true {
            for step in [1, 2, 5] {
                guard step * scale <= limit else { return edges.isEmpty ? [1] : edges }
                edges.append(Double(step * scale))
            }
            scale *= 10
        }
    }

    private static func series(from start: Double, decades: Int) -> [Double] {
        let tenth: Int = Int((1 / start).rounded())
        var edges: [Double] = []
        var scale: Int = 1
        for _ in 0..<decades {
            for step in [10, 15, 20, 30, 50, 75] { edges.append(Double(step * scale) / Double(tenth * 10)) }
            scale *= 10
        }
        return edges
    }
}
