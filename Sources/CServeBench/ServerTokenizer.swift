// The server's own tokenizer, where it can be asked: CServe, vLLM and llama-server can.
import CServeCore
import NIOHTTP1

/// Counts tokens as the server does.
public struct ServerTokenizer: Sendable {
    private let client: StreamingClient
    private let model: String
    /// A bound below which every token id exists: one above the largest seen.
    let vocabularySize: Int

    /// Several scripts and kinds of text: some of their tokens are among a vocabulary's last.
    private static let sample: String = """
        The quick brown fox jumps over the lazy dog. func main() { return 0; } \u{65e5}\u{672c}\u{8a9e}\u{306e}\u{6587} \
        \u{0440}\u{0443}\u{0441}\u{0441}\u{043a}\u{0438}\u{0439} \u{0639}\u{0631}\u{0628}\u{064a} \u{ac00}\u{b098} \
        Donaudampfschifffahrt isotropically unbelievable 1234567890 \u{1F600} <html> \\alpha
        """

    /// The server's tokenizer; nil if it cannot be asked.
    public static func find(_ client: StreamingClient, model: String) async -> ServerTokenizer? {
        let tokenizer = ServerTokenizer(client: client, model: model, vocabularySize: 2)
        guard let tokens = await tokenizer.tokens(sample), let largest = tokens.max(), largest > 1 else { return nil }
        return ServerTokenizer(client: client, model: model, vocabularySize: Int(largest) + 1)
    }

    /// A text's tokens, without special ones; nil if the server does not say.
    func tokens(_ text: String) async -> [TokenID]? {
        // vLLM and CServe read `prompt`, llama-server reads `content`; each ignores the other.
        let body: JSONValue = [
            "model": .string(model), "prompt": .string(text), "content": .string(text), "add_special_tokens": false,
        ]
        guard let answer = try? await client.fetch(.POST, "/tokenize", body), answer.status == 200,
            let list = answer.json?["tokens"]?.arrayValue
        else { return nil }
        let tokens: [TokenID] = list.compactMap { $0.intValue.flatMap { TokenID(exactly: $0) } }
        return tokens.count == list.count ? tokens : nil
    }

    /// A text's length in tokens; nil if the server does not say.
    public func count(_ text: String) async -> Int? { await tokens(text)?.count }

    /// The text of tokens; nil if the server does not say.
    func text(_ tokens: [TokenID]) async -> String? {
        let body: JSONValue = ["model": .string(model), "tokens": .array(tokens.map { .integer(Int($0)) })]
        guard let answer = try? await client.fetch(.POST, "/detokenize", body), answer.status == 200 else { return nil }
        return answer.json?["prompt"]?.stringValue ?? answer.json?["content"]?.stringValue
    }
}
