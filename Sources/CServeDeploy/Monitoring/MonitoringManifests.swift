// What is watched, for the Prometheus operator and Grafana's sidecar.

import CServeCore

extension KubernetesManifests {
    /// Scraping, rules and dashboard.
    var monitoring: [JSONValue] { [serviceMonitor, rules, dashboard] }

    /// The label by which kube-prometheus-stack finds monitors and rules.
    private var stackLabels: JSONValue {
        .map(selector + [("app.kubernetes.io/managed-by", "cserve"), ("release", "kube-prometheus-stack")])
    }

    private func stackMetadata(_ name: String) -> JSONValue {
        guard case .object(var object) = metadata(name) else { return .null }
        object["labels"] = stackLabels
        return .object(object)
    }

    /// `/metrics` asks for a key as every route but the probes does.
    private var serviceMonitor: JSONValue {
        object(
            "monitoring.coreos.com/v1", "ServiceMonitor", stackMetadata(context.name),
            [
                (
                    "spec",
                    [
                        "selector": ["matchLabels": .map(selector)],
                        "endpoints": [
                            [
                                "port": "http", "path": "/metrics", "interval": "10s", "scrapeTimeout": "5s",
                                "authorization": [
                                    "type": "Bearer", "credentials": ["name": .string(apiKeySecret), "key": "key"],
                                ],
                            ]
                        ],
                    ]
                )
            ])
    }

    private var rules: JSONValue {
        object(
            "monitoring.coreos.com/v1", "PrometheusRule", stackMetadata(context.name),
            [("spec", ["groups": .array(AlertRules(context).groups)])])
    }

    private var dashboard: JSONValue {
        guard case .object(var metadata) = metadata("\(context.name)-dashboard") else { return .null }
        metadata["labels"] = .map(selector + [("app.kubernetes.io/managed-by", "cserve"), ("grafana_dashboard", "1")])
        return object(
            "v1", "ConfigMap", .object(metadata),
            [("data", ["\(context.name).json": .string(Dashboard(context).json.text(.pretty) + "\n")])])
    }
}

/// The rules of one deployment.
struct AlertRules {
    let context: DeploymentContext
    private let metrics: Metrics

    init(_ context: DeploymentContext) {
        self.context = context
        metrics = Metrics(context)
    }

    /// Targets that Prometheus can watch.
    var watched: [WatchedTarget] { context.plan.guarantee.objective.targets.compactMap { WatchedTarget($0, metrics) } }

    /// Targets that it cannot.
    var unwatched: [LatencyTarget] {
        context.plan.guarantee.objective.targets.filter { WatchedTarget($0, metrics) == nil }
    }

    /// Rule groups: shares and burn rates where the plan has targets, and the engine's own troubles.
    var groups: [JSONValue] {
        var groups: [JSONValue] = []
        let records: [JSONValue] = watched.flatMap { target in
            BurnWindow.windows.map { record(target.record($0), target.ratio($0)) }
        }
        let alerts: [JSONValue] = watched.flatMap { target in BurnWindow.all.map { burn(target, $0) } }
        if !records.isEmpty { groups.append(group("slo", records + alerts)) }
        return groups + [group("engine", engineAlerts)]
    }

    private func group(_ name: String, _ rules: [JSONValue]) -> JSONValue {
        ["name": .string("\(context.name)-\(name)"), "interval": "30s", "rules": .array(rules)]
    }

    /// Recorded with this deployment's labels, so that two deployments do not mix.
    private func record(_ name: String, _ expression: String) -> JSONValue {
        [
            "record": .string(name), "expr": .string(expression),
            "labels": ["namespace": .string(context.options.namespace), "service": .string(context.name)],
        ]
    }

    private func burn(_ target: WatchedTarget, _ window: BurnWindow) -> JSONValue {
        let threshold: String = "\((target.threshold(window.factor) * 1e6).rounded() / 1e6)"
        let parts: [String] = [window.long, window.short].map { "\(metrics.series(target.record($0))) > \(threshold)" }
        let text: String =
            "\(target.target) of plan \(context.shortDigest): more than \(threshold) of the answers took over \(target.edge) s "
            + "for \(window.long). The plan allows \(target.budget)."
        return alert(
            "CServeSLOBurn\(window.name)", parts.joined(separator: " and "), window.wait, window.severity, text)
    }

    private func alert(_ name: String, _ expression: String, _ wait: String, _ severity: String, _ text: String)
        -> JSONValue
    {
        [
            "alert": .string(name), "expr": .string(expression), "for": .string(wait),
            "labels": ["severity": .string(severity), "deployment": .string(context.name)],
            "annotations": ["summary": .string(text)],
        ]
    }

    private var engineAlerts: [JSONValue] {
        let down: JSONValue = alert(
            "CServeDown", "sum(\(metrics.series("up"))) < \(context.shape.replicas) or absent(\(metrics.series("up")))",
            "5m",
            "page", "Fewer than the \(context.shape.replicas) replicas of plan \(context.shortDigest) answer scrapes.")
        let full: JSONValue = alert(
            "CServeCacheFull",
            "max(\(metrics.series("vllm:kv_cache_usage_perc"))) > 0.95 and sum(\(metrics.series("vllm:num_requests_waiting"))) > 0",
            "10m", "ticket", "The KV cache is full and requests wait: the load exceeds plan \(context.shortDigest).")
        guard context.options.engine == .cserve else { return [down, full] }
        let stalled: JSONValue = alert(
            "CServeStalled", "max(\(metrics.series("cserve:stalled_seconds"))) > 60", "1m", "page",
            "An engine has made no step for a minute with work pending.")
        let refusing: JSONValue = alert(
            "CServeRefusing",
            "sum(rate(\(metrics.series("cserve:request_refusals_total"))[10m])) > 0.01 * "
                + "sum(rate(\(metrics.series("http_requests_total", "handler=~\"/v1/.*\""))[10m]))", "10m", "ticket",
            "Over 1% of the requests are refused.")
        return [down, full, stalled, refusing]
    }
}
