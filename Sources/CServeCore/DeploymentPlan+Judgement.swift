// Why a plan is what it is: what was rejected, when the choice would be another, and from what it was derived.

/// An option that was left out, and what binds.
public struct PlanRejection: Hashable, Codable, Sendable {
    /// The option's name.
    public var option: String
    /// What binds.
    public var reason: Reason
    /// What binds, with its numbers.
    public var message: String

    /// Kinds of reasons; they group the options in reports.
    public enum Reason: String, Hashable, Codable, Sendable, CaseIterable {
        /// Weights, activations or one request of the full length have no room.
        case memory
        /// Heads, layers or widths do not divide.
        case divisibility
        /// The accelerator cannot compute or store in the type.
        case type
        /// More than may be spent.
        case budget
        /// The price is not known, but a budget is given.
        case price
        /// Tensor parallelism over a link that is too slow, or no link at all.
        case link
        /// More accelerators than may be used or than a node has.
        case count
        /// Another machine has the same accelerators and links for less.
        case dearer
        /// A limit on latency that not even a request alone keeps.
        case latency
        /// The roofline shows that the rate is out of reach.
        case roofline
        /// The simulation shows that the targets are missed.
        case targets
        /// A limit that is never reached makes it the same as another option.
        case same
        /// The same hardware with other settings is so far behind that these were not tried.
        case behind
        /// It would do, but others cost less, carry more for the money, or are faster: it was not confirmed with many requests.
        case outdone
        /// A setting that the engine does not have.
        case engine
    }

    /// States a rejection.
    public init(option: String, reason: Reason, message: String) {
        self.option = option
        self.reason = reason
        self.message = message
    }
}

/// When the choice would be another.
public struct PlanSensitivity: Hashable, Codable, Sendable {
    /// Prices at which the lowest cost would be another's.
    public var flips: [Flip]
    /// How much more load the choice carries within the targets, as a share of the demanded rate; nil: no rate was demanded.
    public var headRoom: Double?

    /// A change of prices that changes the choice.
    public struct Flip: Hashable, Codable, Sendable {
        /// The option that would be chosen instead.
        public var option: String
        /// The pick that would change.
        public var role: PlanRole
        /// Its accelerator's price per hour divided by the chosen accelerator's, now.
        public var ratioNow: Double
        /// The ratio below which it would be chosen.
        public var ratioAtFlip: Double

        /// States a change.
        public init(option: String, role: PlanRole, ratioNow: Double, ratioAtFlip: Double) {
            self.option = option
            self.role = role
            self.ratioNow = ratioNow
            self.ratioAtFlip = ratioAtFlip
        }

        /// JSON names.
        public enum CodingKeys: String, CodingKey {
            case option
            case role
            case ratioNow = "price_ratio_now"
            case ratioAtFlip = "price_ratio_at_flip"
        }
    }

    /// States what is known.
    public init(flips: [Flip] = [], headRoom: Double? = nil) {
        self.flips = flips
        self.headRoom = headRoom
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case flips
        case headRoom = "head_room_share"
    }
}

/// Several kinds of accelerators that share one load by the requests' sizes.
public struct PlanFleet: Hashable, Codable, Sendable {
    /// US dollars per hour.
    public var usdPerHour: Double
    /// Whether it is proven that no fleet of these parts costs less.
    public var isOptimal: Bool
    /// Its parts.
    public var parts: [Part]

    /// Replicas of one option.
    public struct Part: Hashable, Codable, Sendable {
        /// The option whose replicas these are.
        public var option: String
        /// How many replicas.
        public var replicas: Int
        /// US dollars per hour of one.
        public var usdPerHour: Double
        /// Which requests they serve: bucket by name, share of its rate.
        public var shares: [String: Double]

        /// States a part.
        public init(option: String, replicas: Int, usdPerHour: Double, shares: [String: Double]) {
            self.option = option
            self.replicas = replicas
            self.usdPerHour = usdPerHour
            self.shares = shares
        }

        /// JSON names carry the units.
        public enum CodingKeys: String, CodingKey {
            case option
            case replicas
            case usdPerHour = "usd_per_hour_each"
            case shares
        }
    }

    /// States a fleet.
    public init(usdPerHour: Double, isOptimal: Bool, parts: [Part]) {
        self.usdPerHour = usdPerHour
        self.isOptimal = isOptimal
        self.parts = parts
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case usdPerHour = "usd_per_hour"
        case isOptimal = "optimal"
        case parts
    }
}

/// From what a plan was derived: the same inputs give the same plan.
public struct PlanProvenance: Hashable, Codable, Sendable {
    /// The program and its version.
    public var generator: String
    /// The day of planning, handed in: `2026-01-19`.
    public var date: String
    /// Seeds requests and arrivals.
    public var seed: UInt64
    /// The engine whose scheduling and overheads were simulated.
    public var engine: String
    /// Digests by name: catalogue, curves, calibration, workload.
    public var digests: [String: String]
    /// The calibration's file and date; nil: shipped measurements alone.
    public var calibration: Provenance?
    /// Options that were looked at.
    public var options: Int
    /// Options that were simulated.
    public var simulated: Int
    /// What to know before relying on it, in sentences.
    public var notes: [String]

    /// States an origin.
    public init(
        generator: String, date: String, seed: UInt64, engine: String, digests: [String: String] = [:],
        calibration: Provenance? = nil, options: Int = 0, simulated: Int = 0, notes: [String] = []
    ) {
        self.generator = generator
        self.date = date
        self.seed = seed
        self.engine = engine
        self.digests = digests
        self.calibration = calibration
        self.options = options
        self.simulated = simulated
        self.notes = notes
    }
}
