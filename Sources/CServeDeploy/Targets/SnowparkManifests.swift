// The Snowpark destination: a compute pool, a service specification, and the SQL that makes them in order.

import CServeCore

/// An instance family of Snowflake's.
struct InstanceFamily {
    let name: String
    let accelerator: String
    let count: Int

    /// Families whose accelerators are known. Sources: Snowflake's CREATE COMPUTE POOL reference and the Terraform
    /// provider's documentation, read 2026-08. `SHOW COMPUTE POOL INSTANCE FAMILIES` says what an account has.
    static let all: [InstanceFamily] = [
        InstanceFamily(name: "GPU_NV_S", accelerator: "a10g", count: 1),
        InstanceFamily(name: "GPU_NV_M", accelerator: "a10g", count: 4),
        InstanceFamily(name: "GPU_NV_L", accelerator: "a100-40", count: 8),
        InstanceFamily(name: "GPU_GCP_NV_L4_1_24G", accelerator: "l4", count: 1),
        InstanceFamily(name: "GPU_GCP_NV_L4_4_24G", accelerator: "l4", count: 4),
        InstanceFamily(name: "GPU_GCP_NV_A100_8_40G", accelerator: "a100-40", count: 8),
    ]

    /// The smallest family that holds a replica.
    static func smallest(_ accelerator: String, ranks: Int) -> InstanceFamily? {
        all.filter { $0.accelerator == accelerator && $0.count >= ranks }.min { $0.count < $1.count }
    }
}

/// Renders Snowpark's files.
struct SnowparkManifests {
    let context: DeploymentContext

    /// Seconds without a byte after which Snowflake's ingress ends an answer.
    static let ingressIdleSeconds: Int = 90

    init(_ context: DeploymentContext) { self.context = context }

    /// The specification, the recipe and the SQL.
    /// - Throws: ``DeployError``.
    func files() throws(DeployError) -> [RenderedFile] {
        let family: InstanceFamily = try family()
        let spec: JSONValue = try specification()
        return [
            RenderedFile(
                path: "service.yaml",
                text: context.header("The service: every container of an instance lies on one node.")
                    + YAMLEmitter.text(spec)),
            RenderedFile(path: "plan/recipe.json", text: RecipeText.json(context.recipe)),
            RenderedFile(path: "deploy.sql", text: sql(family)),
        ]
    }

    private func family() throws(DeployError) -> InstanceFamily {
        let (accelerator, ranks): (String, Int) = (context.plan.choice.hardware.accelerator, context.shape.ranks)
        guard let family = InstanceFamily.smallest(accelerator, ranks: ranks) else {
            throw .noFamily(
                accelerator: accelerator, ranks: ranks,
                known: InstanceFamily.all.map { "\($0.name) (\($0.count) x \($0.accelerator))" })
        }
        guard context.shape.podsPerReplica == 1 else {
            throw .spansNodes(
                what: "Snowpark", ranks: ranks, nodeAccelerators: family.count,
                advice: "Plan with smaller --tp and --pp.")
        }
        return family
    }

    /// SQL names: the deployment's with underscores.
    private var identifier: String { context.name.replacing("-", with: "_") }
    private var schema: String { context.options.snowflakeSchema }
    private var folder: String { "\(context.shortDigest)" }

    private func specification() throws(DeployError) -> JSONValue {
        let command = EngineCommand(context: context)
        var amounts: [(String, JSONValue)] = [
            ("memory", .string(Quantity.mebibytes(context.shape.memoryBytes))),
            ("cpu", .string("\(context.shape.processors)")),
        ]
        if context.shape.usesGPUs { amounts.append(("nvidia.com/gpu", .integer(context.shape.podAccelerators))) }
        let resources: JSONValue = .object(JSONObject(amounts))
        let words: [String] = try command.words(
            host: "0.0.0.0", port: context.options.port, recipe: "/plan/recipe.json")
        let container: JSONValue = [
            "name": "engine", "image": .string(context.options.image), "command": .strings(words),
            "env": .map(CollectiveSettings.variables(context.shape, hasRDMA: false) + [("HF_HUB_OFFLINE", "1")]),
            "readinessProbe": ["port": .integer(context.options.port), "path": .string(command.probes.ready)],
            "volumeMounts": .array(mounts), "resources": ["requests": resources, "limits": resources],
        ]
        return [
            "spec": [
                "containers": [container],
                "endpoints": [
                    ["name": "api", "port": .integer(context.options.port), "public": true, "protocol": "HTTP"]
                ], "volumes": .array(volumes), "logExporters": ["eventTableConfig": ["logLevel": "INFO"]],
            ], "serviceRoles": [["name": "api_user", "endpoints": ["api"]]],
        ]
    }

    private var mounts: [JSONValue] {
        var mounts: [JSONValue] = [
            ["name": "plan", "mountPath": "/plan"], ["name": "shm", "mountPath": "/dev/shm"],
        ]
        if context.needsWeights { mounts.append(["name": "models", "mountPath": "/models"]) }
        return mounts
    }

    private var volumes: [JSONValue] {
        var volumes: [JSONValue] = [
            ["name": "plan", "source": .string("@\(schema).plans/\(folder)"), "uid": 10001, "gid": 10001],
            ["name": "shm", "source": "memory", "size": .string(Quantity.gibibytes(context.shape.sharedMemoryBytes))],
        ]
        if context.needsWeights {
            volumes.append(["name": "models", "source": .string("@\(schema).models"), "uid": 10001, "gid": 10001])
        }
        return volumes
    }

    /// Nodes: an instance takes one, so that its accelerators are its own.
    private func sql(_ family: InstanceFamily) -> String {
        let (least, most): (Int, Int) = (context.shape.replicas, context.shape.maxReplicas)
        let stage: String = "ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE') DIRECTORY = (ENABLE = TRUE)"
        return context.header("Makes the service; run from this folder, in this order.", comment: "--") + """
            CREATE IMAGE REPOSITORY IF NOT EXISTS \(schema).images;
            CREATE STAGE IF NOT EXISTS \(schema).plans \(stage);
            CREATE STAGE IF NOT EXISTS \(schema).models \(stage);
            CREATE COMPUTE POOL IF NOT EXISTS \(identifier)_pool MIN_NODES = \(least) MAX_NODES = \(most) INSTANCE_FAMILY = \(family.name) AUTO_RESUME = TRUE AUTO_SUSPEND_SECS = 600;
            -- Push the image to the repository and the weights to the stage before the service starts (README.md).
            PUT file://service.yaml @\(schema).plans/\(folder) AUTO_COMPRESS = FALSE OVERWRITE = TRUE;
            PUT file://plan/recipe.json @\(schema).plans/\(folder) AUTO_COMPRESS = FALSE OVERWRITE = TRUE;
            CREATE SERVICE IF NOT EXISTS \(schema).\(identifier) IN COMPUTE POOL \(identifier)_pool
              FROM @\(schema).plans SPECIFICATION_FILE = '\(folder)/service.yaml'
              AUTO_RESUME = TRUE MIN_INSTANCES = \(least) MIN_READY_INSTANCES = 1 MAX_INSTANCES = \(most);
            GRANT SERVICE ROLE \(schema).\(identifier)!api_user TO ROLE SYSADMIN;
            SHOW ENDPOINTS IN SERVICE \(schema).\(identifier);

            -- Another plan takes this one's place:  ALTER SERVICE \(schema).\(identifier) FROM @\(schema).plans SPECIFICATION_FILE = 'DIGEST/service.yaml';
            -- Back again: the same with '\(folder)/service.yaml'.

            """
    }
}
