// Lists every option within the bounds: hardware x division x types x limits x offload.
import CServeCore
import CServeCost

/// All options of a question, and those that are left out at once, with reasons.
struct SearchSpace {
    let question: PlanQuestion
    /// The longest request that the replicas must take.
    let maxModelLen: Int
    /// Whether requests share beginnings.
    let sharesPrefixes: Bool
    private(set) var options: [ReplicaOption] = []
    private(set) var rejected: [PlanRejection] = []

    init(_ question: PlanQuestion, maxModelLen: Int, sharesPrefixes: Bool) {
        self.question = question
        self.maxModelLen = maxModelLen
        self.sharesPrefixes = sharesPrefixes
        let recipes: [(recipe: Recipe, offload: Double)] = settings()
        for accelerator in question.bounds.accelerators {
            for tensor in question.bounds.tensor {
                for pipeline in question.bounds.pipeline {
                    add(accelerator, Parallelism(tensor: tensor, pipeline: pipeline), recipes)
                }
            }
        }
    }

    private mutating func add(
        _ accelerator: AcceleratorSpec, _ parallelism: Parallelism, _ recipes: [(recipe: Recipe, offload: Double)]
    ) {
        let count: Int = parallelism.tensor * parallelism.pipeline
        let name: String = "\(count)x\(accelerator.name) tp\(parallelism.tensor) pp\(parallelism.pipeline)"
        guard count <= question.bounds.maxAccelerators else {
            reject(
                name, .count,
                "One replica takes \(count) accelerators, and \(question.bounds.maxAccelerators) may be used (--max-gpus)."
            )
            return
        }
        for hardware in machines(accelerator, parallelism, name: name) {
            for (recipe, offload) in recipes {
                var option: ReplicaOption = hardware
                option.placement.recipe = recipe
                if question.bounds.countsSeqsPerStage {
                    option.placement.recipe.maxNumSeqs *= parallelism.pipeline
                }
                option.placement.recipe.tensorParallelSize = parallelism.tensor
                option.placement.recipe.pipelineParallelSize = parallelism.pipeline
                option.placement.recipe.offloadingNum = offload * Double(question.shape.layers)
                option.placement.offloadedShare = offload
                options.append(option)
            }
        }
    }

    private mutating func reject(_ name: String, _ reason: PlanRejection.Reason, _ message: String) {
        rejected.append(PlanRejection(option: name, reason: reason, message: message))
    }

    // MARK: Machines

    /// The machines for one replica: the cheapest of each kind of links, or a generic node where nobody rents any out.
    private mutating func machines(
        _ accelerator: AcceleratorSpec, _ parallelism: Parallelism, name: String
    ) -> [ReplicaOption] {
        let bounds: SearchBounds = question.bounds
        let count: Int = parallelism.tensor * parallelism.pipeline
        for perNode in Set([count, parallelism.tensor]).sorted(by: >) {
            let rentals: [Rental] = question.catalog.rentals(
                accelerator.name, count: count, perNode: perNode, provider: bounds.provider, region: bounds.region)
            let usable: [Rental] = rentals.filter { $0.items.first != nil }
            if !usable.isEmpty {
                return cheapestByLinks(usable, accelerator, parallelism, perNode: perNode, name: name)
            }
        }
        return generic(accelerator, parallelism, name: name)
    }

    private mutating func cheapestByLinks(
        _ rentals: [Rental], _ accelerator: AcceleratorSpec, _ parallelism: Parallelism, perNode: Int, name: String
    ) -> [ReplicaOption] {
        var chosen: [ReplicaOption] = []
        for rental in rentals {
            guard let node = rental.items.first?.node else { continue }
            let isAlone: Bool = parallelism.tensor * parallelism.pipeline == 1
            if let better = chosen.first(where: { isAlone || $0.placement.node.interconnect == node.interconnect }) {
                let cost: Double = better.rental?.usdPerHour ?? 0
                reject(
                    "\(name) on \(rental.provider) \(rental.name)", .dearer,
                    "\(rental.provider) \(rental.name) costs \(Money.perHour(rental.usdPerHour)); "
                        + "\(better.placement.node.provider) \(better.rental?.name ?? "") has the same accelerators and "
                        + "links for \(Money.perHour(cost)).")
                continue
            }
            chosen.append(option(accelerator, node, parallelism, perNode: perNode, rental: rental))
        }
        return chosen
    }

