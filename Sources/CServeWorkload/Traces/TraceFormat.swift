// The forms in which traces come.

/// A trace's file format.
public enum TraceFormat: String, Hashable, Codable, Sendable, CaseIterable {
    /// `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure's public LLM inference traces).
    case azure
    /// JSON lines with `timestamp` (ms), `input_length`, `output_length`, `hash_ids` of 512-token blocks (Mooncake).
    case mooncake
    /// A JSON array, or JSON lines, of `conversations` with `from` and `value` (ShareGPT).
    case shareGPT = "sharegpt"
    /// `arrived_at,num_prefill_tokens,num_decode_tokens` (vidur).
    case vidur
    /// `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type` (BurstGPT).
    case burstGPT = "burstgpt"
    /// `arrival_s,prompt_tokens,output_tokens` and optional columns: this program's own table.
    case csv
    /// JSON lines of this program's own requests, with shared texts and turns.
    case jsonl
    /// JSON lines of an OpenAI-style API: a time, a body with `messages` or `prompt`, and `usage`.
    case requestLog = "openai"
}
