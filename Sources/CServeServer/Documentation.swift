// GET /openapi.json and /docs: what this server answers, described for machines and for people, without outside files.

import CServeCore
import NIOCore

/// Describes the API.
enum Documentation {
    static func openAPI(_ exchange: Exchange) async throws -> Reply {
        Reply(type: "application/json", body: ByteBuffer(bytes: document.serialized()))
    }

    static func page(_ exchange: Exchange) async throws -> Reply {
        var reply: Reply = Reply(type: "text/html; charset=utf-8", body: ByteBuffer(string: html))
        reply.response.headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'"
        return reply
    }

    /// The OpenAPI 3.1 document, made from the table of endpoints.
    static let document: JSONValue = .object(
        JSONObject([
            ("openapi", "3.1.0"),
            (
                "info",
                [
                    "title": "CServe", "version": .string(ServerVersion.number),
                    "description": "OpenAI-compatible serving of open-weight language models.",
                ]
            ),
            ("paths", .object(JSONObject(paths))),
            ("components", ["securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]]]),
        ]))

    private static var paths: [(String, JSONValue)] {
        let byPath: [String: [Endpoint]] = Dictionary(grouping: Endpoint.all, by: \.path)
        return byPath.sorted { $0.key < $1.key }.map { path, endpoints in
            (path, .object(JSONObject(endpoints.map { ($0.method, $0.operation) })))
        }
    }

    private static let html: String = {
        let rows: [String] = Endpoint.all.map { endpoint in
            let fields: String = endpoint.fields.map { "<code>\($0.name)</code>" }.joined(separator: " ")
            let method: String = endpoint.method.uppercased()
            return "<tr><td>\(method)</td><td><code>\(endpoint.path)</code></td>"
                + "<td>\(endpoint.summary)<br>\(fields)</td></tr>"
        }
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>CServe API</title><style>
            body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            td{vertical-align:top;padding:.4rem;border-top:1px solid #ddd}code{background:#f3f3f3;padding:0 .2rem}
            </style></head><body><h1>CServe \(ServerVersion.number)</h1>
            <p>The API of OpenAI, with vLLM's extra fields. <a href="openapi.json">openapi.json</a> describes it for
            machines. Every <code>/v1</code> route also answers under <code>/openai/v1</code>.</p>
            <pre>curl http://HOST:PORT/v1/chat/completions -H 'Content-Type: application/json' \\
              -d '{"messages":[{"role":"user","content":"What is a KV cache?"}]}'</pre>
            <table>\(rows.joined(separator: "\n"))</table></body></html>
            """
    }()
}
