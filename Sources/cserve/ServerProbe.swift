// Measures a running server from outside: prompts alone, then decodes at several concurrencies; its step log where it has one.

import CServeCore
import CServeCost
import Foundation

/// Why a server cannot be probed.
enum ServerProbeError: Error, Hashable, CustomStringConvertible {
    case noModel(url: String, status: Int)
    case noTokens(url: String)
    case lost(url: String, reason: String)

    var description: String {
        switch self {
        case .noModel(let url, let status):
            "\(url)/models answered \(status) and names no model. Give the address of an OpenAI-style server, such as "
                + "http://127.0.0.1:8000/v1, with --api-key if it wants one."
        case .noTokens(let url): "\(url) streamed no tokens. Does it serve /v1/completions with \"stream\"?"
        case .lost(let url, let reason): "\(url) cannot be reached: \(reason). Is the server running?"
        }
    }
}

/// Probes one server.
struct ServerProbe {
    let endpoint: Endpoint
    let url: String
    let key: String?
    /// Token ids are drawn below this.
    let vocabulary: Int
    /// The longest prompt that is sent.
    let longest: Int

    /// One streamed answer.
    struct Answer: Sendable {
        var sent: Double
        /// When each chunk of tokens came.
        var chunks: [Double] = []
        var tokens: Int = 0
    }

    /// What a probe found.
    struct Findings {
        var model: String
        var steps: [ProbeStep]
        /// Whether the server's own log was read.
        var isLogged: Bool
        var kvBlocks: Int?
    }

    /// Sends the probe's load.
    func run(_ host: EngineProfile.HostCosts, _ progress: (Int, Int) -> Void) async throws -> Findings {
        let model: String = try await modelName()
        _ = try await complete(model, prompt: 16, output: 2, seed: 1)
        let before: UInt64? = try await steps(after: 0).map { $0.last?.id ?? 0 }
        let total: Int = prompts.count + Self.batches.count
        var steps: [ProbeStep] = []
        for (place, length) in prompts.enumerated() {
            steps += try await alone(model, length, host)
            progress(place + 1, total)
        }
        for (place, batch) in Self.batches.enumerated() {
            if let step = try await together(model, batch.clients, min(batch.prompt, longest)) { steps.append(step) }
            progress(prompts.count + place + 1, total)
        }
        let blocks: Int? = await kvBlocks()
        if let before, let logged = try await self.steps(after: before), logged.count >= Calibration.leastSteps {
            let own: [ProbeStep] = logged.filter { $0.drafts == 0 && $0.cycle > 0 }.map {
                ProbeStep(StepComposition($0), seconds: $0.cycle.seconds)
            }
            return Findings(model: model, steps: own, isLogged: true, kvBlocks: blocks)
        }
        return Findings(model: model, steps: steps, isLogged: false, kvBlocks: blocks)
    }

    private var prompts: [Int] {
        [16, 48, 96, 160, 256, 384, 512, 768, 1024, 1536, 2048].filter { $0 <= longest }
    }

    private static let batches: [(clients: Int, prompt: Int)] = [
        (1, 32), (2, 32), (4, 32), (8, 32), (16, 32), (1, 700), (2, 500), (4, 400), (8, 300), (12, 64), (6, 128),
        (3, 256),
    ]

    // MARK: What is measured

    /// Prompts alone: the time to the first token, less the way in and out.
    private func alone(_ model: String, _ length: Int, _ host: EngineProfile.HostCosts) async throws -> [ProbeStep] {
        var steps: [ProbeStep] = []
        for repeated in 0..<2 {
            let answer: Answer = try await complete(
                model, prompt: length, output: 1, seed: UInt64(1000 + 2 * length + repeated))
            guard let first = answer.chunks.first else { throw ServerProbeError.noTokens(url: url) }
            var step: StepComposition = StepComposition()
            step.addPrefill(tokens: length, context: 0, samples: true)
            let around: Double = host.ingress + host.ingressPerToken * Double(length) + host.egress
            steps.append(ProbeStep(step, seconds: max(1e-6, first - answer.sent - around)))
        }
        return steps
    }

    /// Decodes together: the time of a token while all of them run.
    private func together(_ model: String, _ clients: Int, _ prompt: Int) async throws -> ProbeStep? {
        let output: Int = 48
        let answers: [Answer] = try await withThrowingTaskGroup(of: Answer.self) { group in
            for client in 0..<clients {
                group.addTask {
                    try await complete(
                        model, prompt: prompt, output: output, seed: UInt64(100 * prompt + 7 * clients + client + 1))
                }
            }
            var answers: [Answer] = []
            for try await answer in group { answers.append(answer) }
            return answers
        }
        return Self.decodeStep(answers, prompt: prompt)
    }

