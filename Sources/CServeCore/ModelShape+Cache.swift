// What attention keeps of each token: per-head keys and values, or one latent for all heads (MLA); all of it, or a window.

extension ModelShape {
    /// Heads of the cache that one of `ranks` ranks holds: a latent has one, and every rank holds it.
    public func cachedHeads(ranks: Int) -> Int {
        latentAttention == nil ? max(1, kvHeads / max(1, ranks)) : 1
    }

    /// Bytes of one block of one layer on one rank.
    /// - Parameters:
    ///   - positions: Positions per block.
    ///   - ranks: Ranks that share the layer.
    ///   - format: How keys and values are stored.
    ///   - scales: Whether codes carry a scale per position and head, as ``CacheFormat`` has them; engines that scale a
    ///     whole tensor keep none.
    public func cacheBytes(positions: Int, ranks: Int = 1, format: CacheFormat, scales: Bool = true) -> Int {
        if let latentAttention {
            let numbers = (positions * latentAttention.cachedNumbers * format.numberBytes).rounded(upTo: 4)
            return numbers + (scales && format.hasScales ? positions * 4 : 0)
        }
        let perHead =
            scales
            ? format.headBytes(positions: positions, headDim: headDim)
            : format.scaleOffset(positions: positions, headDim: headDim)
        return cachedHeads(ranks: ranks) * perHead
    }

    /// Bytes of keys and values of one token in all layers, on all ranks together if they shared nothing twice.
    public func kvBytesPerToken(_ format: CacheFormat, scales: Bool = true) -> Int {
        layers * cacheBytes(positions: 1, format: format, scales: scales)
    }

    /// Bytes that a request of so many tokens needs of the cache.
    /// - Parameters:
    ///   - tokens: Tokens of the request.
    ///   - blockSize: Positions per block.
    ///   - format: How keys and values are stored.
    ///   - keepsAll: Whether sliding layers keep what has left their window, as this engine's do; otherwise they keep
    ///     the window and the block that it begins in.
    public func cacheBytes(tokens: Int, blockSize: Int, format: CacheFormat, keepsAll: Bool) -> Int {
        let block = cacheBytes(positions: blockSize, format: format)
        return (0..<layers).reduce(0) { sum, layer in
            sum + block * cachedBlocks(tokens: tokens, layer: layer, blockSize: blockSize, keepsAll: keepsAll)
        }
    }

    /// Blocks of one layer that a request of so many tokens holds.
    public func cachedBlocks(tokens: Int, layer: Int, blockSize: Int, keepsAll: Bool) -> Int {
        let all = (tokens + blockSize - 1) / blockSize
        guard !keepsAll, let window = window(layer: layer) else { return all }
        return min(all, (window + blockSize - 1) / blockSize + 1)
    }
}
