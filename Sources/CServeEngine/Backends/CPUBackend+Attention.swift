// The CPU backend's attention: the cache is `PagedKVCache`, each head laid out as `cs_kv_layer` says.

import CKernels
import CServeCore

extension CPUBackend {
    /// Each head like a row of ``rmsNorm(_:weight:epsilon:rows:into:)``.
    public func normHeads(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, weight: HostVector, epsilon: Float, rows: Int
    ) {
        cs_norm_heads(
            context, qkv.base + heads.lowerBound * headDim, qkv.columns, weight.base, epsilon, Int32(rows),
            Int32(heads.count), Int32(headDim))
    }

    /// Reads one row of the tables per token.
    public func rotate(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, rope: RopeTable<HostVector>, batch: BatchInputs
    ) {
        batch.positions.withUnsafeBufferPointer { positions in
            cs_rotate(
                context, qkv.base + heads.lowerBound * headDim, qkv.columns, positions.baseAddress, rope.cosines.base,
                rope.sines.base, Int32(rope.rotaryDim), Int32(positions.count), Int32(heads.count), Int32(headDim))
        }
    }

    /// Rounds keys and values to the cache's format and lays them out as attention reads them.
    public func store(
        _ qkv: HostBuffer, heads: AttentionShape, into cache: PagedKVCache, layer: Int, batch: BatchInputs
    ) {
        var place = kernelLayer(cache, layer)
        let keys = qkv.base + heads.heads * heads.headDim
        let values = keys + heads.kvHeads * heads.headDim
        batch.slots.withUnsafeBufferPointer { slots in
            cs_kv_store(
                context, &place, keys, values, qkv.columns, slots.baseAddress, Int32(slots.count))
        }
    }

    /// Items of up to 48 query rows of one KV head share each tile of keys and values; long contexts with few items are
    /// split into spans of `CS_ATTENTION_SPAN` positions, which changes no number.
    public func attend(
        _ qkv: HostBuffer, heads: AttentionShape, cache: PagedKVCache, layer: Int, batch: BatchInputs,
        into out: HostBuffer
    ) {
        let count = batch.entries.count
        guard count > 0 else { return }
        withUnsafeTemporaryAllocation(of: cs_attention_entry.self, capacity: count) { entries in
            batch.blockTables.withUnsafeBufferPointer { tables in
                for (index, entry) in batch.entries.enumerated() {
                    let blocks = tables.baseAddress.map { $0 + entry.firstBlock }
                    entries.initializeElement(
                        at: index,
                        to: cs_attention_entry(
                            first_row: Int32(entry.firstRow), rows: Int32(entry.rows),
                            first_position: Int32(entry.firstPosition), blocks: blocks))
                }
                var arguments = cs_attention_args(
                    q: qkv.base, q_stride: qkv.columns, out: out.base, out_stride: out.columns,
                    layer: kernelLayer(cache, layer), heads: Int32(heads.heads), scale: heads.scale,
                    softcap: heads.softcap ?? 0, window: Int32(clamping: heads.window ?? 0),
                    entries: entries.baseAddress, entry_count: Int32(count))
                cs_attention(context, &arguments)
            }
        }
    }

    /// Whole blocks of every layer, one copy each.
    public func copyBlocks(_ pairs: [BlockCopy], in cache: PagedKVCache) {
        cache.copy(pairs)
    }

    private func kernelLayer(_ cache: PagedKVCache, _ layer: Int) -> cs_kv_layer {
        cs_kv_layer(
            base: cache.keys(layer: layer, block: 0, head: 0), type: cache.plan.format.kernelType,
            kv_heads: Int32(cache.plan.kvHeads), head_dim: Int32(cache.plan.headDim),
            block_size: Int32(cache.plan.blockSize))
    }
}
