// Whether the server lives, has started and takes work, and what it is: /health, /livez, /startupz, /readyz and others.

import CServeCore
import NIOCore

/// Answers probes.
enum Health {
    /// Healthy: a model is loaded and its engine makes steps.
    static func health(_ exchange: Exchange) async throws -> Reply {
        guard exchange.state.model != nil else { throw APIError.starting }
        return try await live(exchange)
    }

    /// Started: a model is loaded.
    static func started(_ exchange: Exchange) async throws -> Reply {
        guard exchange.state.model != nil else { throw APIError.starting }
        return Reply(status: 200)
    }

    /// Ready: takes new work.
    static func ready(_ exchange: Exchange) async throws -> Reply {
        _ = try exchange.readyModel()
        return Reply(status: 200)
    }

    /// Alive: the engine makes steps while there is work. Load alone never fails this.
    static func live(_ exchange: Exchange) async throws -> Reply {
        let limit: Int = exchange.state.settings.stallSeconds
        let stalled: Double = (exchange.state.model?.engine.snapshot().stalledFor ?? 0).seconds
        guard stalled <= Double(limit) else {
            var json: JSONBytes = JSONBytes()
            json.error(
                .engineFailed(message: "no step has ended for \(Int(stalled)) s with work pending (limit \(limit) s)."))
            return Reply(json, status: 503)
        }
        return Reply(status: 200)
    }

    static func version(_ exchange: Exchange) async throws -> Reply {
        var json: JSONBytes = JSONBytes()
        json.raw("{\"version\":")
        json.string(ServerVersion.number)
        json.raw("}")
        return Reply(json)
    }

    /// Requests whose answer is not complete, this one not counted.
    static func load(_ exchange: Exchange) async throws -> Reply {
        var json: JSONBytes = JSONBytes()
        json.raw("{\"server_load\":")
        json.int(max(0, exchange.state.connections.requests - 1))
        json.raw("}")
        return Reply(json)
    }

    static func metrics(_ exchange: Exchange) async throws -> Reply {
        let state: ServerState = exchange.state
        let text: String = state.metrics.exposition(
            model: state.model, connections: state.connections.count, process: .now(started: state.started))
        return Reply(type: PrometheusText.mediaType, body: ByteBuffer(string: text))
    }
}
