// Decoding of requests without sockets: types, refusals, limits, and one message per error.

import CServeCore
import Testing

@testable import CServeServer

struct RequestTests {
    static func chat(_ members: String) throws(APIError) -> ChatRequest {
        let body: String = #"{"messages":[{"role":"user","content":"x"}]\#(members)}"#
        return try ChatRequest(
            FieldReader(body: Array(body.utf8), limits: Limits()), defaults: SamplingDefaults(), limits: Limits())
    }

    @Test("Every field lands in its place; null is absent; unknown fields are accepted")
    func fields() throws {
        let request: ChatRequest = try Self.chat(
            """
            ,"temperature":0.5,"top_p":0.9,"top_k":7,"min_p":0.1,"repetition_penalty":1.2,"presence_penalty":-1,
            "frequency_penalty":1,"logit_bias":{"5":-100},"seed":-1,"n":2,"max_completion_tokens":9,"max_tokens":8,
            "min_tokens":1,"stop":["a","b"],"stop_token_ids":[1],"ignore_eos":true,"allowed_token_ids":[1,2],
            "bad_words":["w"],"logprobs":true,"top_logprobs":3,"priority":-2,"cache_salt":"s","stream":null,
            "truncate_prompt_tokens":4,"response_format":{"type":"text"},"tool_choice":"none","surprise":{"a":1}
            """)
        let sampling: SamplingParameters = request.options.sampling
        #expect(sampling.temperature == 0.5 && sampling.topP == 0.9 && sampling.topK == 7 && sampling.minP == 0.1)
        #expect(sampling.repetitionPenalty == 1.2 && sampling.presencePenalty == -1 && sampling.frequencyPenalty == 1)
        #expect(sampling.logitBias == [5: -100] && sampling.seed == UInt64.max && sampling.n == 2)
        #expect(sampling.minTokens == 1 && sampling.stopTokenIDs == [1] && sampling.ignoreEOS)
        #expect(sampling.allowedTokenIDs == [1, 2] && sampling.logprobs == 3)
        #expect(request.options.maxTokens == 9 && request.options.stops == ["a", "b"])
        #expect(request.options.badWords == ["w"] && request.options.priority == -2)
        #expect(request.options.cacheSalt == "s" && !request.options.stream && request.options.truncatePrompt == 4)
    }

    @Test(
        "Wrong types and values name their field",
        arguments: [
            (#""temperature":"hot""#, "temperature"), (#""n":1.5"#, "n"), (#""stop":[1]"#, "stop[0]"),
            (#""stop":"""#, "stop"), (#""stream_options":{"include_usage":true}"#, "stream_options"),
            (#""logit_bias":{"a":1}"#, "logit_bias"), (#""top_logprobs":2"#, "top_logprobs"),
            (#""logprobs":true,"top_logprobs":21"#, "top_logprobs"), (#""stop_token_ids":["a"]"#, "stop_token_ids[0]"),
            (#""max_tokens":true"#, "max_tokens"), (#""seed":1e300"#, "seed"), (#""cache_salt":"""#, "cache_salt"),
            (#""truncate_prompt_tokens":0"#, "truncate_prompt_tokens"), (#""prompt_logprobs":-1"#, "prompt_logprobs"),
            (#""continue_final_message":true,"add_generation_prompt":true"#, "continue_final_message"),
            (#""stop":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"]"#, "stop"),
        ])
    func wrong(member: String, field: String) {
        do throws(APIError) {
            _ = try Self.chat("," + member)
            Issue.record("accepted: \(member)")
        } catch {
            #expect(error.param == field)
            #expect(error.status == 400)
        }
    }

    @Test(
        "Fields that are not built are refused by name",
        arguments: [
            #""response_format":{"type":"json_object"}"#, #""tools":[{"type":"function"}]"#,
            #""structured_outputs":{"regex":"a"}"#, #""guided_json":{}"#, #""use_beam_search":true"#,
            #""length_penalty":2"#, #""audio":{"voice":"x"}"#, #""modalities":["audio"]"#, #""functions":[{}]"#,
            #""reasoning_effort":"high""#, #""kv_transfer_params":{"a":1}"#, #""tool_choice":"required""#,
        ])
    func refused(member: String) {
        do throws(APIError) {
            _ = try Self.chat("," + member)
            Issue.record("accepted: \(member)")
        } catch {
            #expect(error.code == "unsupported_parameter")
            #expect(member.hasPrefix("\"\(error.param ?? "")\""))
        }
    }

    @Test("Parts of messages other than text are refused with their place")
    func parts() {
        let body: String =
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"}]}]}"#
        do throws(APIError) {
            let fields: FieldReader = try FieldReader(body: Array(body.utf8), limits: Limits())
            _ = try ChatRequest(fields, defaults: SamplingDefaults(), limits: Limits())
            Issue.record("accepted an image")
        } catch {
            #expect(error.param == "messages[0].content[1].type")
        }
    }

    @Test("Nesting beyond the limit is refused")
    func depth() {
        let body: String = #"{"x":"# + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}"
        #expect(throws: APIError.self) { try FieldReader(body: Array(body.utf8), limits: Limits()) }
    }

    static let errors: [APIError] = [
        .malformedJSON(reason: "r"), .bodyNotAnObject(found: "array"), .bodyTooLarge(limit: 9),
        .headersTooLarge(limit: 9), .malformedHTTP, .requestTimeout(seconds: 9),
        .wrongType(field: "f", expected: "a", found: "b"), .missingField(field: "f"),
        .invalidValue(field: "f", reason: "r"), .tooMany(field: "f", count: 3, limit: 2, unit: "u"),
        .notBuilt(field: "f", advice: "a"), .unknownModel(name: "m", served: ["s"]), .request(.emptyPrompt),
        .template(message: "m"), .noChatTemplate, .overloaded(message: "m", retryAfterSeconds: 0), .draining,
        .starting, .unauthorized, .notFound(path: "/p"), .methodNotAllowed(method: "M", path: "/p", allowed: ["A"]),
        .engineFailed(message: "m"),
    ]

    @Test("Every error has a message, a code, a type and a status of its class", arguments: errors)
    func messages(error: APIError) {
        #expect(!error.description.isEmpty)
        #expect(!error.code.isEmpty && !error.type.isEmpty)
        #expect((400...599).contains(error.status))
        #expect((error.retryAfterSeconds ?? 1) >= 1)
        var json: JSONBytes = JSONBytes()
        json.error(error)
        #expect((try? JSONValue(parsing: json.text))?["error"]?["message"]?.stringValue == error.description)
    }

    @Test("Server errors say what to do")
    func startErrors() {
        let errors: [ServerError] = [
            .cannotListen(host: "h", port: 1, reason: "r"), .transportSecurityNotBuilt,
            .incompleteCertificate(missing: "--ssl-keyfile"), .unusableCertificate(file: "f", reason: "r"),
        ]
        #expect(
            errors.map(\.description) == [
                "Cannot listen on h:1: r. Choose another --port (0 takes a free one) or --host.",
                "This build has no TLS. Build with `swift build --traits TLS`, or put a proxy with TLS in front.",
                "TLS needs both files: --ssl-keyfile is missing.", "f cannot be used for TLS: r.",
            ])
    }
}
