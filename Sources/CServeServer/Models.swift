// GET /v1/models and /v1/models/{name}.

import CServeCore

/// Lists what is served.
enum Models {
    static func list(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try Models.loaded(exchange)
        var json: JSONBytes = JSONBytes()
        json.raw("{\"object\":\"list\",\"data\":")
        json.list(model.names) { write($1, model, &$0) }
        json.raw("}")
        return Reply(json)
    }

    static func one(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try Models.loaded(exchange)
        let name: String = exchange.path.split(separator: "/", maxSplits: 2).last.map { String($0) } ?? ""
        guard model.names.contains(name) else { throw APIError.unknownModel(name: name, served: model.names) }
        var json: JSONBytes = JSONBytes()
        write(name, model, &json)
        return Reply(json)
    }

    private static func loaded(_ exchange: Exchange) throws(APIError) -> ServedModel {
        guard let model = exchange.state.model else { throw .starting }
        return model
    }

    private static func write(_ name: String, _ model: ServedModel, _ json: inout JSONBytes) {
        json.raw("{\"id\":")
        json.string(name)
        json.raw(",\"object\":\"model\",\"created\":")
        json.int(model.created)
        json.raw(",\"owned_by\":\"cserve\",\"root\":")
        json.string(model.root)
        json.raw(",\"parent\":null,\"max_model_len\":")
        json.int(model.engine.maxModelLength)
        json.raw(",\"permission\":[{\"id\":\"modelperm-cserve\",\"object\":\"model_permission\",\"created\":")
        json.int(model.created)
        json.raw(
            ",\"allow_create_engine\":false,\"allow_sampling\":true,\"allow_logprobs\":true,"
                + "\"allow_search_indices\":false,\"allow_view\":true,\"allow_fine_tuning\":false,"
                + "\"organization\":\"*\",\"group\":null,\"is_blocking\":false}]}")
    }
}
