// Rules on alerts, and on what compose and Snowpark ask for.

import CServeCore

extension LintRule {
    static let alertRules: [LintRule] = [
        LintRule(
            "alert-reachable", what: "Alerts compare shares with less than 1.",
            why: "No share exceeds 1: the alert would never fire.", fix: "Lower the threshold.", check: alerts)
    ]

    static let targetRules: [LintRule] = [
        LintRule(
            "compose-hardening",
            what: "Containers run without root, capabilities and a writable root, and may not escalate.",
            why: "They need none of it.", fix: "Render again.", check: hardening),
        LintRule(
            "compose-ports", what: "Ports are bound to the loopback.",
            why: "Docker's rules go before the firewall's: a port is open to all.",
            fix: "Write 127.0.0.1:PORT:PORT and put a proxy before it.", check: ports),
        LintRule(
            "compose-grace", what: "The stop's grace is longer than the drain.", why: "Answers are cut off.",
            fix: "Raise stop_grace_period.", check: composeGrace),
        LintRule(
            "snowpark-name", what: "Names have at most 63 lower-case letters, digits and dashes, a letter first.",
            why: "Snowflake refuses the specification.", fix: "Shorten or correct it.", check: snowparkNames),
        LintRule(
            "snowpark-one-node", what: "The containers of an instance fit one node's accelerators.",
            why: "Snowflake places an instance on one node: it would never start.",
            fix: "Choose a larger family, or plan with fewer ranks.",
            check: snowparkNode),
        LintRule(
            "snowpark-order", what: "The SQL makes things before it uses them.", why: "The script stops half-way.",
            fix: "Repository, stages, pool, PUT, service, grant, endpoints.", check: snowparkOrder),
        LintRule(
            "snowpark-image", .warning, what: "Images lie in the account's own repository.",
            why: "Snowflake pulls from nowhere else.",
            fix: "Render with --image /database/schema/repository/cserve:TAG.",
            check: snowparkImages),
        LintRule(
            "snowpark-idle", .warning, what: "Answers that take over 90 s stream.",
            why: "Snowflake's ingress ends what is silent for so long.", fix: "Tell clients to stream.",
            check: snowparkIdle),
    ]

    @Sendable private static func alerts(_ set: ManifestSet) -> [Place] {
        set.of("PrometheusRule").flatMap { object in
            (object.spec["groups"]?.arrayValue ?? []).flatMap { $0["rules"]?.arrayValue ?? [] }.compactMap {
                rule -> Place? in
                guard let name = rule["alert"]?.stringValue, let text = rule["expr"]?.stringValue,
                    text.contains("cserve:slo_bad")
                else { return nil }
                let limits: [Double] = text.split(separator: ">").dropFirst().compactMap { part in
                    Double(part.split(separator: " ").first ?? "")
                }
                guard let worst = limits.max(), worst >= 1 else { return nil }
                return Place(object: object, detail: "\(name) waits for a share above \(worst).")
            }
        }
    }

    private static func services(_ set: ManifestSet) -> [(name: String, ManifestObject, JSONValue)] {
        guard let compose = set.compose else { return [] }
        return (compose.tree["services"]?.objectValue?.members ?? []).map { ($0.key, compose, $0.value) }
    }

    @Sendable private static func hardening(_ set: ManifestSet) -> [Place] {
        services(set).compactMap { name, object, service in
            let isHard: Bool =
                service["read_only"]?.boolValue == true && service["cap_drop"] == ["ALL"]
                && service["privileged"]?.boolValue != true
                && (service["security_opt"]?.arrayValue ?? []).contains("no-new-privileges:true")
                && !["", "0", "root", "0:0"].contains(service["user"]?.stringValue ?? "")
            return isHard ? nil : Place(object: object, detail: "Service \(name) is not hardened.")
        }
    }