    private mutating func generic(
        _ accelerator: AcceleratorSpec, _ parallelism: Parallelism, name: String
    ) -> [ReplicaOption] {
        let bounds: SearchBounds = question.bounds
        let count: Int = parallelism.tensor * parallelism.pipeline
        if bounds.provider != nil || bounds.region != nil {
            let place: String = [bounds.provider, bounds.region].compactMap { $0 }.joined(separator: " ")
            reject(name, .price, "\(place) rents out no machines with \(count) \(accelerator.title) that share a node.")
            return []
        }
        let largest: Int = question.catalog.largestNode(accelerator.name)
        guard parallelism.tensor <= largest else {
            reject(
                name, .link,
                "\(parallelism.tensor) ranks sum in every layer and must share a node, but nodes hold \(largest) "
                    + "\(accelerator.title) at most.")
            return []
        }
        let perNode: Int = count <= largest ? count : parallelism.tensor
        guard let node = try? question.catalog.genericNode(accelerator, count: min(count, largest)) else { return [] }
        return [option(accelerator, node, parallelism, perNode: perNode, rental: nil)]
    }

    private func option(
        _ accelerator: AcceleratorSpec, _ node: NodeSpec, _ parallelism: Parallelism, perNode: Int, rental: Rental?
    ) -> ReplicaOption {
        ReplicaOption(
            placement: ReplicaPlacement(
                shape: question.shape, precision: ModelPrecision(.bfloat16), parallelism: parallelism,
                accelerator: accelerator, node: node), perNode: perNode, rental: rental)
    }

    // MARK: Settings

    private mutating func settings() -> [(recipe: Recipe, offload: Double)] {
        let bounds: SearchBounds = question.bounds
        var all: [(recipe: Recipe, offload: Double)] = []
        for quantization in bounds.quantizations {
            for cache in bounds.cacheTypes {
                for seqs in bounds.maxNumSeqs {
                    for tokens in bounds.maxNumBatchedTokens {
                        var recipe = base
                        recipe.quantization = quantization
                        recipe.cacheDtype = cache
                        recipe.maxNumSeqs = seqs
                        recipe.maxNumBatchedTokens = tokens
                        all += habits(recipe)
                    }
                }
            }
        }
        return all
    }

    private mutating func habits(_ recipe: Recipe) -> [(recipe: Recipe, offload: Double)] {
        let bounds: SearchBounds = question.bounds
        var all: [(recipe: Recipe, offload: Double)] = []
        for chunk in bounds.chunkSizes {
            for policy in bounds.policies {
                for caching in bounds.prefixCaching
                where caching || sharesPrefixes || !bounds.prefixCaching.contains(true) {
                    for offload in bounds.offloadedShares {
                        var recipe: Recipe = recipe
                        recipe.chunkedPrefillSize = chunk
                        recipe.schedulingPolicy = policy
                        recipe.usePrefixCaching = caching
                        all.append((recipe, offload))
                    }
                }
            }
        }
        return all
    }

    private var base: Recipe {
        var recipe = Recipe()
        recipe.model = question.model
        recipe.gpuMemUtil = question.bounds.memoryShare ?? question.engine.defaults.memoryShare
        recipe.useChunkedPrefill = question.engine.scheduler.chunkedPrefill
        recipe.maxModelLen = maxModelLen
        recipe.seed = question.seed
        return recipe
    }
}

/// Prices as people read them.
enum Money {
    /// `$4.60/h`.
    static func perHour(_ usd: Double) -> String { "$\(cents(usd))/h" }

    /// Two decimals, whatever the number.
    static func cents(_ usd: Double) -> String {
        let hundredths: Int = Int((usd * 100).rounded())
        let rest: Int = abs(hundredths % 100)
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
