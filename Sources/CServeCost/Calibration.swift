// What was measured on the very hardware: it replaces curves, or corrects them, and carries its own error.
import CServeCore

/// A model's times as measured on one accelerator.
public struct Calibration: Hashable, Codable, Sendable {
    /// What was measured where: GPU, model, engine version.
    public var title: String
    /// When: `2026-04-24`.
    public var date: String
    /// Six numbers that correct the curves.
    public var scalars: Scalars
    /// The host's costs as measured, ingress and egress included; nil keeps the engine's. The scalars go before them.
    public var host: EngineProfile.HostCosts?
    /// The model's operators as profiled, by number of ranks; empty for a calibration by scalars alone.
    public var profiles: [OperatorProfile]
    /// What must be said where it is used; nil: nothing.
    public var note: String?
    /// The error that remains, as shares of the measured time at the 5th and the 95th percentile: -0.02 is 2% too short.
    public var interval: ErrorInterval

    /// Corrections; 1 (or nil) changes nothing.
    public struct Scalars: Hashable, Codable, Sendable {
        /// Measured over predicted time of what arithmetic bounds.
        public var compute: Double
        /// Measured over predicted time of what memory bounds.
        public var bandwidth: Double
        /// Seconds of the host per step; nil keeps the engine's.
        public var hostStep: Double?
        /// Seconds of the host per request of a step; nil keeps the engine's.
        public var hostRequest: Double?
        /// Measured over predicted time of sums across ranks.
        public var allReduce: Double
        /// Blocks of the KV cache that the engine reported; nil takes the computed ones.
        public var kvBlocks: Int?

        /// Describes corrections.
        public init(
            compute: Double = 1, bandwidth: Double = 1, hostStep: Double? = nil, hostRequest: Double? = nil,
            allReduce: Double = 1, kvBlocks: Int? = nil
        ) {
            self.compute = compute
            self.bandwidth = bandwidth
            self.hostStep = hostStep
            self.hostRequest = hostRequest
            self.allReduce = allReduce
            self.kvBlocks = kvBlocks
        }

        /// JSON names carry the units.
        public enum CodingKeys: String, CodingKey {
            case compute
            case bandwidth
            case hostStep = "host_step_s"
            case hostRequest = "host_request_s"
            case allReduce = "all_reduce"
            case kvBlocks = "kv_blocks"
        }
    }

    /// Describes a calibration.
    public init(
        title: String, date: String, scalars: Scalars = Scalars(), host: EngineProfile.HostCosts? = nil,
        profiles: [OperatorProfile] = [], interval: ErrorInterval = ErrorInterval()
    ) {
        self.title = title
        self.date = date
        self.scalars = scalars
        self.host = host
        self.profiles = profiles
        self.interval = interval
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case title
        case date
        case scalars
        case host
        case profiles
        case note
        case interval
    }
}

/// A range of relative errors: predicted over measured, less one.
public struct ErrorInterval: Hashable, Codable, Sendable {
    /// The 5th percentile.
    public var low: Double
    /// The 95th percentile.
    public var high: Double

    /// Describes a range; the default claims nothing better than 15% either way.
    public init(low: Double = -0.15, high: Double = 0.15) {
        self.low = low
        self.high = high
    }
}