    @Sendable private static func ports(_ set: ManifestSet) -> [Place] {
        services(set).flatMap { name, object, service in
            (service["ports"]?.arrayValue ?? []).filter { !($0.stringValue ?? "").hasPrefix("127.0.0.1:") }
                .map { Place(object: object, detail: "Service \(name) opens \($0.text()) to every network.") }
        }
    }

    @Sendable private static func composeGrace(_ set: ManifestSet) -> [Place] {
        services(set).compactMap { name, object, service in
            guard let drain = ManifestSet.flag("--shutdown-timeout", ManifestSet.words(service)) else { return nil }
            let grace: Int = service["stop_grace_period"]?.stringValue.flatMap { Int($0.dropLast()) } ?? 10
            return grace > drain
                ? nil : Place(object: object, detail: "Service \(name): grace \(grace) s, drain \(drain) s.")
        }
    }

    @Sendable private static func snowparkNames(_ set: ManifestSet) -> [Place] {
        guard let object = set.snowpark else { return [] }
        let spec: JSONValue? = object.tree["spec"]
        let named: [JSONValue] = ["containers", "endpoints", "volumes"].flatMap { spec?[$0]?.arrayValue ?? [] }
        return named.compactMap { $0["name"]?.stringValue }.filter { !ResourceName.isValid($0) }
            .map { Place(object: object, detail: "\"\($0)\" cannot be a name.") }
    }

    @Sendable private static func snowparkNode(_ set: ManifestSet) -> [Place] {
        guard let object = set.snowpark, let sql = set.sql?.tree.stringValue else { return [] }
        let family: InstanceFamily? = InstanceFamily.all.first { sql.contains("INSTANCE_FAMILY = \($0.name) ") }
        let taken: Int = (object.tree["spec"]?["containers"]?.arrayValue ?? []).reduce(0) {
            $0 + ($1["resources"]?["limits"]?["nvidia.com/gpu"]?.intValue ?? 0)
        }
        guard let family, taken > family.count else { return [] }
        return [Place(object: object, detail: "It takes \(taken) GPUs, a node of \(family.name) has \(family.count).")]
    }

    @Sendable private static func snowparkOrder(_ set: ManifestSet) -> [Place] {
        guard let object = set.sql, let sql = object.tree.stringValue else { return [] }
        let order: [String] = [
            "CREATE IMAGE REPOSITORY", "CREATE STAGE", "CREATE COMPUTE POOL", "PUT file://service.yaml",
            "CREATE SERVICE ",
            "GRANT SERVICE ROLE", "SHOW ENDPOINTS",
        ]
        let places: [String.Index?] = order.map { sql.range(of: $0)?.lowerBound }
        if let missing = places.firstIndex(where: { $0 == nil }) {
            return [Place(object: object, detail: "\(order[missing]) is missing.")]
        }
        let found: [String.Index] = places.compactMap { $0 }
        guard let wrong = (1..<found.count).first(where: { found[$0] < found[$0 - 1] }) else { return [] }
        return [Place(object: object, detail: "\(order[wrong]) stands before \(order[wrong - 1]).")]
    }

    @Sendable private static func snowparkImages(_ set: ManifestSet) -> [Place] {
        guard let object = set.snowpark else { return [] }
        return (object.tree["spec"]?["containers"]?.arrayValue ?? []).compactMap { $0["image"]?.stringValue }
            .filter { !$0.hasPrefix("/") && !$0.contains(".snowflakecomputing.com/") }
            .map { Place(object: object, detail: "The image \($0) is elsewhere.") }
    }

    @Sendable private static func snowparkIdle(_ set: ManifestSet) -> [Place] {
        guard let object = set.snowpark, let plan = set.plan else { return [] }
        let slowest: Double = plan.choice.prediction.e2e.p99.high / 1000
        guard slowest > Double(SnowparkManifests.ingressIdleSeconds) else { return [] }
        return [Place(object: object, detail: "1% of the answers may take \(Int(slowest)) s.")]
    }
}
