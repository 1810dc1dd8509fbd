// A real run of vLLM with its requests' times, in the form of LLMServingSim's `bench`: meta.json, requests.jsonl, config.json.

import CServeCore
import CServeWorkload

/// One run.
struct MeasuredRun {
    /// One request: lengths, and moments in seconds on the engine's clock.
    struct Request {
        var promptTokens: Int
        var outputTokens: Int
        /// When the client sent it.
        var sent: Double
        /// When the engine took it in, between two steps.
        var queued: Double
        var firstToken: Double
        var lastToken: Double
    }

    let folder: String
    /// The GPU as the folder calls it.
    let gpu: String
    let model: String
    let version: String
    let requests: [Request]
    let tensorParallel: Int
    let maxNumSeqs: Int
    let maxNumBatchedTokens: Int
    let maxModelLength: Int?
    let blockSize: Int
    let precision: String
    let usesPrefixes: Bool
    let memoryShare: Double
    /// Whether the engine scheduled a step while the one before ran; nil where the run does not say.
    let schedulesAhead: Bool?
    /// KV blocks that requests may have: of those that vLLM reports, one stands for no block (`block_pool.py`: null_block).
    let kvBlocks: Int?
    /// Memory of the device that the engine saw.
    let deviceBytes: Int?
    /// Memory and its bandwidth as config.json describes the GPU.
    let memoryBytes: Int?
    let memoryBandwidth: Double?

    /// Runs below `serving/*_per_request/GPU/MODEL/`.
    static func folders(in data: DataFolder) -> [String] {
        data.files("serving", suffix: "_per_request").flatMap { collection in
            data.files(collection, suffix: "").flatMap { data.files($0, suffix: "") }
        }.filter { data.has($0 + "/vllm/requests.jsonl") && data.has($0 + "/vllm/meta.json") }
    }

    /// Reads a run.
    /// - Throws: ``ReplayRefusal`` with file and line where something is missing.
    init(_ folder: String, in data: DataFolder) throws {
        self.folder = folder
        gpu = String(folder.split(separator: "/").dropLast().last ?? "")
        let meta: JSONObject = try Self.object(data, folder + "/vllm/meta.json")
        let arguments: JSONObject = meta["engine_kwargs"]?.objectValue ?? JSONObject()
        let cache: JSONObject = meta["kv_cache"]?.objectValue ?? JSONObject()
        guard let model = meta["model"]?.stringValue else {
            throw ReplayRefusal(description: "\(folder)/vllm/meta.json names no model.")
        }
        self.model = model
        version = meta["vllm_version"]?.stringValue ?? "of unknown version"
        tensorParallel = arguments["tensor_parallel_size"]?.intValue ?? 1
        maxNumSeqs = arguments["max_num_seqs"]?.intValue ?? 256
        maxNumBatchedTokens = arguments["max_num_batched_tokens"]?.intValue ?? 2048
        maxModelLength = arguments["max_model_len"]?.intValue
        blockSize = cache["block_size"]?.intValue ?? 16
        precision = arguments["dtype"]?.stringValue ?? "bfloat16"
        // On by default since V1.
        usesPrefixes = cache["enable_prefix_caching"]?.boolValue ?? true
        kvBlocks = cache["num_gpu_blocks"]?.intValue.map { $0 - 1 }
        let resolved: JSONObject? = meta["resolved_config"]?.objectValue?["scheduler_config"]?.objectValue
        schedulesAhead = (resolved?["async_scheduling"] ?? arguments["async_scheduling"])?.boolValue
        deviceBytes = meta["hardware"]?.objectValue?["device_total_memory_bytes"]?.intValue
        let machine: JSONObject? = Self.machine(data, folder)
        let utilisation: Double? = cache["gpu_memory_utilization"]?.doubleValue
        memoryShare = utilisation ?? arguments["gpu_memory_utilization"]?.doubleValue ?? 0.9
        memoryBytes = machine?["mem_size"]?.doubleValue.map { Int($0 * 1e9) }
        memoryBandwidth = machine?["mem_bw"]?.doubleValue.map { $0 * 1e9 }
        requests = try Self.aligned(Self.requests(data, folder + "/vllm/requests.jsonl"))
    }

    /// The requests for the simulator, in the order in which they were sent.
    var workload: [WorkloadRequest] {
        let sorted: [Request] = requests.sorted { ($0.sent, $0.queued) < ($1.sent, $1.queued) }
        let start: Double = sorted.first?.sent ?? 0
        return sorted.enumerated().map { (index: Int, request: Request) -> WorkloadRequest in
            WorkloadRequest(
                index: index, arrival: Self.span(request.sent - start), promptLength: request.promptTokens,
                outputLength: request.outputTokens)
        }
    }

    var ttft: LatencySummary { LatencySummary(of: requests.map { Self.span($0.firstToken - $0.queued) }) }
    var e2e: LatencySummary { LatencySummary(of: requests.map { Self.span($0.lastToken - $0.queued) }) }
    var tpot: LatencySummary {
        LatencySummary(
            of: requests.filter { $0.outputTokens > 1 }.map { (request: Request) -> Nanoseconds in
                Self.span((request.lastToken - request.firstToken) / Double(request.outputTokens - 1))
            })
    }

    private static func span(_ seconds: Double) -> Nanoseconds { Nanoseconds((seconds * 1e9).rounded()) }

    private static func object(_ data: DataFolder, _ file: String) throws -> JSONObject {
        guard let object = try JSONValue(parsing: data.bytes(file)).objectValue else {
            throw ReplayRefusal(description: "\(file) is no JSON object.")
        }
        return object
    }

    /// The first instance's memory in the simulator's own configuration beside the run.
    private static func machine(_ data: DataFolder, _ folder: String) -> JSONObject? {
        let file: String = folder + "/config.json"
        guard data.has(file), let object = try? object(data, file) else { return nil }
        let node: JSONObject? = object["nodes"]?.arrayValue?.first?.objectValue
        return node?["instances"]?.arrayValue?.first?.objectValue?["npu_mem"]?.objectValue
    }

    private static func requests(_ data: DataFolder, _ file: String) throws -> [Request] {
        var requests: [Request] = []
        for (index, line) in try data.bytes(file).split(separator: UInt8(ascii: "\n")).enumerated() {
            let object: JSONObject? = try? JSONValue(parsing: Array(line)).objectValue
            guard let object, let prompt = object["input_toks"]?.intValue, let output = object["output_toks"]?.intValue,
                let queued = object["queued_ts"]?.doubleValue, let first = object["first_token_ts"]?.doubleValue,
                let last = object["last_token_ts"]?.doubleValue, prompt > 0, output > 0
            else {
                throw ReplayRefusal(
                    description: "\(file), line \(index + 1): a request needs input_toks, output_toks, queued_ts, "
                        + "first_token_ts and last_token_ts.")
            }
            requests.append(
                Request(
                    promptTokens: prompt, outputTokens: output, sent: object["arrival_time"]?.doubleValue ?? queued,
                    queued: queued, firstToken: first, lastToken: last))
        }
        guard !requests.isEmpty else { throw ReplayRefusal(description: "\(file) holds no requests.") }
        return requests
    }

    /// Puts the clients' clock on the engine's: whoever was taken in soonest was taken in at once.
    private static func aligned(_ requests: [Request]) -> [Request] {
        let shift: Double = requests.map { $0.queued - $0.sent }.min() ?? 0
        return requests.map { (request: Request) -> Request in
            var copy: Request = request
            copy.sent += shift
            return copy
        }
    }
}
