// What people are told of a model: at start, and by `cserve models inspect`.

import CServeCore

/// Lines about a model.
enum ModelReport {
    static func headline(_ name: String, _ shape: ModelShape) -> String {
        let length: String = "context of \(shape.maxPositionEmbeddings) tokens"
        return "Model: \(name): \(shape.family.rawValue), \(count(shape.parameterCount)) parameters, "
            + "\(shape.layers) layers, \(length)"
    }

    static func memory(_ plan: MemoryPlan, backend: String) -> String {
        let tokens: Int = plan.cache.blocks * plan.cache.blockSize
        return "Memory: \(ByteCount(plan.totalBytes)) (weights \(ByteCount(plan.weightBytes)), activations "
            + "\(ByteCount(plan.activations.bytes)), KV cache \(ByteCount(plan.cache.bytes)) for \(tokens) tokens); "
            + "backend \(backend)"
    }

    /// How weights are packed: the standard format if a matrix has it, and others with the roles that have them.
    static func weights(_ layouts: WeightLayouts) -> String {
        var others: [String: Set<WeightRole>] = [:]
        for (place, layout) in layouts.exceptions where layout != layouts.standard {
            others[name(layout.format), default: []].insert(place.role)
        }
        let lines: [String] = others.sorted { $0.key < $1.key }.map { format, roles in
            format + " (" + roles.sorted { $0.rawValue < $1.rawValue }.map { "\($0)" }.joined(separator: ", ") + ")"
        }
        let standard: [String] = usesStandard(layouts) ? [name(layouts.standard.format)] : []
        return (standard + lines).joined(separator: "; ")
    }

    /// Whether an embedding or a layer's matrix has the standard format; in a file of codes none may have.
    private static func usesStandard(_ layouts: WeightLayouts) -> Bool {
        let coded: Set<WeightLayouts.Place> = Set(
            layouts.exceptions.filter { $0.value != layouts.standard }.map(\.key))
        let layers: Int = (coded.compactMap(\.layer).max() ?? -1) + 1
        guard layers > 0, coded.contains(WeightLayouts.Place(.embedding)) else { return true }
        func has(_ layer: Int, _ roles: [WeightRole]) -> Bool {
            roles.allSatisfy { coded.contains(WeightLayouts.Place($0, layer: layer)) }
        }
        return !(0..<layers).allSatisfy { layer in
            has(layer, [.qkv, .output])
                && (has(layer, [.gateUp, .down]) || has(layer, [.expertGateUp, .expertDown]))
        }
    }

    /// A format as people write it: "bfloat16", "int4 in groups of 32 with bfloat16 scales".
    static func name(_ format: WeightFormat) -> String {
        switch format {
        case .plain(let element): return element.rawValue
        case .quantized(let format):
            let groups: String = format.group.map { "in groups of \($0)" } ?? "per output feature"
            let parts: String = format.hasMinimums ? "scales and minimums" : "scales"
            return "\(format.code.rawValue) \(groups) with \(format.scale.rawValue) \(parts)"
        }
    }

    /// A number of parameters with its usual suffix.
    static func count(_ value: Int) -> String {
        for (suffix, size) in [("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)] where Double(value) >= size {
            return "\((Double(value) / size * 100).rounded() / 100)\(suffix)"
        }
        return "\(value)"
    }

    /// Everything that `inspect` tells, as names and values.
    static func facts(_ shape: ModelShape) -> [(name: String, value: JSONValue)] {
        var facts: [(name: String, value: JSONValue)] = [
            ("family", .string(shape.family.rawValue)), ("parameters", .integer(shape.parameterCount)),
            ("active_parameters", .integer(shape.activeParameterCount)), ("layers", .integer(shape.layers)),
            ("hidden_size", .integer(shape.hiddenSize)), ("intermediate_size", .integer(shape.intermediateSize)),
            ("attention_heads", .integer(shape.heads)), ("kv_heads", .integer(shape.kvHeads)),
            ("head_dim", .integer(shape.headDim)), ("vocabulary", .integer(shape.vocabularySize)),
            ("max_model_len", .integer(shape.maxPositionEmbeddings)),
            ("tied_embeddings", .bool(shape.tieWordEmbeddings)),
            ("eos_token_ids", .array(shape.eosTokenIDs.map { .integer(Int($0)) })),
        ]
        if let window = shape.slidingWindow { facts.append(("sliding_window", .integer(window))) }
        if let mixture = shape.mixture {
            facts.append(("experts", .integer(mixture.experts)))
            facts.append(("experts_per_token", .integer(mixture.perToken)))
        }
        for type in [ElementType.float32, .bfloat16] {
            facts.append(("weights_bytes_\(type.rawValue)", .integer(shape.parameterCount * type.size)))
            facts.append(("kv_bytes_per_token_\(type.rawValue)", .integer(shape.kvBytesPerToken(type))))
            let full: Int = shape.kvBytesPerToken(type) * shape.maxPositionEmbeddings
            facts.append(("kv_bytes_full_context_\(type.rawValue)", .integer(full)))
        }
        return facts
    }
}
