import CServeCore

@testable import CServeEngine

/// A model whose "keys and values" are the tokens themselves: its logits are a hash of everything cached before a row,
/// read through the block table. A wrong block, copy or position changes every later token.
final class ToyExecutor: ModelExecutor {
    static let poison: TokenID = 60
    static let notANumber: TokenID = 61

    let vocabularySize = 64
    let maxModelLength: Int
    let blockSize: Int
    let totalBlocks: Int
    let maxBatchedTokens: Int
    private let gate: Gate?
    private var cache: [Int32]
    private let logits: UnsafeMutableBufferPointer<Float>

    struct Poisoned: Error {}

    init(blockSize: Int = 4, totalBlocks: Int, maxModelLength: Int = 128, maxBatchedTokens: Int = 64, gate: Gate? = nil)
    {
        self.gate = gate
        self.blockSize = blockSize
        self.totalBlocks = totalBlocks
        self.maxModelLength = maxModelLength
        self.maxBatchedTokens = maxBatchedTokens
        cache = Array(repeating: -1, count: blockSize * totalBlocks)
        logits = .allocate(capacity: vocabularySize)
        logits.initialize(repeating: 0)
    }

    deinit { logits.deallocate() }

    func execute(_ inputs: BatchInputs, _ body: (LogitsSlice) throws -> Void) throws {
        gate?.pass()
        for copy in inputs.copies {
            for offset in 0..<blockSize {
                cache[Int(copy.destination) * blockSize + offset] = cache[Int(copy.source) * blockSize + offset]
            }
        }
        if inputs.tokens.contains(ToyExecutor.poison) { throw Poisoned() }
        for (token, slot) in zip(inputs.tokens, inputs.slots) { cache[Int(slot)] = token }
        var wanted = 0
        for entry in inputs.entries {
            for row in entry.firstRow..<(entry.firstRow + entry.rows)
            where wanted < inputs.logitRows.count && inputs.logitRows[wanted] == Int32(row) {
                fill(context(of: inputs, entry, upTo: Int(inputs.positions[row])))
                if inputs.tokens[row] == ToyExecutor.notANumber { logits[3] = .nan }
                try body(LogitsSlice(firstWanted: wanted, rows: 1, vocabularySize: vocabularySize, values: logits))
                wanted += 1
            }
        }
    }

    private func context(of inputs: BatchInputs, _ entry: BatchInputs.Entry, upTo position: Int) -> UInt64 {
        var hash: UInt64 = 0
        for index in 0...position {
            let block = Int(inputs.blockTables[entry.firstBlock + index / blockSize])
            hash = RandomStream.mix(hash ^ UInt64(bitPattern: Int64(cache[block * blockSize + index % blockSize])))
        }
        return hash
    }

    private func fill(_ hash: UInt64) {
        for token in 0..<60 {
            logits[token] = Float(RandomStream.mix(hash &+ UInt64(token)) >> 40) / 2_000_000
        }
        for token in 60..<64 { logits[token] = -20 }
    }
}

extension Engine {
    /// An engine on the toy model.
    static func toy(
        blocks: Int = 400, seqs: Int = 40, batchedTokens: Int = 64, gate: Gate? = nil,
        _ change: (inout Recipe) -> Void = { _ in }
    ) throws -> Engine {
        var recipe = Recipe()
        recipe.blockSize = 4
        recipe.maxNumSeqs = seqs
        recipe.maxNumBatchedTokens = batchedTokens
        change(&recipe)
        let executor = ToyExecutor(totalBlocks: blocks, maxBatchedTokens: batchedTokens, gate: gate)
        let scheduler = try recipe.schedulerConfiguration(
            blockCount: blocks, modelLength: executor.maxModelLength, endTokens: [])
        return try Engine(
            EngineConfiguration(scheduler: scheduler, vocabularySize: executor.vocabularySize), executor: executor)
    }
}
