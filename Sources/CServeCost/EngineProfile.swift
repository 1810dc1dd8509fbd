// What differs between engines on the same accelerator: their schedulers' habits and what their hosts cost, as data.
import CServeCore

/// An engine, as far as a prediction depends on it. The numbers are data with sources (`Assets/hardware/engines`).
public struct EngineProfile: Hashable, Codable, Sendable {
    /// The short name: `cserve`, `vllm`, `trtllm`.
    public var name: String
    /// The versions that the numbers hold for, as written by their makers.
    public var version: String
    /// How it chooses what is computed next.
    public var scheduler: SchedulerHabits
    /// What it does where nothing is asked.
    public var defaults: DefaultLimits
    /// What its host side costs.
    public var host: HostCosts
    /// How it starts work on an accelerator.
    public var launches: LaunchHabits
    /// How its ranks sum.
    public var collective: CollectiveKind
    /// Sources by field name; `*` stands for all fields without one of their own.
    public var provenance: [String: Provenance]

    /// Describes an engine.
    public init(
        name: String, version: String, scheduler: SchedulerHabits = SchedulerHabits(),
        defaults: DefaultLimits = DefaultLimits(), host: HostCosts = HostCosts(),
        launches: LaunchHabits = LaunchHabits(), collective: CollectiveKind = .custom,
        provenance: [String: Provenance] = [:]
    ) {
        self.name = name
        self.version = version
        self.scheduler = scheduler
        self.defaults = defaults
        self.host = host
        self.launches = launches
        self.collective = collective
        self.provenance = provenance
    }

    /// How an engine chooses what is computed next.
    public struct SchedulerHabits: Hashable, Codable, Sendable {
        /// Which prompt tokens join decodes: a name of the scheduler's policies (`throughput`, `latency`, `auto`).
        public var policy: String
        /// How much of an answer's room is kept when a request is admitted.
        public var reserve: Reserve
        /// Requests whose prompts may be computed in pieces.
        public var chunkedPrefill: Bool
        /// Whether a step is scheduled while the one before it runs.
        public var schedulesAhead: Bool

        /// Room kept for answers.
        public enum Reserve: String, Hashable, Codable, Sendable {
            /// What the engine has learnt that running requests grow by.
            case adaptive
            /// None: a request that finds no room later is computed again.
            case none
            /// The longest answer: nothing is ever evicted.
            case full
        }

        /// Describes habits.
        public init(
            policy: String = "auto", reserve: Reserve = .adaptive, chunkedPrefill: Bool = true,
            schedulesAhead: Bool = false
        ) {
            self.policy = policy
            self.reserve = reserve
            self.chunkedPrefill = chunkedPrefill
            self.schedulesAhead = schedulesAhead
        }

        /// JSON names.
        public enum CodingKeys: String, CodingKey {
            case policy
            case reserve
            case chunkedPrefill = "chunked_prefill"
            case schedulesAhead = "schedules_ahead"
        }
    }

    /// Settings where nothing is asked.
    public struct DefaultLimits: Hashable, Codable, Sendable {
        /// Requests that run at once.
        public var maxNumSeqs: Int
        /// Tokens of one step.
        public var maxNumBatchedTokens: Int
        /// Share of the accelerator's memory that the engine takes.
        public var memoryShare: Double

        /// Describes settings.
        public init(maxNumSeqs: Int = 128, maxNumBatchedTokens: Int = 2048, memoryShare: Double = 0.9) {
            self.maxNumSeqs = maxNumSeqs
            self.maxNumBatchedTokens = maxNumBatchedTokens
            self.memoryShare = memoryShare
        }

        /// JSON names.
        public enum CodingKeys: String, CodingKey {
            case maxNumSeqs = "max_num_seqs"
            case maxNumBatchedTokens = "max_num_batched_tokens"
            case memoryShare = "memory_share"
        }
    }

    /// What the host costs where the accelerator waits for it, in seconds.
    public struct HostCosts: Hashable, Codable, Sendable {
        /// Per step.
        public var step: Double
        /// Per request in a step.
        public var request: Double
        /// From a request's arrival until the scheduler has it.
        public var ingress: Double
        /// The same, per prompt token (the tokenizer).
        public var ingressPerToken: Double
        /// From a step's end until the client has its tokens.
        public var egress: Double

        /// Describes costs.
        public init(
            step: Double = 0.0005, request: Double = 0.000005, ingress: Double = 0.001, ingressPerToken: Double = 1e-6,
            egress: Double = 0.0005
        ) {
            self.step = step
            self.request = request
            self.ingress = ingress
            self.ingressPerToken = ingressPerToken
            self.egress = egress
        }

        /// JSON names carry the units.
        public enum CodingKeys: String, CodingKey {
            case step = "step_s"
            case request = "request_s"
            case ingress = "ingress_s"
            case ingressPerToken = "ingress_per_token_s"
            case egress = "egress_s"
        }
    }

    /// How kernels are started.
    public struct LaunchHabits: Hashable, Codable, Sendable {
        /// Steps of at most so many tokens, all of them decodes, are replayed from a captured graph; 0: never.
        public var graphTokens: Int
        /// Whether steps with prompts, too, run as captured pieces between the attentions.
        public var capturesPrefill: Bool
        /// Seconds of the host per kernel that is not captured.
        public var kernel: Double
        /// Kernels of one dense layer.
        public var kernelsPerLayer: Int

        /// Describes habits.
        public init(
            graphTokens: Int = 512, capturesPrefill: Bool = true, kernel: Double = 5e-6, kernelsPerLayer: Int = 12
        ) {
            self.graphTokens = graphTokens
            self.capturesPrefill = capturesPrefill
            self.kernel = kernel
            self.kernelsPerLayer = kernelsPerLayer
        }

        /// JSON names carry the units.
        public enum CodingKeys: String, CodingKey {
            case graphTokens = "graph_tokens"
            case capturesPrefill = "captures_prefill"
            case kernel = "kernel_s"
            case kernelsPerLayer = "kernels_per_layer"
        }
    }

    /// How ranks sum.
    public enum CollectiveKind: String, Hashable, Codable, Sendable {
        /// One or two kernels of the engine's own over peer memory, where peers reach each other; NCCL above their size.
        case custom
        /// NCCL always.
        case nccl
    }
}

extension EngineProfile.SchedulerHabits {
    /// Decodes habits; those that are younger than the others may be absent.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            policy: try fields.decode(String.self, forKey: .policy),
            reserve: try fields.decode(Reserve.self, forKey: .reserve),
            chunkedPrefill: try fields.decode(Bool.self, forKey: .chunkedPrefill),
            schedulesAhead: try fields.decodeIfPresent(Bool.self, forKey: .schedulesAhead) ?? false)
    }
}
