// Sends a workload's requests when they are due, whatever the server does, and collects what became of them.
import CServeCore
import CServeWorkload
import NIOCore

/// How long things may take, and how much may run at once.
public struct LoadSettings: Hashable, Sendable {
    /// How long a request may take.
    public var timeout: Nanoseconds = 300 * .second
    /// When the whole run ends, whoever still waits; nil: when all have their answers.
    public var maxRunTime: Nanoseconds?
    /// How many requests wait for answers at most; nil: no bound. Requests beyond it wait here, as with `vllm bench serve`.
    public var maxConcurrency: Int?
    /// How often progress is told.
    public var progressInterval: Nanoseconds = .second / 4

    /// The defaults.
    public init() {}
}

/// Drives one server with one workload.
public final class LoadGenerator: Sendable {
    private let client: StreamingClient
    private let workload: Workload
    private let settings: LoadSettings
    private let run: LoadRun

    /// Prepares a run. The same workload sends the same requests as in the simulator.
    ///
    /// - Parameter onProgress: called on the event loop; must be quick.
    public init(
        _ client: StreamingClient, workload: Workload, writer: RequestWriter, settings: LoadSettings = LoadSettings(),
        onProgress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) {
        self.client = client
        self.workload = workload
        self.settings = settings
        run = LoadRun(client, workload, writer, settings, onProgress)
    }

    /// Sends all requests and waits for the answers, the run time's end or ``interrupt()``.
    ///
    /// - Returns: A measurement of every request that was sent, or would have been but for the answer before it, in the order
    ///   of their numbers.
    public func measure() async -> [RequestMeasurement] {
        await client.openAhead(2)
        return await withCheckedContinuation { continuation in
            client.loop.execute { self.run.begin { continuation.resume(returning: $0) } }
        }
    }

    /// Ends the run now: what has no answer yet fails as interrupted.
    public func interrupt() {
        client.loop.execute { self.run.stop() }
    }
}

extension BenchRun {
    /// The result of a run that began at that time.
    public init(
        target: String, model: String, workload: Workload, began: Double, requests: [RequestMeasurement]
    ) {
        let first: Nanoseconds = requests.map(\.due).min() ?? 0
        let last: Nanoseconds = requests.map(\.end).max() ?? 0
        self.init(
            target: target, model: model, workload: String(decoding: workload.json.serialized(), as: UTF8.self),
            workloadDigest: workload.digest, began: began, duration: last - first, requests: requests)
    }
}
