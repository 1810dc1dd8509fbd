// The flags of rendering: where to, with which engine, image, model and bounds.

import ArgumentParser
import CServeCore
import CServeDeploy

extension DeploymentTarget: ExpressibleByArgument {}
extension ManifestFormat: ExpressibleByArgument {}
extension DeploymentEngine: ExpressibleByArgument {}
extension ModelCache: ExpressibleByArgument {}
extension Autoscaler: ExpressibleByArgument {}

/// What is asked beside the plan.
struct RenderOptions: ParsableArguments {
    @Option(help: "Where to: local, compose, kubernetes, gke, eks or snowpark.")
    var target: DeploymentTarget

    @Option(help: "How manifests are packed: plain, helm or kustomize.")
    var format: ManifestFormat = .plain

    @Option(help: "What serves: cserve or vllm (default: the engine that was planned for).")
    var engine: DeploymentEngine?

    @Option(help: "Another option of the plan, by its name.")
    var option: String?

    @Option(help: "The engine's image: REGISTRY/NAME@sha256:DIGEST (default: the image that Tools/image builds).")
    var image: String = DeployOptions.localImage

    @Option(help: "The image that has cserve fetch, where the engine's has not.")
    var fetchImage: String?

    @Option(help: "The model on its hub: OWNER/NAME@COMMIT.")
    var model: String?

    @Option(
        help: "Where pods find the weights: volume (filled once), image (OCI artefact) or node (each pod's own disk).")
    var modelCache: ModelCache = .volume

    @Option(help: "The weights as an image, for --model-cache image.")
    var modelImage: String?

    @Option(help: "The storage class of the model volume.")
    var storageClass: String?

    @Option(help: "Names every object (default: cserve- and the model's name).")
    var name: String?

    @Option(help: "The namespace.")
    var namespace: String = "cserve"

    @Option(help: "The most replicas of an autoscaler (default: the plan's number, no autoscaler).")
    var maxReplicas: Int?

    @Option(help: "Which autoscaler: hpa or keda.")
    var autoscaler: Autoscaler = .hpa

    @Option(help: "Replicas whose accelerators stand by for rollouts.")
    var spare: Int = 0

    @Option(help: "Seconds that running answers get (default: the longest answer that the plan allows).")
    var drain: Int?

    @Option(help: "Seconds until an engine is ready (default: weights over --load-rate).")
    var load: Int?

    @Option(help: "Bytes per second at which weights are read, in MB/s.")
    var loadRate: Int?

    @Option(help: "Processors per accelerator.")
    var cpus: Int?

    @Option(help: "Host memory per accelerator in GiB.")
    var memory: Int?

    @Option(help: "The zone that groups of several nodes are pinned to.")
    var zone: String?

    @Flag(help: "The nodes reach each other by RDMA.")
    var rdma: Bool = false

    @Option(help: "Snowflake's DATABASE.SCHEMA.")
    var snowflakeSchema: String = "cserve_db.serving"

    @Option(help: "The port that answers.")
    var port: Int = 8000

    /// The options of a plan; its own engine, and its model's place on the hub, where none are named.
    func resolved(_ plan: DeploymentPlan) throws -> DeployOptions {
        let planned: DeploymentEngine? = DeploymentEngine(rawValue: plan.provenance.engine)
        var options = DeployOptions(target: target, engine: engine ?? planned ?? .cserve)
        options.format = format
        options.name = name
        options.namespace = namespace
        options.image = image
        options.fetchImage = fetchImage
        options.model = try model.map { try HubModel(parsing: $0) }
        options.modelCache = modelCache
        options.modelImage = modelImage
        options.storageClass = storageClass
        options.maxReplicas = maxReplicas
        options.autoscaler = autoscaler
        options.zone = zone
        options.hasRDMA = rdma
        options.snowflakeSchema = snowflakeSchema
        bound(&options)
        return options
    }

    private func bound(_ options: inout DeployOptions) {
        options.spareReplicas = spare
        options.drainSeconds = drain
        options.loadSeconds = load
        options.port = port
        loadRate.map { options.loadBandwidth = Double(max(1, $0)) * 1e6 }
        cpus.map { options.processors = $0 }
        memory.map { options.hostMemoryBytes = $0 << 30 }
    }
}
