// Small physical models of attention: tiles of queries against tiles of keys for prompts, split keys for decodes.
import CServeCore

/// The model of attention of prompts (FlashAttention-2 and -3: Dao 2023, arXiv:2307.08691; Shah et al. 2024,
/// arXiv:2407.08608).
enum PrefillPhysics {
    /// Places of the constants.
    enum Constant: Int, CaseIterable {
        /// Thousand cycles of a kernel that does nothing.
        case floor
        /// Share of the arithmetic peak with heads of 128.
        case compute
        /// The same with heads of 64, as a share of that.
        case narrow
        /// The same with heads of 192 and more, as a share of that.
        case wide
        /// Thousand cycles of a tile of queries beside its keys.
        case tile
        /// How much of that does not depend on the head's width.
        case tileBase
        /// How much of it the longest tile waits for.
        case longestTile
        /// How much of a tile's share of arithmetic the longest tile takes.
        case longestKeys
        /// Share of the memory's bandwidth that is reached.
        case bandwidth
        /// How sharply arithmetic and memory overlap.
        case sharpness
        /// Bytes per cycle that a processor reads from the second-level cache.
        case cacheRate
    }

    /// Fitted on A100, H100 and L40S.
    static let constants: [Double] = [13.8, 0.566, 0.958, 1.01, 4.68, 1.43, 0.261, 0.23, 0.75, 2.68, 9.36]
    /// Thousand cycles of the kernel that shares out work ahead of FlashAttention-3 (`prepare_varlen_num_blocks` of its
    /// sources): what a kernel of a matrix product takes that does nothing.
    static let sharingOut: Double = GemmPhysics.constants[GemmPhysics.Constant.floor.rawValue]

    static func seconds(
        _ work: PrefillWork, _ shape: AttentionShape, _ rates: DeviceRates, peak: Double, _ constants: [Double]
    ) -> Double {
        func constant(_ place: Constant) -> Double { constants[place.rawValue] }
        let width = Double(shape.headDim + shape.valueDim) / 2
        let tile = Tile(rates, width: width)
        // A group's query heads share one tile where they would leave it empty.
        let isPacked: Bool = work.tokens < (rates.hasAsynchronousAttention ? tile.rows : 2)
        let group = Double(shape.heads) / Double(shape.kvHeads)
        let queryTiles: Double = ((isPacked ? work.tokens * group : work.tokens) / tile.rows).rounded(.up)
        let window: Double = shape.window.map(Double.init) ?? 1e9
        let seen: Double = min(work.context + work.tokens, window + 128)
        let longest: Double = (seen / tile.keys).rounded(.up)
        let pairs: Double = shape.pairs(tokens: work.tokens, context: work.context)
        // A tile's last row sees most keys, and the last tile of keys is half empty; with a window the first is too.
        let diagonal: Double = min(tile.rows, work.tokens) / (2 * tile.keys) + (window < work.tokens ? 1 : 0.5)
        let mean: Double = min(longest, pairs / max(work.tokens, 1) / tile.keys + diagonal)
        let narrow: Double = width <= 64 ? constant(.narrow) : width >= 192 ? constant(.wide) : 1
        let share: Double = constant(.compute) * narrow / rates.processors
        let perTile: Double = 4 * width * tile.rows * tile.keys / (peak * share)
        let base: Double = constant(.tileBase)
        let start: Double = rates.seconds(kilocycles: constant(.tile)) * (base + (1 - base) * width / 128)
        let items: Double = work.requests * Double(isPacked ? shape.kvHeads : shape.heads) * queryTiles
        let busy: Double = items * (max(start, 0) / tile.resident + mean * perTile) / rates.processors
        let last: Double = max(start, 0) * constant(.longestTile) + longest * perTile * constant(.longestKeys)
        let moved: Double = memory(work, shape, rates, constants)
        let both: Double = GemmPhysics.overlapped(max(busy, 1e-12), moved, constant(.sharpness))
        let ahead: Double = rates.hasAsynchronousAttention ? sharingOut : 0
        return rates.seconds(kilocycles: constant(.floor) + ahead) + max(both, last)
    }

    /// What a block of threads works on: rows of queries against so many keys at once.
    private struct Tile {
        var rows: Double
        var keys: Double
        /// Blocks that a processor holds at once.
        var resident: Double

