// What an engine must know besides the model that it runs: the scheduler's settings, the vocabulary, the seed.

import CServeCore
import CServeScheduling

/// The settings of a running engine.
public struct EngineConfiguration: Sendable {
    /// The scheduler's settings: cache size, limits, policy, end tokens.
    public var scheduler: SchedulerConfiguration
    /// Token ids that the model's head scores.
    public var vocabularySize: Int
    /// Seeds requests that bring no seed of their own.
    public var seed: UInt64 = 0
    /// Steps that are logged for profiles and calibrations; 0 logs none and costs nothing.
    public var loggedSteps: Int = 0
    /// Makes the mask of a branch whose answer must follow a grammar; nil, or a nil result, leaves it free.
    public var logitMask: (@Sendable (Request, _ branch: Int) -> (any LogitMask)?)?

    /// Creates the settings.
    public init(scheduler: SchedulerConfiguration, vocabularySize: Int, seed: UInt64 = 0) {
        self.scheduler = scheduler
        self.vocabularySize = vocabularySize
        self.seed = seed
    }

    /// The model's end-of-sequence tokens, ascending.
    var endTokens: [TokenID] { scheduler.eosTokenIDs.sorted() }
}