    /// From the last first token to the first last one all requests decode: chunks in between, a step each.
    static func decodeStep(_ answers: [Answer], prompt: Int) -> ProbeStep? {
        let start: Double = answers.compactMap(\.chunks.first).max() ?? 0
        let end: Double = answers.compactMap(\.chunks.last).min() ?? 0
        var spans: [Double] = []
        var places: [Double] = []
        for answer in answers {
            let inside: [Int] = answer.chunks.indices.filter { answer.chunks[$0] >= start && answer.chunks[$0] <= end }
            guard let first = inside.first, let last = inside.last, last > first, answer.chunks.count > 1 else {
                continue
            }
            let perChunk: Double = Double(answer.tokens) / Double(answer.chunks.count)
            let steps: Double = Double(last - first) * perChunk
            spans.append((answer.chunks[last] - answer.chunks[first]) / steps)
            places.append(Double(first + last) / 2 * perChunk)
        }
        guard spans.count == answers.count, !spans.isEmpty else { return nil }
        let mean: Double = places.reduce(0, +) / Double(places.count)
        var step: StepComposition = StepComposition()
        for _ in answers { step.addDecode(context: prompt + Int(mean) + 1) }
        return ProbeStep(step, seconds: spans.reduce(0, +) / Double(spans.count))
    }

    // MARK: What is sent

    private func complete(_ model: String, prompt: Int, output: Int, seed: UInt64) async throws -> Answer {
        let body: JSONValue = .object(
            JSONObject([
                ("model", .string(model)), ("prompt", .array(tokens(prompt, seed: seed))),
                ("max_tokens", .integer(output)), ("temperature", .integer(0)), ("ignore_eos", .bool(true)),
                ("stream", .bool(true)), ("stream_options", .object(JSONObject([("include_usage", .bool(true))]))),
            ]))
        var answer: Answer = Answer(sent: Self.now)
        do {
            try await ChatClient.post(
                endpoint.adding("/completions"), key: key, body: body.serialized()
            ) { (event: String) in
                let moment: Double = Self.now
                let json: JSONValue = (try? JSONValue(parsing: Array(event.utf8))) ?? .null
                if let count = json["usage"]?["completion_tokens"]?.intValue { answer.tokens = count }
                if json["choices"]?.arrayValue?.isEmpty == false { answer.chunks.append(moment) }
            }
        } catch let error as ChatError {
            throw error
        } catch {
            throw ServerProbeError.lost(url: url, reason: "\(error)")
        }
        if answer.tokens == 0 { answer.tokens = answer.chunks.count }
        return answer
    }

    /// Ids from a seed, away from the ids of special tokens; no two prompts begin alike.
    private func tokens(_ count: Int, seed: UInt64) -> [JSONValue] {
        var state: UInt64 = seed
        let low: Int = min(300, vocabulary / 4)
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return .integer(low + Int(state >> 33) % max(1, vocabulary - low - 8))
        }
    }

    private static var now: Double { ProcessInfo.processInfo.systemUptime }

    // MARK: What the server tells

    private func page(_ target: Endpoint) async throws -> (status: Int, body: [UInt8]) {
        do {
            return try await ChatClient.get(target, key: key)
        } catch {
            throw ServerProbeError.lost(url: url, reason: "\(error)")
        }
    }

    /// The server's root, where endpoints stand that OpenAI does not have.
    private var root: Endpoint {
        let path: String = endpoint.path.hasSuffix("/v1") ? String(endpoint.path.dropLast(3)) : endpoint.path
        return Endpoint(host: endpoint.host, port: endpoint.port, path: path)
    }

    private func modelName() async throws -> String {
        let answer = try await page(endpoint.adding("/models"))
        let json: JSONValue = (try? JSONValue(parsing: answer.body)) ?? .null
        guard let name = json["data"]?.arrayValue?.first?["id"]?.stringValue else {
            throw ServerProbeError.noModel(url: url, status: answer.status)
        }
        return name
    }

    /// The log behind a step; nil where there is none.
    private func steps(after id: UInt64) async throws -> [StepRecord]? {
        let answer = try await page(root.adding("/debug/steps?after=\(id)"))
        guard answer.status == 200 else { return nil }
        return try answer.body.split(separator: UInt8(ascii: "\n")).map {
            try JSONValue(parsing: Array($0)).decoded(file: "\(url)/debug/steps")
        }
    }

    /// The blocks that `/metrics` tells of, as vLLM and this program name them.
    private func kvBlocks() async -> Int? {
        guard let answer = try? await page(root.adding("/metrics")), answer.status == 200 else { return nil }
        return Self.kvBlocks(String(decoding: answer.body, as: UTF8.self))
    }

    /// The label `num_gpu_blocks` of `vllm:cache_config_info`.
    static func kvBlocks(_ metrics: String) -> Int? {
        guard let match = metrics.firstMatch(of: /cache_config_info\{[^}]*num_gpu_blocks="(\d+)"/) else { return nil }
        return Int(match.output.1)
    }
}