        /// FlashAttention-3 takes 128 rows and keeps a processor to itself. FlashAttention-2 over a paged cache takes 64 rows
        /// and 256, 128 or 64 keys by the width of a head (`run_mha_fwd_splitkv_dispatch` of its sources); two blocks stay on
        /// a processor where its shared memory holds their queries, keys and values.
        init(_ rates: DeviceRates, width: Double) {
            if rates.hasAsynchronousAttention {
                (rows, keys, resident) = (128, 128, 1)
                return
            }
            rows = 64
            keys = width <= 64 ? 256 : width <= 128 ? 128 : 64
            let bytes: Double = (rows + 2 * keys) * width * 2
            resident = min(2, max(1, (rates.sharedMemory / bytes).rounded(.down)))
        }
    }

    private static func memory(
        _ work: PrefillWork, _ shape: AttentionShape, _ rates: DeviceRates, _ constants: [Double]
    ) -> Double {
        let read: Double = (work.tokens + min(work.context, shape.window.map(Double.init) ?? work.context))
        let bytes: Double = work.requests * (work.tokens * shape.bytesPerToken + read * shape.bytesPerPosition)
        let rate: Double = rates.bandwidth * constants[Constant.bandwidth.rawValue]
        let cached: Double = rates.processors * constants[Constant.cacheRate.rawValue] * rates.clock * 1e6
        // A quarter of the cache still holds what the kernel before has written.
        let hit: Double = min(1, max(0, 2 - bytes / (0.25 * rates.cache)))
        return bytes * (hit / max(rate, cached) + (1 - hit) / rate)
    }
}

/// The model of attention of decodes: keys are split among processors, and a second kernel or phase joins the parts.
enum DecodePhysics {
    /// Places of the constants.
    enum Constant: Int, CaseIterable {
        /// Microseconds of a kernel that does nothing, whatever the clock.
        case floorTime
        /// Thousand cycles of it.
        case floorCycles
        /// Share of the memory's bandwidth that is reached.
        case bandwidth
        /// Share of the cache that repeated runs find their keys in.
        case cacheShare
        /// Bytes per cycle that a processor reads from the second-level cache.
        case cacheRate
        /// Parts per processor that keys are split into.
        case fill
        /// Parts that a processor works on at once.
        case resident
        /// Thousand cycles of 64 keys.
        case keys
        /// Thousand cycles of a part beside its keys.
        case part
        /// Thousand cycles of joining parts.
        case join
        /// Runs of 64 keys that a part has at least.
        case least
        /// How sharply latency and memory overlap.
        case sharpness
    }

    /// Fitted on A100, H100, L40S, RTX 4090 and RTX PRO 6000.
    static let constants: [Double] = [5.11, 6.67, 0.85, 0.231, 2.39, 3.23, 0.214, 0.0577, 1.32, 4.71, 0.833, 1.29]

    static func seconds(
        _ work: DecodeWork, _ shape: AttentionShape, _ rates: DeviceRates, _ constants: [Double], isCold: Bool = false
    ) -> Double {
        func constant(_ place: Constant) -> Double { constants[place.rawValue] }
        let seen: Double = min(work.context, shape.window.map(Double.init) ?? work.context)
        let keyBytes: Double = work.requests * seen * shape.bytesPerPosition
        let memory: Double = rates.bandwidth * constant(.bandwidth)
        let cached: Double = max(memory, rates.processors * constant(.cacheRate) * rates.clock * 1e6)
        let hit: Double = isCold ? 0 : min(1, max(0, 2 - keyBytes / (constant(.cacheShare) * rates.cache)))
        let moved: Double = keyBytes * (hit / cached + (1 - hit) / memory)
        let heads: Double = work.requests * Double(shape.kvHeads)
        let runs: Double = (seen / 64).rounded(.up)
        let wanted: Double = (rates.processors * constant(.fill) / heads).rounded(.up)
        let parts: Double = min(max(wanted, 1), max(1, runs / constant(.least)))
        let waves: Double = max(1, heads * parts / rates.processors / constant(.resident))
        let width = Double(shape.headDim + shape.valueDim) / 256
        let each: Double = constant(.keys) * (0.4 + 0.6 * width) * runs / parts + constant(.part) * width
        let latency: Double = rates.seconds(kilocycles: each * waves)
        let queries: Double = work.requests * shape.bytesPerToken / (rates.bandwidth * 0.8)
        let joined: Double = parts > 1 ? constant(.join) * (rates.hasAsynchronousAttention ? 0.3 : 1) : 0
        return constant(.floorTime) * 1e-6 + rates.seconds(kilocycles: constant(.floorCycles) + joined)
            + GemmPhysics.overlapped(max(moved + queries, 1e-12), latency, constant(.sharpness))
    }
}
