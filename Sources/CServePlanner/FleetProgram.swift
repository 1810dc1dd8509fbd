// Which accelerators together serve a mixed load at least cost: Mélange's integer program, solved exactly by branch and
// bound.

/// Requests fall into buckets by size; each kind of replica serves so many requests of a bucket per second. Each bucket's
/// rate is cut into slices, and every slice goes to one kind:
///
///     minimise  sum_i cost_i * y_i
///     where     every slice of every bucket goes to one kind, and
///               sum over its slices of (slice's rate / capacity of the kind for the bucket) <= y_i
///
/// Source: Griggs et al., "Mélange: Cost Efficient Large Language Model Serving by Exploiting GPU Heterogeneity",
/// arXiv:2404.14527, section 5.
public struct FleetProgram: Hashable, Sendable {
    /// A kind of replica.
    public struct Kind: Hashable, Sendable {
        /// US dollars per hour of one replica.
        public var usdPerHour: Double
        /// Accelerators of one replica.
        public var accelerators: Int
        /// Requests per second of each bucket that one replica carries within the targets; 0: it cannot serve them.
        public var capacities: [Double]

        /// Describes a kind.
        public init(usdPerHour: Double, accelerators: Int, capacities: [Double]) {
            self.usdPerHour = usdPerHour
            self.accelerators = accelerators
            self.capacities = capacities
        }
    }

    /// The kinds.
    public var kinds: [Kind]
    /// Requests per second of each bucket.
    public var rates: [Double]
    /// Slices per bucket.
    public var slices: Int
    /// Accelerators at most, in all.
    public var maxAccelerators: Int

    /// Describes a program. Mélange takes 4 to 8 slices.
    public init(kinds: [Kind], rates: [Double], slices: Int = 4, maxAccelerators: Int = .max) {
        self.kinds = kinds
        self.rates = rates
        self.slices = slices
        self.maxAccelerators = maxAccelerators
    }

    /// A fleet.
    public struct Fleet: Hashable, Sendable {
        /// Replicas of each kind.
        public var replicas: [Int]
        /// Slices of each bucket that each kind serves: `[bucket][kind]`.
        public var slices: [[Int]]
        /// US dollars per hour.
        public var usdPerHour: Double
        /// Whether the whole tree was searched.
        public var isOptimal: Bool
    }

    /// The cheapest fleet; nil if there is none within ``maxAccelerators``.
    /// - Parameter nodes: nodes of the tree that are visited at most; beyond, the best fleet so far is returned as not
    ///   proven.
    public func solve(nodes: Int = 2_000_000) -> Fleet? {
        var search = FleetSearch(self, nodes: nodes)
        search.visit(bucket: 0, kind: 0, left: slices)
        guard var best = search.best else { return nil }
        best.isOptimal = search.nodes > 0
        return best
    }
}

/// Depth-first branch and bound: bucket by bucket, kind by kind, how many of the slices left go there.
private struct FleetSearch {
    let program: FleetProgram
    /// Load of one slice: `[bucket][kind]`; infinite where the kind cannot serve the bucket.
    let loads: [[Double]]
    /// The least that the buckets from here on cost, if replicas could be had in parts.
    let rest: [Double]
    /// Buckets in the order in which they are placed: the dearest first.
    let order: [Int]
    var used: [Double]
    var placed: [[Int]]
    var nodes: Int
    var best: FleetProgram.Fleet?

    init(_ program: FleetProgram, nodes: Int) {
        self.program = program
        self.nodes = nodes
        let kinds: [FleetProgram.Kind] = program.kinds
        loads = program.rates.indices.map { (bucket: Int) -> [Double] in
            kinds.map { (kind: FleetProgram.Kind) -> Double in
                let rate: Double = program.rates[bucket] / Double(program.slices)
                return rate == 0 ? 0 : kind.capacities[bucket] > 0 ? rate / kind.capacities[bucket] : .infinity
            }
        }
        let least: [Double] = loads.map { (row: [Double]) -> Double in
            let costs: [Double] = zip(row, kinds).map { $0 == 0 ? 0 : $0 * $1.usdPerHour }
            return Double(program.slices) * (costs.min() ?? .infinity)
        }
        order = least.indices.sorted { (least[$1], $0) < (least[$0], $1) }
        var sums: [Double] = [0]
        for bucket in order.reversed() { sums.insert(sums[0] + least[bucket], at: 0) }
        rest = sums
        used = Array(repeating: 0, count: kinds.count)
        placed = Array(repeating: Array(repeating: 0, count: kinds.count), count: program.rates.count)
    }

    mutating func visit(bucket place: Int, kind: Int, left: Int) {
        guard nodes > 0 else { return }
        nodes -= 1
        guard isPromising(after: place, left: left) else { return }
        guard place < order.count else { return accept() }
        let bucket: Int = order[place]
        guard kind < used.count else { return }
        guard left > 0 else { return visit(bucket: place + 1, kind: 0, left: program.slices) }
        let isLast: Bool = kind == used.count - 1
        let load: Double = loads[bucket][kind]
        let most: Int = load.isFinite ? left : 0
        for count in stride(from: most, through: isLast ? left : 0, by: -1) {
            let before: Double = used[kind]
            used[kind] += Double(count) * (count == 0 ? 0 : load)
            placed[bucket][kind] = count
            if left == count {
                visit(bucket: place + 1, kind: 0, left: program.slices)
            } else {
                visit(bucket: place, kind: kind + 1, left: left - count)
            }
            used[kind] = before
        }
        placed[bucket][kind] = 0
    }

    /// Whether a better fleet may still lie below: what is placed costs at least its whole replicas, and the rest at least
    /// its parts of replicas, as far as what is placed leaves them no room.
    private func isPromising(after place: Int, left: Int) -> Bool {
        var whole: Double = 0
        var parts: Double = 0
        var accelerators: Int = 0
        for (kind, load) in zip(program.kinds, used) {
            let replicas: Int = Self.replicas(load)
            whole += Double(replicas) * kind.usdPerHour
            parts += load * kind.usdPerHour
            accelerators += replicas * kind.accelerators
        }
        guard accelerators <= program.maxAccelerators else { return false }
        guard let best else { return true }
        guard place < order.count else { return whole < best.usdPerHour - 1e-9 }
        let share: Double = Double(left) / Double(program.slices)
        let open: Double = share * (rest[place] - rest[place + 1]) + rest[place + 1]
        return max(whole, parts + open) < best.usdPerHour - 1e-9
    }

    private mutating func accept() {
        let replicas: [Int] = used.map { Self.replicas($0) }
        let cost: Double = zip(replicas, program.kinds).reduce(0.0) { (sum: Double, pair) -> Double in
            sum + Double(pair.0) * pair.1.usdPerHour
        }
        best = FleetProgram.Fleet(replicas: replicas, slices: placed, usdPerHour: cost, isOptimal: false)
    }

    /// Whole replicas for a load; a hair above a whole number is rounding.
    private static func replicas(_ load: Double) -> Int { Int((load - 1e-9).rounded(.up)) }
}
