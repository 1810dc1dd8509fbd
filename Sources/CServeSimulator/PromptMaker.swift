// Turns a workload's requests into a scheduler's: texts only where somebody looks at them.
import CServeCore
import CServeScheduling
import CServeWorkload

/// Makes requests. Without prefix caches and prefix-aware routing, prompts of zeros do: nobody compares them.
struct PromptMaker {
    private let seed: UInt64
    private let vocabularySize: Int
    private let needsTexts: Bool
    private let needsPrefixes: Bool

    init(_ cluster: ClusterSpec, _ options: SimulationOptions) {
        seed = options.seed
        vocabularySize = options.vocabularySize
        needsPrefixes = cluster.routing == .prefixAware && cluster.replicas.count > 1
        needsTexts = needsPrefixes || cluster.replicas.contains { $0.scheduler.usePrefixCaching }
    }

    /// What the scheduler gets, still without its name, and what the router looks at.
    func request(_ request: WorkloadRequest) -> (request: Request, routing: RoutingRequest) {
        let prompt: [TokenID] =
            needsTexts
            ? request.promptTokens(vocabularySize: vocabularySize, seed: seed)
            : Array(repeating: 0, count: request.promptLength)
        var made = Request(id: RequestID(0), promptTokens: prompt)
        made.sampling.maxTokens = request.outputLength
        made.sampling.ignoreEOS = true
        let routing = RoutingRequest(
            promptTokens: prompt.count, session: request.session.map { UInt64(bitPattern: Int64($0)) },
            prefixes: needsPrefixes ? PromptMaker.prefixes(of: prompt) : [])
        return (made, routing)
    }

    private static func prefixes(of prompt: [TokenID]) -> [UInt64] {
        var hash: UInt64 = 0
        return stride(from: Router.prefixStride, through: prompt.count, by: Router.prefixStride).map { (end: Int) in
            for token in prompt[(end - Router.prefixStride)..<end] {
                hash = SeededGenerator.mix(hash, UInt64(UInt32(bitPattern: token)))
            }
            return hash
        }
    }
}
