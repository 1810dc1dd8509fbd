// From a recipe to an engine's settings: what cannot be obeyed is refused, nothing is ignored.

import CServeCore
import CServeScheduling

extension Recipe {
    /// Checks every setting that needs no model to be checked.
    /// - Throws: ``RecipeError`` for the first setting at fault.
    public func checkRunnable() throws(RecipeError) {
        try checkParallelism()
        try checkMemory()
        try checkBatching()
        try checkTypes()
    }

    /// The scheduler's settings for a cache and a model.
    /// - Parameters:
    ///   - blockCount: KV blocks of the engine.
    ///   - modelLength: The model's own length.
    ///   - endTokens: The model's end-of-sequence tokens.
    /// - Throws: ``RecipeError``.
    public func schedulerConfiguration(
        blockCount: Int, modelLength: Int, endTokens: [TokenID]
    ) throws(RecipeError) -> SchedulerConfiguration {
        let length = try servedLength(modelLength: modelLength)
        var scheduler = SchedulerConfiguration(
            blockCount: blockCount, blockSize: blockSize, maxNumSeqs: maxNumSeqs,
            maxNumBatchedTokens: maxNumBatchedTokens, maxModelLength: length)
        guard scheduler.capacity >= length else {
            throw .cacheBelowLength(cacheTokens: scheduler.capacity, length: length)
        }
        scheduler.chunkedPrefillSize = chunkedPrefillSize
        scheduler.useChunkedPrefill = useChunkedPrefill
        scheduler.usePrefixCaching = usePrefixCaching
        scheduler.policy = SchedulingPolicy(rawValue: schedulingPolicy) ?? .auto
        scheduler.eosTokenIDs = Set(endTokens)
        scheduler.maxQueuedRequests = maxNumQueuedReqs
        scheduler.maxQueuedTokens = maxNumQueuedTokens
        return scheduler
    }

    /// The length that is served: `max_model_len`, or the model's own.
    /// - Throws: ``RecipeError/lengthAboveModel(asked:model:)``.
    public func servedLength(modelLength: Int) throws(RecipeError) -> Int {
        guard let maxModelLen else { return modelLength }
        guard maxModelLen <= modelLength else { throw .lengthAboveModel(asked: maxModelLen, model: modelLength) }
        return maxModelLen
    }

    private func checkParallelism() throws(RecipeError) {
        let sizes: [(CodingKeys, Int, String)] = [
            (.tensorParallelSize, tensorParallelSize, "One rank computes every layer: leave it at 1."),
            (.pipelineParallelSize, pipelineParallelSize, "One stage holds every layer: leave it at 1."),
            (
                .dataParallelSize, dataParallelSize,
                "Start one server per copy behind a load balancer, and leave it at 1."
            ),
        ]
        for (key, value, instead) in sizes {
            try Recipe.check(key, value, in: 1...Int.max)
            if value > 1 { throw .notBuilt(field: key.rawValue, value: "\(value)", instead: instead) }
        }
        try Recipe.check(.offloadingNum, offloadingNum, in: 0...Double.greatestFiniteMagnitude)
        if offloadingNum > 0 {
            throw .notBuilt(
                field: CodingKeys.offloadingNum.rawValue, value: "\(offloadingNum)",
                instead: "Weights stay in memory: leave it at 0.")
        }
        if let threads { try Recipe.check(.threads, threads, in: 1...1024) }
    }

    private func checkMemory() throws(RecipeError) {
        try Recipe.check(.blockSize, blockSize, in: 1...1024)
        guard gpuMemUtil > 0, gpuMemUtil <= 1 else {
            throw .outOfRange(field: "gpu_mem_util", value: "\(gpuMemUtil)", range: "above 0 and at most 1")
        }
        if let kvCacheMemoryBytes { try Recipe.check(.kvCacheMemoryBytes, kvCacheMemoryBytes, in: 1...Int.max) }
        if let maxModelLen { try Recipe.check(.maxModelLen, maxModelLen, in: 1...Int.max) }
    }

    private func checkBatching() throws(RecipeError) {
        try Recipe.check(.maxNumSeqs, maxNumSeqs, in: 1...65_536)
        try Recipe.check(.maxNumBatchedTokens, maxNumBatchedTokens, in: 1...1_048_576)
        try Recipe.check(.maxNumQueuedReqs, maxNumQueuedReqs, in: 1...Int.max)
        try Recipe.check(.maxNumQueuedTokens, maxNumQueuedTokens, in: 1...Int.max)
        guard maxNumBatchedTokens >= maxNumSeqs else {
            throw .batchBelowSeqs(batchedTokens: maxNumBatchedTokens, seqs: maxNumSeqs)
        }
        guard let chunkedPrefillSize else { return }
        try Recipe.check(.chunkedPrefillSize, chunkedPrefillSize, in: 1...Int.max)
        guard useChunkedPrefill else { throw .chunkWithoutChunking(chunk: chunkedPrefillSize) }
        guard chunkedPrefillSize <= maxNumBatchedTokens else {
            throw .chunkAboveBatch(chunk: chunkedPrefillSize, batchedTokens: maxNumBatchedTokens)
        }
    }

    private func checkTypes() throws(RecipeError) {
        let floats = ["auto", "bfloat16", "float16", "float32"]
        try Recipe.check(.dtype, dtype, among: floats)
        try Recipe.check(.cacheDtype, cacheDtype, among: ["auto"] + CacheFormat.names)
        try Recipe.check(
            .device, device, among: ["auto", "cpu", "reference", "null"], notBuilt: ["cuda"],
            instead: "Use device cpu, or leave it out.")
        try Recipe.check(.schedulingPolicy, schedulingPolicy, among: SchedulingPolicy.allCases.map(\.rawValue))
        if let quantization {
            let choices = Quantization.allCases.map(\.rawValue)
            let methods = Quantization.methods.filter { !choices.contains($0) }
            try Recipe.check(.quantization, quantization, among: choices + methods)
        }
    }

    private static func check<T: Comparable>(
        _ key: CodingKeys, _ value: T, in range: ClosedRange<T>
    ) throws(RecipeError) {
        guard range.contains(value) else {
            let isOpen = "\(range.upperBound)" == "\(Int.max)" || value is Double
            throw .outOfRange(
                field: key.rawValue, value: "\(value)",
                range: isOpen ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func check(
        _ key: CodingKeys, _ value: String, among choices: [String], notBuilt: [String] = [], instead: String = ""
    ) throws(RecipeError) {
        if notBuilt.contains(value) { throw .notBuilt(field: key.rawValue, value: value, instead: instead) }
        guard choices.contains(value) else {
            throw .unknownChoice(field: key.rawValue, value: value, choices: choices)
        }
    }
}
