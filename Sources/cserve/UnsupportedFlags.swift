// vLLM's flags that this build does not have: said by name, with what to do instead.

/// Explains flags that people bring from vLLM.
enum UnsupportedFlags {
    /// What to say about the first such flag, if there is one.
    static func advice(for arguments: [String]) -> String? {
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name: String = String(argument.split(separator: "=", maxSplits: 1).first ?? "")
            guard let instead = table[name] else { continue }
            return "\(name) is vLLM's, but this build cannot do it yet. \(instead)"
        }
        return nil
    }

    private static let table: [String: String] = [
        "--enable-lora": "Merge the adapter into the weights and serve the result.",
        "--lora-modules": "Merge the adapter into the weights and serve the result.",
        "--enable-auto-tool-choice": "Tool calls are not parsed; leave it out.",
        "--tool-call-parser": "Tool calls are not parsed; leave it out.",
        "--reasoning-parser": "Reasoning stays in the answer's text; leave it out.",
        "--guided-decoding-backend": "Constrained output is not built; leave it out.",
        "--speculative-model": "Draft models are not built; use --spec-proposer ngram.",
        "--num-speculative-tokens": "Use --spec-proposer ngram --spec-tokens.",
        "--swap-space": "Preempted requests are recomputed; leave it out.",
        "--cpu-offload-gb": "Weights stay in memory; leave it out.",
        "--tokenizer": "The tokenizer is read from the model's folder.",
        "--revision": "Download the revision and name its folder in --model.",
        "--download-dir": "Nothing is downloaded; name a folder in --model.",
        "--hf-token": "Nothing is downloaded; name a folder in --model.",
        "--load-format": "safetensors is the only format; leave it out.",
        "--trust-remote-code": "No remote code is ever run; leave it out.",
        "--enforce-eager": "There are no CUDA graphs; leave it out.",
        "--distributed-executor-backend": "One process serves; leave it out.",
        "--enable-expert-parallel": "One rank holds every expert; leave it out.",
        "--limit-mm-per-prompt": "Text only; leave it out.",
        "--task": "Text generation is the only task; leave it out.",
        "--ssl-ca-certs": "Client certificates are not checked; put a proxy in front.",
    ]
}
