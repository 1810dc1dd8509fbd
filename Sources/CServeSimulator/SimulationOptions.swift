// How a simulation is run and what it is asked for besides latencies.
import CServeCore
import CServeWorkload

/// A simulation's settings.
public struct SimulationOptions: Hashable, Codable, Sendable {
    /// How requests come.
    public var load: LoadPattern = .openLoop
    /// The workload's seed: it fixes the prompts' texts, by which prefixes are found.
    public var seed: UInt64 = 0
    /// Tokens of the vocabulary from which prompts are drawn.
    public var vocabularySize: Int = 128_256
    /// What goodput demands of every request.
    public var objective: ServiceLevelObjective = ServiceLevelObjective()
    /// Whether steps that are alike are taken at once. The report is the same either way; this is the faster one.
    public var skipsSteadySteps: Bool = true
    /// Whether the report holds a record of every request.
    public var keepsRecords: Bool = false
    /// The share of the sending time that is left out of the steady window, at its beginning.
    public var rampShare: Double = 0.2
    /// Power of all accelerators of one replica while they work.
    public var busyWatts: Double = 0
    /// Power of all accelerators of one replica while they wait.
    public var idleWatts: Double = 0
    /// Price of one replica.
    public var usdPerReplicaHour: Double = 0

    /// The defaults: an open loop, no objective.
    public init() {}
}
