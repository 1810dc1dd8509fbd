// What is asked of a rendering beside the plan: where to, with which engine, image, model and bounds.

import CServeCore

/// A destination of a deployment.
public enum DeploymentTarget: String, Hashable, Sendable, CaseIterable {
    /// Processes on one machine.
    case local
    /// Containers on one machine, by compose.
    case compose
    /// Any Kubernetes cluster whose nodes carry the GPU labels of NVIDIA's feature discovery.
    case kubernetes
    /// Google's Kubernetes: accelerator labels and node pools.
    case gke
    /// Amazon's Kubernetes: instance types and managed node groups.
    case eks
    /// Snowpark Container Services.
    case snowpark

    /// Whether its files are Kubernetes manifests.
    public var isKubernetes: Bool { self == .kubernetes || self == .gke || self == .eks }
    /// Whose machines it runs on; nil: anybody's.
    var provider: String? { self == .gke ? "gcp" : self == .eks ? "aws" : nil }
}

/// How Kubernetes manifests are packed.
public enum ManifestFormat: String, Hashable, Sendable, CaseIterable {
    /// Files for `kubectl apply -f`.
    case plain
    /// A Helm chart.
    case helm
    /// A Kustomize base.
    case kustomize
}

/// The program that serves.
public enum DeploymentEngine: String, Hashable, Sendable, CaseIterable {
    /// This project's engine.
    case cserve
    /// vLLM, its flags taken from the recipe.
    case vllm
}

/// Where pods find the weights.
public enum ModelCache: String, Hashable, Sendable, CaseIterable {
    /// A volume claim that a job fills once.
    case volume
    /// An image volume: the weights as an OCI artefact, pinned by digest (Kubernetes 1.36, before that a feature gate).
    case image
    /// A volume of each pod's own on its node's disk, filled when the pod starts.
    case node
}

/// Who changes the number of replicas.
public enum Autoscaler: String, Hashable, Sendable, CaseIterable {
    /// Kubernetes' own autoscaler, with the metric from prometheus-adapter.
    case hpa
    /// KEDA, which asks Prometheus itself.
    case keda
}

/// What is asked beside the plan. Rendering is a function of the plan and these alone.
public struct DeployOptions: Hashable, Sendable {
    /// Where to.
    public var target: DeploymentTarget
    /// How manifests are packed.
    public var format: ManifestFormat = .plain
    /// What serves.
    public var engine: DeploymentEngine
    /// Names every object; nil: `cserve-` and the model's name.
    public var name: String?
    /// The namespace that everything lies in.
    public var namespace: String = "cserve"
    /// The engine's image.
    public var image: String = DeployOptions.localImage
    /// The image that has `cserve fetch`; nil: the engine's own image (engine cserve), or ``localImage``.
    public var fetchImage: String?
    /// The model's repository and revision; nil: the weights are brought by hand.
    public var model: HubModel?
    /// Where pods find the weights.
    public var modelCache: ModelCache = .volume
    /// The weights as an image, for ``ModelCache/image``.
    public var modelImage: String?
    /// The storage class of the model volume; nil: the target's own choice.
    public var storageClass: String?
    /// The most replicas an autoscaler may start; nil: the plan's number, no autoscaler.
    public var maxReplicas: Int?
    /// Which autoscaler.
    public var autoscaler: Autoscaler = .hpa
    /// Replicas for which accelerators stand by, so that a rollout need not take one away first.
    public var spareReplicas: Int = 0
    /// Seconds that running answers get when a pod ends; nil: the longest answer that the plan allows.
    public var drainSeconds: Int?
    /// Seconds until an engine is ready; nil: the weights' bytes over ``loadBandwidth`` and the engine's own start.
    public var loadSeconds: Int?
    /// Bytes per second at which the weights are read. The default is what a gp3 volume gives unless more is paid for
    /// (Amazon EBS volume types: 125 MiB/s), the slowest of the usual volumes.
    public var loadBandwidth: Double = 125 * 1_048_576
    /// Processors of one accelerator's share of a pod.
    public var processors: Int = 2
    /// Bytes of host memory for one accelerator's share of a pod, shared memory not counted.
    public var hostMemoryBytes: Int = 10 << 30
    /// The zone that groups of several nodes are pinned to.
    public var zone: String?
    /// Whether the nodes reach each other by RDMA.
    public var hasRDMA: Bool = false
    /// Snowflake's database and schema for the service.
    public var snowflakeSchema: String = "cserve_db.serving"
    /// The port that answers.
    public var port: Int = 8000

    /// The name under which the Containerfile's script tags its image.
    public static let localImage: String = "cserve:latest"

    /// Asks for a destination.
    public init(target: DeploymentTarget, engine: DeploymentEngine = .cserve) {
        self.target = target
        self.engine = engine
    }

    /// The image whose `cserve fetch` fills the model cache.
    public var fetcher: String { fetchImage ?? (engine == .cserve ? image : DeployOptions.localImage) }
}
