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
}
