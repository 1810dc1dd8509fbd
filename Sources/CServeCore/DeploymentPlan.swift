// plan.json: what the planner decided and foresees, as data. Deploy, bench, dashboard and the record book only read it.

/// A plan: what to run, on what, what it will do, and how that is known.
///
/// Field names are stable; a change that old readers would misunderstand raises ``version``.
public struct DeploymentPlan: Hashable, Codable, Sendable {
    /// The version of the format that this build writes and reads.
    public static let version: Int = 1

    /// The format's version.
    public var schemaVersion: Int = DeploymentPlan.version
    /// The model.
    public var model: PlanModel
    /// The chosen option: engine settings, hardware, prediction, where its time goes.
    public var choice: PlanOption
    /// What it was planned for.
    public var workload: PlanWorkload
    /// What it must reach.
    public var targets: PlanTargets
    /// What is promised.
    public var guarantee: PlanGuarantee
    /// The named picks, the sweet spot, the efficient frontier and runner-ups, best first; the choice is among them.
    public var alternatives: [PlanOption]
    /// Every option that was not taken into the comparison, with what binds.
    public var rejected: [PlanRejection]
    /// A fleet of several accelerators that serves the same load at less cost, where there is one.
    public var mixedFleet: PlanFleet?
    /// When the choice would be another.
    public var sensitivity: PlanSensitivity
    /// From what all this was derived.
    public var provenance: PlanProvenance

    /// Puts a plan together.
    public init(
        model: PlanModel, choice: PlanOption, workload: PlanWorkload, targets: PlanTargets, guarantee: PlanGuarantee,
        alternatives: [PlanOption] = [], rejected: [PlanRejection] = [], mixedFleet: PlanFleet? = nil,
        sensitivity: PlanSensitivity = PlanSensitivity(), provenance: PlanProvenance
    ) {
        self.model = model
        self.choice = choice
        self.workload = workload
        self.targets = targets
        self.guarantee = guarantee
        self.alternatives = alternatives
        self.rejected = rejected
        self.mixedFleet = mixedFleet
        self.sensitivity = sensitivity
        self.provenance = provenance
    }

    private enum CodingKeys: String, CodingKey {
        case schemaVersion = "schema_version"
        case model
        case workload
        case targets
        case guarantee
        case alternatives
        case rejected
        case mixedFleet = "mixed_fleet"
        case sensitivity
        case provenance
    }

    /// Decodes; the choice's fields (`recipe`, `hardware`, `prediction`, ...) stand at the top level.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        schemaVersion = try fields.decode(Int.self, forKey: .schemaVersion)
        model = try fields.decode(PlanModel.self, forKey: .model)
        choice = try PlanOption(from: decoder)
        workload = try fields.decode(PlanWorkload.self, forKey: .workload)
        targets = try fields.decode(PlanTargets.self, forKey: .targets)
        guarantee = try fields.decode(PlanGuarantee.self, forKey: .guarantee)
        alternatives = try fields.decode([PlanOption].self, forKey: .alternatives)
        rejected = try fields.decode([PlanRejection].self, forKey: .rejected)
        mixedFleet = try fields.decodeIfPresent(PlanFleet.self, forKey: .mixedFleet)
        sensitivity = try fields.decode(PlanSensitivity.self, forKey: .sensitivity)
        provenance = try fields.decode(PlanProvenance.self, forKey: .provenance)
    }

    /// Encodes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(schemaVersion, forKey: .schemaVersion)
        try fields.encode(model, forKey: .model)
        try choice.encode(to: encoder)
        try fields.encode(workload, forKey: .workload)
        try fields.encode(targets, forKey: .targets)
        try fields.encode(guarantee, forKey: .guarantee)
        try fields.encode(sensitivity, forKey: .sensitivity)
        try fields.encodeIfPresent(mixedFleet, forKey: .mixedFleet)
        try fields.encode(alternatives, forKey: .alternatives)
        try fields.encode(rejected, forKey: .rejected)
        try fields.encode(provenance, forKey: .provenance)
    }
}

/// The model of a plan.
public struct PlanModel: Hashable, Codable, Sendable {
    /// The catalogue's name, or the folder or file that was named.
    public var name: String
    /// Weights in all.
    public var parameters: Int
    /// Weights that one token passes.
    public var activeParameters: Int
    /// Identifies the shape, so that a plan is not applied to another model of the same name.
    public var digest: String

    /// Describes a model.
    public init(name: String, parameters: Int, activeParameters: Int, digest: String) {
        self.name = name
        self.parameters = parameters
        self.activeParameters = activeParameters
        self.digest = digest
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case name
        case parameters
        case activeParameters = "active_parameters"
        case digest
    }
}

/// The workload of a plan: enough to know it again and to generate the same requests.
public struct PlanWorkload: Hashable, Codable, Sendable {
    /// A preset's or a trace's name.
    public var name: String
    /// In words: lengths, arrivals, shared prefixes.
    public var description: String
    /// Identifies its definition.
    public var digest: String
    /// Mean tokens of a prompt.
    public var meanPromptTokens: Double
    /// Mean tokens of an answer.
    public var meanOutputTokens: Double
    /// The definition itself, as a workload file has it; a trace is named by its file.
    public var definition: JSONValue

    /// Describes a workload.
    public init(
        name: String, description: String, digest: String, meanPromptTokens: Double, meanOutputTokens: Double,
        definition: JSONValue = .null
    ) {
        self.definition = definition
        self.name = name
        self.description = description
        self.digest = digest
        self.meanPromptTokens = meanPromptTokens
        self.meanOutputTokens = meanOutputTokens
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case name
        case description
        case digest
        case meanPromptTokens = "mean_prompt_tokens"
        case meanOutputTokens = "mean_output_tokens"
        case definition
    }
}

/// What a plan promises, and acceptance checks.
public struct PlanGuarantee: Hashable, Codable, Sendable {
    /// Requests per second up to which it holds.
    public var requestRate: Double
    /// Latencies that hold at that rate.
    public var objective: ServiceLevelObjective
    /// The share of offered requests that keep every limit; nil: the percentiles alone are promised.
    public var goodput: Double?
    /// Whether the targets hold at the upper end of the predictions' intervals too, not only at their middle.
    public var holdsOverInterval: Bool

    /// States a promise.
    public init(
        requestRate: Double, objective: ServiceLevelObjective, goodput: Double? = nil, holdsOverInterval: Bool
    ) {
        self.requestRate = requestRate
        self.objective = objective
        self.goodput = goodput
        self.holdsOverInterval = holdsOverInterval
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case requestRate = "request_rate_per_s"
        case objective
        case goodput = "goodput_share"
        case holdsOverInterval = "holds_over_interval"
    }
}
