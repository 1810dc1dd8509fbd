// The fields of OpenAI's and vLLM's APIs that this build knows but cannot serve: refused by name, never ignored.

import CServeCore

/// Fields that a client may send only with a value that asks for nothing.
enum RefusedFields {
    /// One field: when its value is harmless, and what to do instead of sending it.
    struct Entry: Sendable {
        let name: String
        let advice: String
        let isHarmless: @Sendable (JSONValue) -> Bool
    }

    /// Throws for the first field that asks for something that is not built.
    static func check(_ fields: FieldReader) throws(APIError) {
        for entry in entries {
            guard let value = fields.value(entry.name), !entry.isHarmless(value) else { continue }
            throw .notBuilt(field: entry.name, advice: entry.advice)
        }
    }

    static let entries: [Entry] =
        constrained + tools + media
        + [
            Entry(name: "use_beam_search", advice: "Use best_of with sampling instead.", isHarmless: isFalse),
            Entry(name: "length_penalty", advice: "It belongs to beam search, which is not built; leave it out.") {
                $0.doubleValue == 1
            },
            Entry(name: "early_stopping", advice: "It belongs to beam search; leave it out.", isHarmless: isFalse),
            Entry(
                name: "reasoning_effort", advice: "Pass what the model's template understands in chat_template_kwargs.",
                isHarmless: { $0.stringValue == "none" }),
            Entry(name: "verbosity", advice: "Ask for short or long answers in the messages.", isHarmless: never),
            Entry(name: "kv_transfer_params", advice: "Disaggregated prefill is not built.", isHarmless: isEmpty),
            Entry(name: "logits_processors", advice: "Use logit_bias or allowed_token_ids.", isHarmless: isEmpty),
            Entry(name: "vllm_xargs", advice: "Leave it out.", isHarmless: isEmpty),
            Entry(name: "prompt_embeds", advice: "Send the prompt as text or token ids.", isHarmless: never),
            Entry(name: "lora_request", advice: "LoRA adapters are not built.", isHarmless: never),
            Entry(name: "store", advice: "This server stores nothing.", isHarmless: isFalse),
            Entry(name: "web_search_options", advice: "This server makes no outbound connection.", isHarmless: never),
            Entry(name: "prediction", advice: "Leave it out.", isHarmless: never),
            Entry(name: "moderation", advice: "Leave it out.", isHarmless: never),
        ]

    private static let constrained: [Entry] =
        [
            Entry(
                name: "response_format", advice: "Only {\"type\": \"text\"} is; ask for the format in the messages.",
                isHarmless: { $0["type"]?.stringValue == "text" }),
            Entry(name: "structured_outputs", advice: advice, isHarmless: isEmpty),
        ]
        + [
            "guided_json", "guided_regex", "guided_choice", "guided_grammar", "guided_json_object",
            "guided_decoding_backend", "guided_whitespace_pattern", "structural_tag",
        ].map { Entry(name: $0, advice: advice, isHarmless: isFalse) }

    private static let tools: [Entry] = [
        Entry(name: "functions", advice: "Tool calls are not built; leave it out.", isHarmless: isEmpty),
        Entry(name: "function_call", advice: "Tool calls are not built; leave it out.") { $0.stringValue == "none" },
    ]

    private static let media: [Entry] = [
        Entry(name: "audio", advice: "This server reads and writes text only.", isHarmless: never),
        Entry(
            name: "modalities", advice: "Only [\"text\"] is.",
            isHarmless: { $0.arrayValue?.allSatisfy { $0.stringValue == "text" } ?? false }),
        Entry(name: "mm_processor_kwargs", advice: "This server reads text only.", isHarmless: isEmpty),
        Entry(name: "media_io_kwargs", advice: "This server reads text only.", isHarmless: isEmpty),
    ]

    private static let advice =
        "Constrained output is not built; ask for the format in the prompt and check the answer."

    private static let never: @Sendable (JSONValue) -> Bool = { _ in false }
    private static let isFalse: @Sendable (JSONValue) -> Bool = { $0.boolValue == false }
    private static let isEmpty: @Sendable (JSONValue) -> Bool = {
        $0.arrayValue?.isEmpty ?? $0.objectValue?.isEmpty ?? false
    }

    /// Tools may be shown to a template only if the answer need not call one: calls are not parsed.
    static func checkTools(_ fields: FieldReader) throws(APIError) -> [JSONValue]? {
        let tools: [JSONValue] = try fields.array("tools", limit: 128, unit: "tools") ?? []
        let choice: JSONValue? = fields.value("tool_choice")
        if choice?.stringValue == "none" { return tools.isEmpty ? nil : tools }
        guard tools.isEmpty else {
            throw .notBuilt(
                field: "tools",
                advice: "Tool calls are not parsed. With \"tool_choice\": \"none\" the tools are shown to the model.")
        }
        if let choice, choice.stringValue != "auto" {
            throw .notBuilt(field: "tool_choice", advice: "Only \"none\", or \"auto\" without tools, is.")
        }
        return nil
    }
}
