// The names under which engines tell what they do: cserve's own finer histograms, vLLM's where vLLM serves.

import CServeCore

/// Expressions over an engine's metrics, as `/metrics` names them.
struct Metrics {
    let engine: DeploymentEngine
    /// Selects this deployment's series: `namespace="…",service="…"`, which Prometheus adds when it scrapes.
    let selection: String

    init(_ context: DeploymentContext) {
        engine = context.options.engine
        selection = "namespace=\"\(context.options.namespace)\",service=\"\(context.name)\""
    }

    func series(_ name: String, _ more: String = "") -> String {
        "\(name){\(selection)\(more.isEmpty ? "" : "," + more)}"
    }

    /// Requests that run or wait, per pod.
    var inFlight: String { series("vllm:num_requests_running") + " + " + series("vllm:num_requests_waiting") }

    /// A latency's histogram; nil: none is exposed.
    func histogram(_ metric: LatencyMetric) -> Histogram? {
        let isOwn: Bool = engine == .cserve
        return switch metric {
        case .ttft:
            isOwn
                ? Histogram(name: "cserve:time_to_first_token_seconds", edges: Histogram.fine)
                : Histogram(name: "vllm:time_to_first_token_seconds", edges: Histogram.firstToken)
        // Per request only under vLLM's name: cserve exposes the same edges.
        case .tpot: Histogram(name: "vllm:request_time_per_output_token_seconds", edges: Histogram.perToken)
        case .itl:
            isOwn
                ? Histogram(name: "cserve:inter_token_latency_seconds", edges: Histogram.finePerToken)
                : Histogram(name: "vllm:inter_token_latency_seconds", edges: Histogram.perToken)
        case .e2e:
            isOwn
                ? Histogram(name: "cserve:e2e_request_latency_seconds", edges: Histogram.fine)
                : Histogram(name: "vllm:e2e_request_latency_seconds", edges: Histogram.request)
        }
    }

    /// A histogram and its edges in seconds.
    struct Histogram {
        var name: String
        var edges: [Double]

        /// The largest edge within a limit: answers between the two count as bad, never as good. Nil: the limit is below
        /// every edge.
        func edge(within limit: Double) -> Double? { edges.last { $0 <= limit * (1 + 1e-9) } }

        /// vLLM's edges (vllm/v1/metrics/loggers.py), which cserve's own `vllm:` histograms have too.
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
        /// cserve's own: 1, 1.5, 2, 3, 5, 7.5 of each decade, from a millisecond.
        static let fine: [Double] = series(from: 0.001, decades: 6)
        /// The same from a tenth of a millisecond.
        static let finePerToken: [Double] = series(from: 0.0001, decades: 5)

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
}
