// What must hold between any two calls; tests ask after every step.
import CServeCore

extension Scheduler {
    /// The first broken invariant, in words; nil if all hold. Costs time in proportion to everything: for tests.
    func brokenInvariant() -> String? {
        brokenMemory() ?? brokenSlots() ?? brokenRequests()
    }

    private func brokenMemory() -> String? {
        var holds: [Int32] = Array(repeating: 0, count: configuration.blockCount)
        for branch in branches {
            if Set(branch.table.ids).count != branch.table.count { return "\(branch.request) holds a block twice" }
            for block in branch.table.ids { holds[Int(block)] += 1 }
            if let source = branch.source { holds[Int(source)] += 1 }
        }
        if holds != memory.pool.references { return "reference counts differ from the tables" }
        let free = memory.pool.freeList
        if free.count != memory.freeCount || Set(free).count != free.count { return "the free list is broken" }
        if free.contains(where: { holds[Int($0)] != 0 }) { return "a block in use is on the free list" }
        if free.count != holds.count(where: { $0 == 0 }) { return "a block is lost" }
        if memory.usesPrefixes {
            for branch in branches {
                let unfilled = branch.table.ids.dropFirst(branch.computed / memory.blockSize)
                if unfilled.contains(where: { memory.cache.holds($0) }) { return "a block being written can be found" }
            }
        }
        return memory.cache.isConsistent ? nil : "the prefix cache's two directions differ"
    }

    private func brokenSlots() -> String? {
        let vacant: [Int] = branches.indices.filter { branches[$0].phase == .vacant }
        if vacant != freeSlots.sorted() { return "free slots differ from vacant ones" }
        if vacant.contains(where: { branches[$0] != BranchState() }) { return "a vacant slot still holds something" }
        let active: [Int] = branches.indices.filter { [.running, .ghost].contains(branches[$0].phase) }
        if active != running.sorted() { return "the running list differs from the running slots" }
        for (left, right) in zip(running, running.dropFirst()) where !(branches[left].rank < branches[right].rank) {
            return "the running list is out of order"
        }
        let parked: [Int] = branches.indices.filter { branches[$0].phase == .parked }
        if parked != running.flatMap({ branches[$0].followers }).sorted() { return "a parked branch follows nobody" }
        return inFlight.count <= configuration.depth ? nil : "too many micro-batches are in flight"
    }

    private func brokenRequests() -> String? {
        for (slot, branch) in branches.enumerated() {
            let place = requests[branch.request]?.places[branch.branch]
            let isLive: Bool = branch.phase == .running || branch.phase == .parked
            if isLive, place != .slot(slot) { return "\(branch.request) is not where it says" }
            if branch.phase == .vacant { continue }
            if branch.computed > branch.scheduled && branch.phase != .ended { return "computed runs ahead" }
            if branch.inFlight == 0, branch.phase == .ended { return "an ended branch keeps its slot" }
            let owned: Int = branch.table.count + (branch.source == nil ? 0 : 1)
            if branch.scheduled > owned * memory.blockSize { return "tokens without a block" }
        }
        let queued: [WaitingRequest] = waiting.all
        if queued.count != waiting.count { return "the queue's count is wrong" }
        if queued.reduce(0, { $0 + $1.promptCount }) != waiting.promptTokens { return "the queue's tokens are wrong" }
        let places: Int = requests.values.reduce(0) { $0 + $1.places.count { $0 == .waiting } }
        if places != queued.reduce(0, { $0 + $1.branches.count }) { return "a waiting branch is lost" }
        for request in requests.values where request.alive != request.places.count(where: { $0 != .ended }) {
            return "\(request.request.id) miscounts its branches"
        }
        return nil
    }
}
