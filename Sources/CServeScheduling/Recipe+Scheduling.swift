// From a recipe to a scheduler's settings: the live engine and the simulator take the very same ones.

import CServeCore

extension Recipe {
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
        scheduler.draftTokens = draftTokens
        scheduler.draftLookup = shortestLookup...longestLookup
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

    /// Checks the settings that a scheduler obeys.
    /// - Throws: ``RecipeError`` for the first setting at fault.
    public func checkSchedulable() throws(RecipeError) {
        try checkBlockSize()
        try checkBatching()
        try checkPolicy()
        if let maxModelLen { try Recipe.check(.maxModelLen, maxModelLen, in: 1...Int.max) }
        try checkSpeculation()
    }

    package func checkBlockSize() throws(RecipeError) {
        try Recipe.check(.blockSize, blockSize, in: 1...1024)
    }

    package func checkPolicy() throws(RecipeError) {
        try Recipe.check(.schedulingPolicy, schedulingPolicy, among: SchedulingPolicy.allCases.map(\.rawValue))
    }

    package func checkBatching() throws(RecipeError) {
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

    package func checkSpeculation() throws(RecipeError) {
        guard let specProposer else {
            // Other recipes say "no speculation" by naming no tokens.
            let settings: [(CodingKeys, Int?)] = [
                (.specTokens, specTokens == 0 ? nil : specTokens), (.specPromptLookupMin, specPromptLookupMin),
                (.specPromptLookupMax, specPromptLookupMax),
            ]
            for case (let key, let value?) in settings {
                throw .speculationWithoutProposer(field: key.rawValue, value: value)
            }
            return
        }
        try Recipe.check(
            .specProposer, specProposer, among: ["ngram"],
            notBuilt: ["draft_model", "eagle", "eagle3", "medusa", "mtp"],
            instead: "Use spec_proposer ngram, or leave it out.")
        if let specTokens { try Recipe.check(.specTokens, specTokens, in: 1...32) }
        if let specPromptLookupMin { try Recipe.check(.specPromptLookupMin, specPromptLookupMin, in: 1...16) }
        if let specPromptLookupMax { try Recipe.check(.specPromptLookupMax, specPromptLookupMax, in: 1...16) }
        guard shortestLookup <= longestLookup else {
            throw .lookupReversed(shortest: shortestLookup, longest: longestLookup)
        }
    }

    package static func check<T: Comparable>(
        _ key: CodingKeys, _ value: T, in range: ClosedRange<T>
    ) throws(RecipeError) {
        guard range.contains(value) else {
            let isOpen = "\(range.upperBound)" == "\(Int.max)" || value is Double
            throw .outOfRange(
                field: key.rawValue, value: "\(value)",
                range: isOpen ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    package static func check(
        _ key: CodingKeys, _ value: String, among choices: [String], notBuilt: [String] = [], instead: String = ""
    ) throws(RecipeError) {
        if notBuilt.contains(value) { throw .notBuilt(field: key.rawValue, value: value, instead: instead) }
        guard choices.contains(value) else {
            throw .unknownChoice(field: key.rawValue, value: value, choices: choices)
        }
    }
}
