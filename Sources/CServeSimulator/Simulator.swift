// Serves a workload in virtual time, with the scheduler, the admission and the routing that serve in real time.
import CServeCore
import CServeScheduling
import CServeWorkload

/// Predicts what a cluster does with a workload.
///
/// Pure and deterministic: the same cluster, options and workload give the same report.
///
/// ```
/// let report = Simulator(ClusterSpec(replica, count: 4), options).run(requests)
/// ```
public struct Simulator: Sendable {
    /// What is simulated.
    public var cluster: ClusterSpec
    /// How.
    public var options: SimulationOptions

    /// A simulator of a cluster.
    public init(_ cluster: ClusterSpec, _ options: SimulationOptions = SimulationOptions()) {
        self.cluster = cluster
        self.options = options
    }

    /// Serves a workload to its end.
    ///
    /// Cost: memory for the requests on their way, and 32 bytes for each that has ended (more if records are kept).
    /// - Parameter workload: requests in the order of their arrivals; a turn stands behind the one that it waits for.
    public func run(_ workload: some Sequence<WorkloadRequest>) -> SimulationReport {
        var run = SimulationRun(cluster, options, workload.makeIterator())
        run.serve()
        return run.report()
    }

    /// Serves a workload to its end; one that can be read twice, and whose requests share no beginnings, needs no texts.
    ///
    /// As long as nobody is preempted, nobody finds anything in a prefix cache then, and a run without caches decides the
    /// same. If somebody is, all begins anew with texts. Blocks must be long enough that no two texts begin alike by
    /// chance: 80 bits of them.
    public func run(_ workload: some Collection<WorkloadRequest>) -> SimulationReport {
        if mayLeaveOutTexts(workload) {
            var plain = cluster
            for index in plain.replicas.indices { plain.replicas[index].scheduler.usePrefixCaching = false }
            var run = SimulationRun(plain, options, workload.makeIterator(), endsAtPreemption: true)
            if run.serve() { return run.report(cached: cluster) }
        }
        var run = SimulationRun(cluster, options, workload.makeIterator())
        run.serve()
        return run.report()
    }

    private func mayLeaveOutTexts(_ workload: some Collection<WorkloadRequest>) -> Bool {
        let bits: Int = Int.bitWidth - 1 - max(1, options.vocabularySize).leadingZeroBitCount
        return cluster.replicas.contains { $0.scheduler.usePrefixCaching }
            && cluster.replicas.allSatisfy { !$0.scheduler.usePrefixCaching || $0.scheduler.blockSize * bits >= 80 }
            && (cluster.routing != .prefixAware || cluster.replicas.count == 1)
            && workload.allSatisfy { $0.segments.isEmpty }
    }
}
