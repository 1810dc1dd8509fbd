// The catalogue of models as a table for a terminal and as JSON.

import CServeCore
import CServeCost

/// Says which models planning knows.
enum ModelCatalogReport {
    /// The models, one a line.
    static func list(_ catalog: ModelCatalog) -> String {
        var table: TextTable = TextTable(
            ["NAME", "PARAMETERS", "ACTIVE", "LAYERS", "CONTEXT", "KV/TOKEN", "BF16", "INT8", "INT4", "SERVED", "ID"],
            right: [1, 2, 3, 4, 5, 6, 7, 8])
        for entry in catalog.entries {
            let shape: ModelShape = entry.shape
            let active: Int = shape.activeParameterCount
            table.add([
                entry.name, ModelReport.count(shape.parameterCount),
                active == shape.parameterCount ? "" : ModelReport.count(active), "\(shape.layers)",
                "\(shape.maxPositionEmbeddings)", "\(ByteCount(shape.kvBytesPerToken(.bfloat16)))",
                "\(ByteCount(shape.weightBytes(nil)))", "\(ByteCount(shape.weightBytes(.int8)))",
                "\(ByteCount(shape.weightBytes(.int4)))", shape.family.isServed ? "yes" : "planned", entry.id,
            ])
        }
        return table.text + "\n\nKV cache per token and weights in bf16 unless said otherwise; instruct variants share "
            + "their base's shape. Details: cserve models --catalog NAME."
    }

    /// Everything about one model of the catalogue.
    static func facts(_ entry: ModelEntry) -> [(name: String, value: JSONValue)] {
        var facts: [(name: String, value: JSONValue)] = [("name", .string(entry.name)), ("id", .string(entry.id))]
        if !entry.aliases.isEmpty { facts.append(("aliases", .array(entry.aliases.map { .string($0) }))) }
        facts += self.facts(entry.shape)
        if let parameters = entry.publishedParameters { facts.append(("published_parameters", .integer(parameters))) }
        facts.append(("source", .string("\(entry.provenance.source) (\(entry.provenance.date))")))
        return facts
    }

    /// A shape in every type that it may be stored in.
    static func facts(_ shape: ModelShape) -> [(name: String, value: JSONValue)] {
        var facts: [(name: String, value: JSONValue)] = [("served", .bool(shape.family.isServed))]
        facts += ModelReport.facts(shape)
        for quantization in Quantization.allCases {
            facts.append(("weights_bytes_\(quantization.rawValue)", .integer(shape.weightBytes(quantization))))
        }
        for format in [CacheFormat.int8, .fp8] {
            facts.append(("kv_bytes_per_token_\(format.rawValue)", .integer(shape.kvBytesPerToken(format))))
        }
        if let latent = shape.latentAttention {
            facts.append(("latent_numbers_per_token_and_layer", .integer(latent.cachedNumbers)))
        }
        if shape.slidingLayers.contains(true) {
            facts.append(("sliding_layers", .integer(shape.slidingLayers.count { $0 })))
            let length: Int = shape.maxPositionEmbeddings
            let kept: Int = shape.cacheBytes(tokens: length, blockSize: 16, format: .bfloat16, keepsAll: false)
            facts.append(("kv_bytes_full_context_windows_only_bfloat16", .integer(kept)))
        }
        return facts
    }

    static func object(_ facts: [(name: String, value: JSONValue)]) -> JSONValue {
        .object(JSONObject(facts.map { ($0.name, $0.value) }))
    }

    /// One fact a line, with sizes in words.
    static func lines(_ facts: [(name: String, value: JSONValue)]) -> String {
        facts.map { fact in
            var value: String = fact.value.stringValue ?? fact.value.text()
            if fact.name.contains("bytes"), let bytes = fact.value.intValue { value += " (\(ByteCount(bytes)))" }
            return "\(fact.name.replacing("_", with: " ")): \(value)"
        }.joined(separator: "\n")
    }
}
