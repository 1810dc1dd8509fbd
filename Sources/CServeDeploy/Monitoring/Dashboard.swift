// A Grafana dashboard beside the plan: what was promised is drawn as a line in what is measured.

import CServeCore

/// The dashboard of one deployment.
struct Dashboard {
    let context: DeploymentContext
    private let metrics: Metrics

    init(_ context: DeploymentContext) {
        self.context = context
        metrics = Metrics(context)
    }

    /// The dashboard's JSON model (Grafana's schema version 39, time series panels).
    var json: JSONValue {
        let panels: [JSONValue] = latencies + [load, cache, tokens]
        return [
            "uid": .string(String(("cserve-" + context.name + "-" + context.shortDigest).suffix(40))),
            "title": .string("CServe \(context.name)"), "tags": ["cserve", .string(context.shortDigest)],
            "schemaVersion": 39, "refresh": "30s", "time": ["from": "now-6h", "to": "now"],
            "templating": [
                "list": [["name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"]]
            ], "panels": .array(panels.enumerated().map { place($0.element, $0.offset) }),
        ]
    }

    private func place(_ panel: JSONValue, _ index: Int) -> JSONValue {
        guard case .object(var object) = panel else { return panel }
        object["id"] = .integer(index + 1)
        object["gridPos"] = ["h": 8, "w": 12, "x": .integer(index % 2 * 12), "y": .integer(index / 2 * 8)]
        return .object(object)
    }

    private func panel(_ title: String, unit: String, limit: Double? = nil, _ queries: [(String, String)]) -> JSONValue
    {
        var steps: [JSONValue] = [["color": "green", "value": nil]]
        if let limit { steps.append(["color": "red", "value": .double(limit)]) }
        let targets: [JSONValue] = queries.enumerated().map { index, query in
            [
                "refId": .string(String(UnicodeScalar(UInt8(65 + index)))), "expr": .string(query.1),
                "legendFormat": .string(query.0),
            ]
        }
        return [
            "type": "timeseries", "title": .string(title),
            "datasource": ["type": "prometheus", "uid": "${datasource}"],
            "fieldConfig": [
                "defaults": [
                    "unit": .string(unit), "thresholds": ["mode": "absolute", "steps": .array(steps)],
                    "custom": ["thresholdsStyle": ["mode": limit == nil ? "off" : "line"]],
                ], "overrides": [],
            ], "targets": .array(targets),
        ]
    }

    /// One panel per latency: the percentiles, the limit where the plan has one.
    private var latencies: [JSONValue] {
        LatencyMetric.allCases.compactMap { metric -> JSONValue? in
            guard let histogram = metrics.histogram(metric) else { return nil }
            let target: LatencyTarget? = context.plan.guarantee.objective.targets.first { $0.metric == metric }
            let buckets: String = "sum by (le) (rate(\(metrics.series(histogram.name + "_bucket"))[5m]))"
            let title: String = metric.rawValue.uppercased() + (target.map { ", promised \($0)" } ?? "")
            return panel(
                title, unit: "s", limit: target?.limit.seconds,
                [50, 95, 99].map { ("p\($0)", "histogram_quantile(0.\($0), \(buckets))") })
        }
    }

    private var load: JSONValue {
        panel(
            "Requests in flight", unit: "short",
            [
                ("running", "sum(\(metrics.series("vllm:num_requests_running")))"),
                ("waiting", "sum(\(metrics.series("vllm:num_requests_waiting")))"),
            ])
    }

    private var cache: JSONValue {
        panel("KV cache in use", unit: "percentunit", [("{{pod}}", metrics.series("vllm:kv_cache_usage_perc"))])
    }

    private var tokens: JSONValue {
        panel(
            "Tokens", unit: "short",
            [
                ("prompt tokens/s", "sum(rate(\(metrics.series("vllm:prompt_tokens_total"))[5m]))"),
                ("generated tokens/s", "sum(rate(\(metrics.series("vllm:generation_tokens_total"))[5m]))"),
            ])
    }
}
