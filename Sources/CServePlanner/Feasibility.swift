// Sorts options into those that can run and those that cannot, with what binds.
import CServeCore
import CServeCost
import CServeSimulator

/// An option that can run: its memory is budgeted and its times are tabulated.
struct FeasibleReplica: Sendable {
    var option: ReplicaOption
    var budget: MemoryBudget
    var cost: StepCost
    var spec: ReplicaSpec

    var placement: ReplicaPlacement { option.placement }
    /// US dollars per hour of one replica alone; infinite where no price is known.
    var usdPerHour: Double { option.rental?.usdPerHour ?? .infinity }
}

/// Checks options one by one.
struct Feasibility: Sendable {
    let question: PlanQuestion
    let memory: EngineMemory?

    /// The option ready to run, or what binds.
    func check(_ option: ReplicaOption) -> Result<FeasibleReplica, Unfit> {
        do {
            return .success(try fit(option))
        } catch {
            return .failure(error)
        }
    }

    /// Why an option cannot run.
    struct Unfit: Error, Hashable {
        var reason: PlanRejection.Reason
        var message: String

        init(_ reason: PlanRejection.Reason, _ message: String) {
            self.reason = reason
            self.message = message
        }
    }

    private func fit(_ option: ReplicaOption) throws(Unfit) -> FeasibleReplica {
        var option: ReplicaOption = option
        try checkPrice(option)
        option.placement.precision = try precision(option)
        let budget: MemoryBudget = try budget(option)
        let calibration: Calibration? = question.calibration(for: option.placement)
        let cost: StepCost
        do {
            cost = try StepCost(
                option.placement, engine: question.engine, library: question.library, calibration: calibration)
        } catch {
            throw Unfit(Self.reason(error), error.description)
        }
        do {
            let blocks: Int = calibration?.scalars.kvBlocks ?? budget.kvBlocks
            let spec: ReplicaSpec = try ReplicaSpec(
                recipe: option.placement.recipe, kvBlocks: blocks,
                modelLength: max(question.shape.maxPositionEmbeddings, option.placement.recipe.maxModelLen ?? 0),
                timing: cost)
            return FeasibleReplica(
                option: option, budget: budget, cost: cost, spec: spec.following(question.engine))
        } catch {
            throw Unfit(.engine, "\(error)")
        }
    }

    private func checkPrice(_ option: ReplicaOption) throws(Unfit) {
        guard let most = question.targets.budget else { return }
        guard let price = option.rental?.usdPerHour else {
            throw Unfit(
                .price,
                "No price is known of \(option.placement.node.name), and a budget is given. "
                    + "Give one: --price \(option.placement.accelerator.name)=USD.")
        }
        guard price <= most else {
            let name: String = option.rental?.name ?? ""
            throw Unfit(
                .budget, "One replica on \(name) costs \(Money.perHour(price)); the budget is \(Money.perHour(most)).")
        }
    }

    private func precision(_ option: ReplicaOption) throws(Unfit) -> ModelPrecision {
        do {
            return try ModelPrecision(
                recipe: option.placement.recipe, on: option.placement.accelerator, stored: question.stored)
        } catch {
            throw Unfit(.type, error.description)
        }
    }

    private func budget(_ option: ReplicaOption) throws(Unfit) -> MemoryBudget {
        let kind: AcceleratorSpec.Kind = option.placement.accelerator.kind
        // `vllm-v0` uses memory as `vllm` does.
        let engine: String = question.engine.name.split(separator: "-").first.map(String.init) ?? ""
        guard let memory = memory ?? EngineMemory.named(engine, on: kind) else {
            throw Unfit(.engine, "It is not known how \(question.engine.name) uses memory.")
        }
        do {
            return try MemoryBudget(option.placement, engine: memory)
        } catch .plan(.parallelism(let error)) {
            throw Unfit(.divisibility, error.description)
        } catch {
            throw Unfit(.memory, error.description)
        }
    }

    private static func reason(_ error: StepCostError) -> PlanRejection.Reason {
        switch error {
        case .parallelism: .divisibility
        case .unsupportedArithmetic: .type
        case .offloadedShare: .engine
        case .noHostLink, .noNetwork: .link
        }
    }
}
