// The oracle's attention: rotation, the paged cache, and an online softmax over tiles of fixed size and place.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Reference {
    /// Normalises each head by itself.
    public func normHeads(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, weight: HostVector, epsilon: Float, rows: Int
    ) {
        for row in 0..<rows {
            for head in heads {
                let x = qkv.row(row) + head * headDim
                let mean = Reference.dot(x, x, headDim) / Double(headDim)
                let scale = Float(1 / (mean + Double(epsilon)).squareRoot())
                for i in 0..<headDim { x[i] = x[i] * scale * weight.base[i] }
            }
        }
    }

    /// Rotates the halves of each head against each other.
    public func rotate(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, rope: RopeTable<HostVector>, batch: BatchInputs
    ) {
        let half = rope.rotaryDim / 2
        for (row, position) in batch.positions.enumerated() {
            let cosines = rope.cosines.base + Int(position) * half
            let sines = rope.sines.base + Int(position) * half
            for head in heads {
                let x = qkv.row(row) + head * headDim
                for i in 0..<half {
                    let first = x[i]
                    let second = x[i + half]
                    x[i] = first * cosines[i] - second * sines[i]
                    x[i + half] = second * cosines[i] + first * sines[i]
                }
            }
        }
    }

    /// Writes keys and values into their slots.
    public func store(
        _ qkv: HostBuffer, heads: AttentionShape, into cache: PagedKVCache, layer: Int, batch: BatchInputs
    ) {
        let size = cache.plan.blockSize
        let format = cache.plan.format
        let dim = heads.headDim
        for (row, slot) in batch.slots.enumerated() {
            let block = Int(slot) / size
            let offset = Int(slot) % size * dim * format.numberBytes
            let keys = qkv.row(row) + heads.heads * dim
            let values = keys + heads.kvHeads * dim
            for head in 0..<heads.kvHeads {
                let key = cache.keys(layer: layer, block: block, head: head) + offset
                let value = cache.values(layer: layer, block: block, head: head) + offset
                let keyScale = CacheRow.store(keys + head * dim, count: dim, format, into: key)
                let valueScale = CacheRow.store(values + head * dim, count: dim, format, into: value)
                guard format.hasScales else { continue }
                let scales = cache.scales(layer: layer, block: block, head: head) + Int(slot) % size
                scales[0] = keyScale
                scales[size] = valueScale
            }
        }
    }

    /// Attends tile by tile, from the first position that the window shows.
    public func attend(
        _ qkv: HostBuffer, heads: AttentionShape, cache: PagedKVCache, layer: Int, batch: BatchInputs,
        into out: HostBuffer
    ) {
        batch.blockTables.withUnsafeBufferPointer { tables in
            for entry in batch.entries {
                let table = UnsafeBufferPointer(rebasing: tables[entry.firstBlock..<(entry.firstBlock + entry.blocks)])
                for index in 0..<entry.rows {
                    let row = entry.firstRow + index
                    for head in 0..<heads.heads {
                        let reader = CacheReader(
                            cache: cache, layer: layer, head: head / (heads.heads / heads.kvHeads), table: table)
                        attend(
                            qkv.row(row) + head * heads.headDim, position: entry.firstPosition + index, heads, reader,
                            into: out.row(row) + head * heads.headDim)
                    }
                }
            }
        }
    }

    private func attend(
        _ query: UnsafePointer<Float>, position: Int, _ shape: AttentionShape, _ reader: CacheReader,
        into out: UnsafeMutablePointer<Float>
    ) {
        let dim = shape.headDim
        let first = shape.window.map { max(0, position - $0 + 1) } ?? 0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: dim) { scratch in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: dim) { sums in
                sums.update(repeating: 0)
                var greatest = -Double.infinity
                var total = 0.0
                // One position at a time is a tile of one: the order depends on positions only.
                for j in first...position {
                    let vector = scratch.baseAddress!
                    reader.key(j, into: vector)
                    var score = Reference.dot(query, vector, dim) * Double(shape.scale)
                    if let cap = shape.softcap { score = Double(cap) * tanh(score / Double(cap)) }
                    reader.value(j, into: vector)
                    let maximum = max(greatest, score)
                    let correction = exp(greatest - maximum)
                    let weight = exp(score - maximum)
                    for i in 0..<dim { sums[i] = sums[i] * correction + weight * Double(vector[i]) }
                    total = total * correction + weight
                    greatest = maximum
                }
                for i in 0..<dim { out[i] = Float(sums[i] / total) }
            }
        }
    }

    /// Copies blocks.
    public func copyBlocks(_ pairs: [BlockCopy], in cache: PagedKVCache) { cache.copy(pairs) }
}

/// Reads one head's keys and values by position through a block table.
private struct CacheReader {
    let cache: PagedKVCache
    let layer: Int
    let head: Int
    let table: UnsafeBufferPointer<Int32>

    func key(_ position: Int, into out: UnsafeMutablePointer<Float>) {
        let block = Int(table[position / cache.plan.blockSize])
        read(cache.keys(layer: layer, block: block, head: head), position, scalesFrom: 0, into: out)
    }

    func value(_ position: Int, into out: UnsafeMutablePointer<Float>) {
        let block = Int(table[position / cache.plan.blockSize])
        read(
            cache.values(layer: layer, block: block, head: head), position, scalesFrom: cache.plan.blockSize,
            into: out)
    }

    private func read(
        _ start: UnsafeMutableRawPointer, _ position: Int, scalesFrom: Int, into out: UnsafeMutablePointer<Float>
    ) {
        let plan = cache.plan
        let slot = position % plan.blockSize
        let block = Int(table[position / plan.blockSize])
        let scale =
            plan.format.hasScales ? cache.scales(layer: layer, block: block, head: head)[scalesFrom + slot] : 1
        CacheRow.load(
            start + slot * plan.headDim * plan.format.numberBytes, scale: scale, count: plan.headDim, plan.format,
            into: out)
    }
}
