// Reads and writes plan.json; another version or a broken field is refused with its place.

extension DeploymentPlan {
    /// Reads a plan.
    /// - Parameters:
    ///   - bytes: the file's bytes.
    ///   - file: its name, for messages.
    /// - Throws: ``DeploymentPlanError``.
    public static func read(_ bytes: [UInt8], file: String) throws(DeploymentPlanError) -> DeploymentPlan {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw .notJSON(file: file, reason: "\(error)")
        }
        guard let version = value["schema_version"] else { throw .notAPlan(file: file) }
        guard version.intValue == DeploymentPlan.version else {
            throw .unknownVersion(file: file, found: version.text(), known: DeploymentPlan.version)
        }
        let plan: DeploymentPlan
        do {
            plan = try value.decoded(file: file)
        } catch {
            throw .field(error)
        }
        try plan.check(file: file)
        return plan
    }

    /// The plan as it is written to a file.
    public var json: JSONValue { (try? JSONValue(encoding: self)) ?? .null }

    /// Refuses what contradicts itself: a deployment would fail on it later.
    private func check(file: String) throws(DeploymentPlanError) {
        let recipe: Recipe = choice.recipe
        let sizes: [(String, Int)] = [
            ("recipe.tensor_parallel_size", recipe.tensorParallelSize),
            ("recipe.pipeline_parallel_size", recipe.pipelineParallelSize),
            ("recipe.data_parallel_size", recipe.dataParallelSize),
        ]
        for (field, size) in sizes where size < 1 {
            throw .contradiction(file: file, field: field, reason: "it is \(size), but there must be at least one")
        }
        let needed: Int = recipe.tensorParallelSize * recipe.pipelineParallelSize * recipe.dataParallelSize
        let there: Int = choice.hardware.nodes.reduce(0) { $0 + $1.count * $1.accelerators }
        guard needed <= there else {
            throw .contradiction(
                file: file, field: "hardware.nodes",
                reason: "the recipe needs \(needed) accelerators, and the nodes have \(there)")
        }
    }
}

/// Why a plan cannot be read.
public enum DeploymentPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not JSON.
    case notJSON(file: String, reason: String)
    /// JSON, but no plan.
    case notAPlan(file: String)
    /// A plan of a format that this build does not know.
    case unknownVersion(file: String, found: String, known: Int)
    /// A field is missing or of the wrong kind.
    case field(JSONFieldError)
    /// Fields that contradict each other.
    case contradiction(file: String, field: String, reason: String)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .notJSON(let file, let reason): "\(file) is not a plan: \(reason)."
        case .notAPlan(let file):
            "\(file) is not a plan: it lacks \"schema_version\". Write one with cserve plan -o \(file)."
        case .unknownVersion(let file, let found, let known):
            "\(file) is a plan of version \(found), but this build reads version \(known). "
                + "Use the cserve that wrote it, or plan again."
        case .field(let error): error.description
        case .contradiction(let file, let field, let reason):
            "\(file): \"\(field)\" does not fit: \(reason). Correct the file, or plan again."
        }
    }
}
