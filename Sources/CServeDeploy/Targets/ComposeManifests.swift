// The compose destination: one machine, one hardened container for each replica with accelerators of its own.

import CServeCore

/// Renders a compose file.
struct ComposeManifests {
    let context: DeploymentContext

    init(_ context: DeploymentContext) { self.context = context }

    /// The file and the recipe that it mounts.
    /// - Throws: ``DeployError``.
    func files() throws(DeployError) -> [RenderedFile] {
        guard context.shape.podsPerReplica == 1 else {
            throw .spansNodes(
                what: "compose", ranks: context.shape.ranks, nodeAccelerators: context.shape.podAccelerators,
                advice: "Use --target kubernetes.")
        }
        var services: [(String, JSONValue)] = []
        if fetches, let model = context.options.model { services.append(("fetch", fetch(model))) }
        for index in 0..<context.shape.replicas { services.append(("engine-\(index)", try engine(index))) }
        let tree: JSONValue = .members([
            ("name", .string(context.name)), ("services", .object(JSONObject(services))),
            ("volumes", context.needsWeights ? ["models": .members([])] : nil),
        ])
        return [
            RenderedFile(
                path: "compose.yaml",
                text: context.header(
                    "One container for each replica, on one machine; replicas listen on ports of their own.")
                    + YAMLEmitter.text(tree)),
            RenderedFile(path: "plan/recipe.json", text: RecipeText.json(context.recipe)),
        ]
    }

    private var fetches: Bool { context.needsWeights && context.options.model != nil }

    /// What every container is held to.
    private func hardened(_ rest: [(String, JSONValue?)]) -> JSONValue {
        .members(
            [
                ("user", "10001:10001"), ("read_only", true), ("cap_drop", ["ALL"]),
                ("security_opt", ["no-new-privileges:true"]), ("init", true),
            ] + rest + [
                ("logging", ["driver": "json-file", "options": ["max-size": "50m", "max-file": "5"]])
            ])
    }

    private func fetch(_ model: HubModel) -> JSONValue {
        let words: [String] = ["cserve", "fetch", model.description, "--to", context.modelFolder, "--quiet"]
        return hardened([
            ("image", .string(context.options.fetcher)), ("entrypoint", .strings(words)),
            ("environment", ["HOME": "/tmp", "HF_ENDPOINT": "${HF_ENDPOINT:-https://huggingface.co}"]),
            ("volumes", ["models:/models"]), ("tmpfs", ["/tmp:size=64m,mode=1777"]), ("restart", "on-failure:5"),
        ])
    }

    private func engine(_ index: Int) throws(DeployError) -> JSONValue {
        let command = EngineCommand(context: context)
        let words: [String] = try command.words(
            host: "0.0.0.0", port: context.options.port, recipe: "/plan/recipe.json")
        return hardened([
            ("image", .string(context.options.image)), ("entrypoint", .strings(words)),
            ("depends_on", fetches ? ["fetch": ["condition": "service_completed_successfully"]] : nil),
            ("environment", .map(environment)),
            ("ports", [.string("127.0.0.1:\(context.options.port + index):\(context.options.port)")]),
            ("volumes", .strings((context.needsWeights ? ["models:/models:ro"] : []) + ["./plan:/plan:ro"])),
            ("tmpfs", ["/tmp:size=10g,mode=1777"]),
            ("shm_size", .string("\(context.shape.sharedMemoryBytes >> 20)m")),
            ("ulimits", ["memlock": -1, "nofile": ["soft": 65536, "hard": 65536]]),
            ("stop_signal", "SIGTERM"), ("stop_grace_period", .string("\(context.shape.times.graceSeconds)s")),
            ("restart", "unless-stopped"), ("deploy", resources(index)), ("healthcheck", healthCheck(command)),
        ])
    }

    private var environment: [(String, String)] {
        let isVLLM: Bool = context.options.engine == .vllm
        var variables: [(String, String)] = [
            ("HF_HUB_OFFLINE", "1"),
            (isVLLM ? "VLLM_API_KEY" : "CSERVE_API_KEY", "${CSERVE_API_KEY:?the key that clients bring}"),
        ]
        if context.shape.usesGPUs { variables.append(("CUDA_DEVICE_ORDER", "PCI_BUS_ID")) }
        if isVLLM { variables += [("HOME", "/tmp"), ("USER", "cserve"), ("VLLM_CACHE_ROOT", "/tmp/vllm")] }
        return variables + CollectiveSettings.variables(context.shape, hasRDMA: false)
    }

    /// Accelerators by number, so that replicas do not share one.
    private func resources(_ index: Int) -> JSONValue {
        let limits: JSONValue = [
            "memory": .string("\(context.shape.memoryBytes >> 20)m"), "pids": 4096,
        ]
        guard context.shape.usesGPUs else { return ["resources": ["limits": limits]] }
        let first: Int = index * context.shape.podAccelerators
        let numbers: [String] = (first..<(first + context.shape.podAccelerators)).map { "\($0)" }
        return [
            "resources": [
                "limits": limits,
                "reservations": [
                    "devices": [["driver": "nvidia", "device_ids": .strings(numbers), "capabilities": ["gpu"]]]
                ],
            ]
        ]
    }

    /// Health as compose knows it: ready or not. The image of cserve has no shell and no curl, so it asks itself.
    private func healthCheck(_ command: EngineCommand) -> JSONValue {
        let address: String = "http://127.0.0.1:\(context.options.port)\(command.probes.ready)"
        let test: [String] =
            context.options.engine == .cserve
            ? ["CMD", "cserve", "health", "--url", address]
            : ["CMD", "python3", "-c", "import urllib.request as r; r.urlopen('\(address)', timeout=3)"]
        return [
            "test": .strings(test), "interval": "5s", "timeout": "5s", "retries": 3,
            "start_period": .string("\(context.shape.times.startupSeconds)s"), "start_interval": "5s",
        ]
    }
}
