// Everything that a plan depends on: the same question gives the same answer.
import CServeCore
import CServeCost
import CServeWorkload

/// What is to be planned.
public struct PlanQuestion: Sendable {
    /// The model's name, as it goes into the recipe.
    public var model: String
    /// The model's numbers.
    public var shape: ModelShape
    /// How the checkpoint stores its weights, where that is known.
    public var stored: ElementType?
    /// What will be asked of it. Its rate is replaced by the loads of the search.
    public var workload: Workload
    /// What must be reached.
    public var targets: PlanTargets
    /// What may be chosen.
    public var bounds: SearchBounds
    /// Hardware and prices.
    public var catalog: HardwareCatalog
    /// The engine whose habits are simulated.
    public var engine: EngineProfile
    /// Measured utilisation.
    public var library: UtilisationLibrary
    /// What was measured on the very hardware; nil: nothing.
    public var calibration: Calibration?
    /// How thoroughly to look.
    public var effort: PlanEffort
    /// Seeds lengths, texts and arrivals.
    public var seed: UInt64

    /// Puts a question together.
    public init(
        model: String, shape: ModelShape, stored: ElementType? = nil, workload: Workload, targets: PlanTargets,
        bounds: SearchBounds, catalog: HardwareCatalog, engine: EngineProfile, library: UtilisationLibrary = .none,
        calibration: Calibration? = nil, effort: PlanEffort = PlanEffort(), seed: UInt64 = 0
    ) {
        self.model = model
        self.shape = shape
        self.stored = stored
        self.workload = workload
        self.targets = targets
        self.bounds = bounds
        self.catalog = catalog
        self.engine = engine
        self.library = library
        self.calibration = calibration
        self.effort = effort
        self.seed = seed
    }

    /// What was measured for a placement: what the user names, or what the catalogue holds of its accelerator.
    func calibration(for placement: ReplicaPlacement) -> Calibration? {
        calibration ?? catalog.calibration(for: placement)
    }

    /// Refuses what has no answer.
    func check() throws(PlanError) {
        let limits: [(String, Double?)] = [("--rate", targets.requestRate), ("--budget", targets.budget)]
        for (name, value) in limits {
            guard let value else { continue }
            guard value.isFinite, value > 0 else { throw .notPositive(name: name, value: value) }
        }
        if let goodput = targets.goodput, !(goodput > 0 && goodput <= 1) { throw .notAShare(goodput) }
        guard bounds.maxAccelerators > 0 else {
            throw .notPositive(name: "--max-gpus", value: Double(bounds.maxAccelerators))
        }
        guard !bounds.accelerators.isEmpty else { throw .noAccelerators }
    }
}

/// How thoroughly to look: probes of the search are coarse, the options that are reported are not.
public struct PlanEffort: Hashable, Sendable {
    /// Requests of a probe of the search, at least; loads with more requests on their way get more.
    public var searchRequests: Int
    /// Requests of a probe of the short list.
    public var refineRequests: Int
    /// Requests of each run of a reported option.
    public var finalRequests: Int
    /// Runs of a reported option, each with a seed of its own.
    public var finalSeeds: Int
    /// Options on the short list.
    public var shortList: Int
    /// Threads; the answer does not depend on them.
    public var threads: Int

    /// Describes an effort.
    public init(
        searchRequests: Int = 200, refineRequests: Int = 800, finalRequests: Int = 2000, finalSeeds: Int = 5,
        shortList: Int = 6, threads: Int = 2
    ) {
        self.searchRequests = searchRequests
        self.refineRequests = refineRequests
        self.finalRequests = finalRequests
        self.finalSeeds = finalSeeds
        self.shortList = shortList
        self.threads = threads
    }
}

/// Why there can be no plan.
public enum PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A number that must be above zero.
    case notPositive(name: String, value: Double)
    /// A share that is none.
    case notAShare(Double)
    /// No accelerator may be used.
    case noAccelerators
    /// The workload is empty.
    case noRequests(workload: String)
    /// Most requests are longer than the model allows.
    case workloadTooLong(workload: String, mean: Int, longest: Int, limit: Int)
    /// The chosen hardware holds too few accelerators.
    case tooFewAccelerators(hardware: String, has: Int, needed: Int)
    /// The chosen option cannot run.
    case cannotRun(option: String, reason: String)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .notPositive(let name, let value): "\(name) is \(value). Use a number above zero."
        case .notAShare(let share): "--goodput is \(share). Use a share above 0, up to 1: 0.95 is 95% of the requests."
        case .noAccelerators: "No accelerator is left to plan with. Name some with --gpus, for example --gpus l4,a10."
        case .noRequests(let workload): "The workload \(workload) has no requests. Widen its slice, or use another."
        case .workloadTooLong(let workload, let mean, let longest, let limit):
            "The requests of \(workload) have \(mean) tokens on average (\(longest) at most), but the model takes \(limit). "
                + "Use a model with a longer context, or shorter requests."
        case .tooFewAccelerators(let hardware, let has, let needed):
            "\(hardware) has \(has) accelerators, but the recipe needs \(needed) (tensor x pipeline x data parallel). "
                + "Use more of them with --on, or smaller --tp, --pp or --dp."
        case .cannotRun(let option, let reason): "This cannot run on \(option). \(reason)"
        }
    }
}
