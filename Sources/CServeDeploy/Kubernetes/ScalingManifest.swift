// The autoscaler, where the plan's number of replicas may be exceeded: by requests in flight, the one gauge without a bound.

import CServeCore

extension KubernetesManifests {
    /// The metric by the name that prometheus-adapter gives it.
    static let inFlightMetric: String = "cserve_requests_in_flight"

    /// The autoscaler; none where the plan's number is fixed.
    var scaling: [JSONValue] {
        guard isScaled else { return [] }
        return [context.options.autoscaler == .hpa ? horizontal : scaledObject]
    }

    private var scaledTarget: JSONValue {
        let isGroup: Bool = context.shape.podsPerReplica > 1
        return [
            "apiVersion": isGroup ? "leaderworkerset.x-k8s.io/v1" : "apps/v1",
            "kind": isGroup ? "LeaderWorkerSet" : "Deployment", "name": .string(context.name),
        ]
    }

    /// Up at once by as many as there are, down one at a time: a replica takes minutes to load.
    private var behavior: JSONValue {
        [
            "scaleUp": [
                "stabilizationWindowSeconds": 30, "selectPolicy": "Max",
                "policies": [["type": "Percent", "value": 100, "periodSeconds": 60]],
            ],
            "scaleDown": [
                "stabilizationWindowSeconds": .integer(min(3600, max(300, 2 * context.shape.times.loadSeconds))),
                "policies": [["type": "Pods", "value": 1, "periodSeconds": 120]],
            ],
        ]
    }

    private var horizontal: JSONValue {
        object(
            "autoscaling/v2", "HorizontalPodAutoscaler", metadata(context.name),
            [
                (
                    "spec",
                    [
                        "scaleTargetRef": scaledTarget, "minReplicas": .integer(context.shape.replicas),
                        "maxReplicas": .integer(context.shape.maxReplicas),
                        "metrics": [
                            [
                                "type": "Pods",
                                "pods": [
                                    "metric": ["name": .string(Self.inFlightMetric)],
                                    "target": [
                                        "type": "AverageValue",
                                        "averageValue": .string("\(context.shape.requestsInFlight)"),
                                    ],
                                ],
                            ]
                        ], "behavior": behavior,
                    ]
                )
            ])
    }

    /// KEDA keeps the current number when Prometheus does not answer.
    private var scaledObject: JSONValue {
        let trigger: JSONValue = [
            "type": "prometheus", "metricType": "AverageValue",
            "metadata": [
                "serverAddress": "http://prometheus-operated.monitoring.svc:9090",
                "query": .string("sum(\(Metrics(context).inFlight))"),
                "threshold": .string("\(context.shape.requestsInFlight)"),
            ],
        ]
        return object(
            "keda.sh/v1alpha1", "ScaledObject", metadata(context.name),
            [
                (
                    "spec",
                    [
                        "scaleTargetRef": scaledTarget, "minReplicaCount": .integer(context.shape.replicas),
                        "maxReplicaCount": .integer(context.shape.maxReplicas), "pollingInterval": 15,
                        "cooldownPeriod": 300,
                        "fallback": [
                            "failureThreshold": 3, "replicas": .integer(context.shape.replicas),
                            "behavior": "currentReplicasIfHigher",
                        ], "advanced": ["horizontalPodAutoscalerConfig": ["behavior": behavior]], "triggers": [trigger],
                    ]
                )
            ])
    }
}
