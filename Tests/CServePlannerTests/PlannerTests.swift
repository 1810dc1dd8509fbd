// The whole line in a small world: picks, reasons, bounds, determinism, and what is said when nothing fits.

import CServeCore
import CServeCost
import CServeWorkload
import Testing

@testable import CServePlanner

@Suite("Planner", .serialized)
struct PlannerTests {
    @Test("a plan meets its targets, and its picks are what their names say")
    func picks() throws {
        let question = try PlannerWorld.question()
        let result = try Planner(question, origin: PlannerWorld.origin).plan()
        let plan = try #require(result.plan)
        let costs = plan.alternatives.compactMap { $0.hardware.usdPerHour }
        let cheapest = try #require(plan.alternatives.first { $0.roles.contains(.lowestCost) })
        #expect(cheapest.hardware.usdPerHour == costs.min())
        #expect(plan.choice.name == cheapest.name)
        let value = try #require(plan.alternatives.first { $0.roles.contains(.bestValue) })
        func perDollar(_ option: PlanOption) -> Double {
            (option.prediction.capacity ?? 0) / (option.hardware.usdPerHour ?? .infinity)
        }
        #expect(plan.alternatives.allSatisfy { perDollar($0) <= perDollar(value) })
        for option in plan.alternatives {
            #expect(option.prediction.ttft.p99.value <= 500 && option.prediction.tpot.p95.value <= 50)
            #expect(option.prediction.capacity ?? 0 >= 20)
            #expect(option.prediction.method.requests == 450 && option.prediction.method.seeds == 3)
            #expect(abs(option.breakdown.reduce(0) { $0 + $1.share } - 1) < 1e-9)
            #expect(option.prediction.ttft.p99.low < option.prediction.ttft.p99.value)
            let recipe = option.recipe
            #expect(
                recipe.tensorParallelSize * recipe.pipelineParallelSize * recipe.dataParallelSize
                    == option.hardware.accelerators)
        }
        #expect(try DeploymentPlan.read(plan.json.serialized(), file: "p") == plan)
    }

    @Test("every option that is left out has a reason with numbers")
    func reasons() throws {
        let result = try Planner(try PlannerWorld.question(), origin: PlannerWorld.origin).plan()
        let named = Set(result.rejected.map(\.reason))
        #expect(named.contains(.dearer))
        #expect(result.rejected.allSatisfy { $0.message.contains { $0.isNumber } && !$0.option.isEmpty })
        let dearer = try #require(result.rejected.first { $0.reason == .dearer })
        #expect(dearer.message.contains("s1g costs $1.50/h") && dearer.message.contains("$1.00/h"))
    }

    @Test("answers that are still under way are no queue that grows, but a load above the capacity is one")
    func growingQueue() throws {
        let question = try PlannerWorld.question(slo: "", answers: 400...500)
        let planner = Planner(question, origin: PlannerWorld.origin)
        let space = SearchSpace(question, maxModelLen: 1024, sharesPrefixes: false)
        let option = try #require(space.options.first { $0.accelerators == 1 })
        let replica = try Feasibility(question: question, memory: nil).check(option).get()
        let model = FluidModel(replica, try planner.sample())
        let capacity: Double = model.state(running: model.concurrency).rate
        // A run so short that half of its requests are in work when the last one is sent.
        let light = Load(rate: capacity * 0.5, requests: 2 * model.running(atRate: capacity * 0.5), seed: 1)
        let heavy = Load(rate: capacity * 2, requests: 4 * model.concurrency, seed: 1)
        #expect(planner.probe.binding(planner.probe.report(replica, replicas: 1, light), light) == nil)
        let binding = planner.probe.binding(planner.probe.report(replica, replicas: 1, heavy), heavy)
        #expect(binding?.hasPrefix("the queue grows: requests that are sent for") == true)
    }

    @Test("a pipeline may run as many requests a stage as a replica of one stage, unless the number is given")
    func requestsPerStage() throws {
        var question = try PlannerWorld.question()
        func limits(_ stages: Int) -> Set<Int> {
            let space = SearchSpace(question, maxModelLen: 1024, sharesPrefixes: false)
            let recipes = space.options.map(\.placement.recipe).filter { $0.pipelineParallelSize == stages }
            return Set(recipes.map(\.maxNumSeqs))
        }
        #expect(limits(1) == [128, 256] && limits(2) == [256, 512])
        question.bounds.countsSeqsPerStage = false
        #expect(limits(1) == [128, 256] && limits(2) == [128, 256])
    }

    @Test("every option is either reported or left out with a reason")
    func accounts() throws {
        let result = try Planner(try PlannerWorld.question(), origin: PlannerWorld.origin).plan()
        let plan = try #require(result.plan)
        // With a demanded rate there is one deployment of each option.
        #expect(plan.alternatives.count + result.rejected.count == result.options)
        let outdone = result.rejected.filter { $0.reason == .outdone }
        #expect(!outdone.isEmpty)
        #expect(outdone.allSatisfy { $0.message.contains("requests a second") })
    }

    @Test("the plan does not depend on the number of threads")
    func deterministic() throws {
        let one = try Planner(try PlannerWorld.question(threads: 1), origin: PlannerWorld.origin).plan()
        let three = try Planner(try PlannerWorld.question(threads: 3), origin: PlannerWorld.origin).plan()
        #expect(one.plan != nil && one.plan == three.plan)
        #expect(one.points == three.points)
    }

    @Test("with nothing that fits, the nearest are named with what binds")
    func nothingFits() throws {
        let poor = try Planner(try PlannerWorld.question(rate: 4000), origin: PlannerWorld.origin).plan()
        #expect(poor.plan == nil && !poor.nearest.isEmpty)
        #expect(poor.rejected.contains { $0.reason == .roofline && $0.message.contains("4000") })
        let fast = try Planner(
            try PlannerWorld.question(rate: 1, slo: "tpot:p50<10us"), origin: PlannerWorld.origin
        ).plan()
        #expect(fast.plan == nil)
        #expect(fast.rejected.contains { $0.reason == .latency && $0.message.contains("the limit is 10us") })
        #expect(fast.nearest.allSatisfy { $0.binding.contains("tpot p50") })
        let cheap = try Planner(try PlannerWorld.question(budget: 0.5), origin: PlannerWorld.origin).plan()
        #expect(cheap.plan == nil)
        #expect(cheap.rejected.contains { $0.reason == .budget && $0.message.contains("$0.50/h") })
    }

    @Test("without a rate the most throughput is sought")
    func openRate() throws {
        let result = try Planner(try PlannerWorld.question(rate: nil, slo: ""), origin: PlannerWorld.origin).plan()
        let plan = try #require(result.plan)
        let spot = try #require(plan.alternatives.first { $0.roles.contains(.sweetSpot) })
        #expect(plan.alternatives.allSatisfy { ($0.prediction.capacity ?? 0) <= (spot.prediction.capacity ?? 0) })
        #expect(plan.choice.roles.contains(.bestValue))
        #expect(plan.sensitivity.headRoom == nil)
    }

    @Test("what a simulation accepts the optimistic bound accepts")
    func boundIsSound() throws {
        let question = try PlannerWorld.question()
        let planner = Planner(question, origin: PlannerWorld.origin)
        let sample = try planner.sample()
        let space = SearchSpace(question, maxModelLen: 1024, sharesPrefixes: false)
        let feasibility = Feasibility(question: question, memory: nil)
        var tried = 0
        for option in space.options {
            guard case .success(let replica) = feasibility.check(option) else { continue }
            let bound = RooflineBound(replica, sample)
            for load in [Load(rate: .infinity, requests: 300, seed: 9), Load(rate: 2, requests: 60, seed: 9)] {
                let report = planner.probe.report(replica, replicas: 1, load)
                #expect(report.throughput.requestsPerSecond <= bound.mostRate, "\(option.name())")
                for metric in [LatencyMetric.ttft, .tpot, .e2e] {
                    let least = bound.least(metric).mean / RooflineBound.slack
                    #expect(report.latency(metric).mean >= least, "\(option.name()) \(metric)")
                }
                tried += 1
            }
        }
        #expect(tried >= 8)
    }
}

@Test("Every error of planning says what to do")
func planErrorMessages() {
    let messages: [(PlanError, String)] = [
        (.notPositive(name: "--rate", value: 0), "--rate is 0.0. Use a number above zero."),
        (.notAShare(2), "--goodput is 2.0. Use a share above 0, up to 1: 0.95 is 95% of the requests."),
        (
            .noAccelerators,
            "No accelerator is left to plan with. Name some with --gpus, for example --gpus l4,a10."
        ),
        (
            .noRequests(workload: "t.csv"),
            "The workload t.csv has no requests. Widen its slice, or use another."
        ),
        (
            .workloadTooLong(workload: "rag", mean: 5000, longest: 9000, limit: 4096),
            "The requests of rag have 5000 tokens on average (9000 at most), but the model takes 4096. Use a model with a "
                + "longer context, or shorter requests."
        ),
        (
            .tooFewAccelerators(hardware: "4xl4", has: 4, needed: 8),
            "4xl4 has 4 accelerators, but the recipe needs 8 (tensor x pipeline x data parallel). Use more of them with "
                + "--on, or smaller --tp, --pp or --dp."
        ),
        (
            .cannotRun(option: "1xt4", reason: "It is too small."),
            "This cannot run on 1xt4. It is too small."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
