// The integer program against every assignment there is.

import CServePlanner
import Testing

@Suite("Mixed fleets")
struct FleetProgramTests {
    @Test("the cheapest fleet is what trying every assignment finds")
    func bruteForce() {
        var state: UInt64 = 11
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<120 {
            let buckets = 1 + next(3)
            let kinds = (0..<(1 + next(3))).map { _ in
                FleetProgram.Kind(
                    usdPerHour: Double(1 + next(40)) / 8, accelerators: 1 + next(2),
                    capacities: (0..<buckets).map { _ in Double(next(5)) })
            }
            let program = FleetProgram(
                kinds: kinds, rates: (0..<buckets).map { _ in Double(next(30)) / 3 }, slices: 1 + next(3),
                maxAccelerators: next(2) == 0 ? 6 : .max)
            let found = program.solve()
            let expected = cheapest(program)
            #expect(found.map { ($0.usdPerHour * 8).rounded() } == expected.map { ($0 * 8).rounded() }, "\(program)")
            #expect(found?.isOptimal ?? true)
        }
    }

    @Test("small requests go to the small accelerator and long ones to the large one")
    func mixes() throws {
        // Mélange's example in small: the L4 carries short requests for less, the A100 alone carries long ones.
        let program = FleetProgram(
            kinds: [
                .init(usdPerHour: 0.7, accelerators: 1, capacities: [4, 0]),
                .init(usdPerHour: 3.7, accelerators: 1, capacities: [12, 3]),
            ], rates: [8, 2], slices: 4)
        let fleet = try #require(program.solve())
        #expect(fleet.replicas == [1, 1])
        #expect(abs(fleet.usdPerHour - 4.4) < 1e-9)
        #expect(fleet.slices[1] == [0, 4])
        #expect(fleet.slices[0].reduce(0, +) == 4)
    }

    @Test("a load that no kind carries has no fleet, and neither has one beyond the accelerators")
    func infeasible() {
        let kind = FleetProgram.Kind(usdPerHour: 1, accelerators: 2, capacities: [0, 1])
        #expect(FleetProgram(kinds: [kind], rates: [1, 1]).solve() == nil)
        #expect(FleetProgram(kinds: [kind], rates: [0, 5], maxAccelerators: 8).solve() == nil)
        #expect(FleetProgram(kinds: [kind], rates: [0, 4], maxAccelerators: 8).solve()?.replicas == [4])
        #expect(FleetProgram(kinds: [], rates: [1]).solve() == nil)
    }

    @Test("a search that is cut short says that its fleet is not proven")
    func cutShort() throws {
        let kinds = (1...4).map {
            FleetProgram.Kind(usdPerHour: Double($0), accelerators: 1, capacities: [3, 2, 2.5, 1].map { $0 + 0.1 })
        }
        let program = FleetProgram(kinds: kinds, rates: [9, 8, 7, 6], slices: 8)
        #expect(try #require(program.solve(nodes: 60)).isOptimal == false)
    }

    /// Every assignment of every slice.
    private func cheapest(_ program: FleetProgram) -> Double? {
        let slices = program.rates.indices.flatMap { bucket in (0..<program.slices).map { _ in bucket } }
        var best: Double?
        func assign(_ place: Int, _ loads: [Double]) {
            guard place < slices.count else {
                let replicas = loads.map { Int(($0 - 1e-9).rounded(.up)) }
                let accelerators = zip(replicas, program.kinds).reduce(0) { $0 + $1.0 * $1.1.accelerators }
                guard accelerators <= program.maxAccelerators else { return }
                let cost = zip(replicas, program.kinds).reduce(0) { $0 + Double($1.0) * $1.1.usdPerHour }
                best = min(best ?? .infinity, cost)
                return
            }
            let bucket = slices[place]
            let rate = program.rates[bucket] / Double(program.slices)
            for kind in program.kinds.indices where rate == 0 || program.kinds[kind].capacities[bucket] > 0 {
                var loads = loads
                loads[kind] += rate == 0 ? 0 : rate / program.kinds[kind].capacities[bucket]
                assign(place + 1, loads)
            }
        }
        assign(0, Array(repeating: 0, count: program.kinds.count))
        return best
    }
}
