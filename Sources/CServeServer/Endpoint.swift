// The table that /docs and /openapi.json are made from: one row per endpoint.

import CServeCore

/// One endpoint as the documentation describes it.
struct Endpoint: Sendable {
    /// A field of a request's body and its JSON type.
    struct Field: Sendable {
        var name: String
        var type: String
    }

    var method: String
    var path: String
    var summary: String
    var fields: [Field] = []
    var required: [String] = []

    /// The OpenAPI operation.
    var operation: JSONValue {
        var members: [(String, JSONValue)] = [
            ("summary", .string(summary)),
            ("responses", ["200": ["description": "OK"], "default": ["description": "An OpenAI-style error object"]]),
            ("security", [["bearer": []], [:]]),
        ]
        if path.contains("{model}") {
            members.append(
                ("parameters", [["name": "model", "in": "path", "required": true, "schema": ["type": "string"]]]))
        }
        if !fields.isEmpty { members.append(("requestBody", body)) }
        return .object(JSONObject(members))
    }

    private var body: JSONValue {
        let properties: [(String, JSONValue)] = fields.map { field in
            let types: [JSONValue] = field.type.split(separator: "|").map { .string(String($0)) } + ["null"]
            return (field.name, ["type": .array(types)])
        }
        let schema: JSONValue = .object(
            JSONObject([
                ("type", "object"), ("required", .array(required.map { .string($0) })),
                ("properties", .object(JSONObject(properties))),
            ]))
        return ["required": true, "content": ["application/json": ["schema": schema]]]
    }
}

extension Endpoint {
    private static func fields(_ names: String) -> [Field] {
        names.split(separator: " ").map { entry in
            let parts: [Substring] = entry.split(separator: ":")
            return Field(name: String(parts[0]), type: parts.count > 1 ? String(parts[1]) : "string")
        }
    }

    private static let sampling: String =
        "model stream:boolean stream_options:object max_tokens:integer temperature:number top_p:number "
        + "top_k:integer min_p:number repetition_penalty:number presence_penalty:number frequency_penalty:number "
        + "logit_bias:object n:integer seed:integer stop:string|array stop_token_ids:array "
        + "include_stop_str_in_output:boolean ignore_eos:boolean min_tokens:integer skip_special_tokens:boolean "
        + "truncate_prompt_tokens:integer prompt_logprobs:integer allowed_token_ids:array bad_words:array "
        + "priority:integer cache_salt request_id echo:boolean return_token_ids:boolean "
        + "return_tokens_as_token_ids:boolean add_special_tokens:boolean user"

    private static let chat: String =
        "messages:array max_completion_tokens:integer logprobs:boolean top_logprobs:integer "
        + "add_generation_prompt:boolean continue_final_message:boolean documents:array chat_template "
        + "chat_template_kwargs:object tools:array tool_choice:string|object " + sampling

    static let all: [Endpoint] = [
        Endpoint(
            method: "post", path: "/v1/chat/completions", summary: "Answer a chat.", fields: fields(chat),
            required: ["messages"]),
        Endpoint(
            method: "post", path: "/v1/completions", summary: "Continue a text, token ids, or a list of either.",
            fields: fields("prompt:string|array suffix best_of:integer logprobs:integer " + sampling),
            required: ["prompt"]),
        Endpoint(method: "get", path: "/v1/models", summary: "The models served here."),
        Endpoint(method: "get", path: "/v1/models/{model}", summary: "One model."),
        Endpoint(
            method: "post", path: "/tokenize", summary: "The token ids of a text or a chat.",
            fields: fields(
                "prompt messages:array add_special_tokens:boolean return_token_strs:boolean "
                    + "add_generation_prompt:boolean continue_final_message:boolean chat_template_kwargs:object")),
        Endpoint(
            method: "post", path: "/detokenize", summary: "The text of token ids.", fields: fields("tokens:array"),
            required: ["tokens"]),
        Endpoint(
            method: "post", path: "/cserve/v1/generate", summary: "CServe's own endpoint: {\"text\": [...]}.",
            fields: fields("prompt sampling_params:object stream:boolean"), required: ["prompt"]),
        Endpoint(method: "get", path: "/", summary: "Status and model."),
        Endpoint(method: "get", path: "/health", summary: "200 if a model is loaded and makes steps, else 503."),
        Endpoint(method: "get", path: "/ping", summary: "The same as /health."),
        Endpoint(method: "get", path: "/startupz", summary: "200 once a model is loaded."),
        Endpoint(method: "get", path: "/readyz", summary: "200 while new requests are taken; 503 while draining."),
        Endpoint(method: "get", path: "/livez", summary: "200 unless steps stall with work pending."),
        Endpoint(method: "get", path: "/version", summary: "This server's version."),
        Endpoint(method: "get", path: "/load", summary: "Requests being answered."),
        Endpoint(method: "get", path: "/metrics", summary: "Prometheus metrics with vLLM's names."),
        Endpoint(
            method: "get", path: "/debug/steps",
            summary: "The engine's last steps, one JSON object a line (with --step-log); ?after=N skips known ones."),
        Endpoint(method: "get", path: "/openapi.json", summary: "This API as an OpenAPI document."),
        Endpoint(method: "get", path: "/docs", summary: "This API as a page."),
    ]
}
