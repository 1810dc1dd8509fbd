// Which tokens begin and end a text: tokenizer_config.json says it, special_tokens_map.json in older folders.
import CServeCore

/// The tokens with a role.
struct TokenRoles: Sendable {
    var bos: NamedToken?
    var eos: NamedToken?
    var unk: NamedToken?
    var pad: NamedToken?

    init(configuration: [UInt8]?, specialTokensMap: [UInt8]?, id: (String) -> TokenID?) throws(TokenizerError) {
        var sources: [JSONValue] = []
        if let configuration { sources.append(try JSONValue.parse(configuration, file: "tokenizer_config.json")) }
        if let specialTokensMap {
            sources.append(try JSONValue.parse(specialTokensMap, file: "special_tokens_map.json"))
        }
        bos = TokenRoles.find("bos_token", sources, id)
        eos = TokenRoles.find("eos_token", sources, id)
        unk = TokenRoles.find("unk_token", sources, id)
        pad = TokenRoles.find("pad_token", sources, id)
    }

    private static func find(_ key: String, _ sources: [JSONValue], _ id: (String) -> TokenID?) -> NamedToken? {
        for source in sources {
            if let text = source[key]?.text ?? source[key]?["content"]?.text {
                return NamedToken(text: text, id: id(text))
            }
        }
        return nil
    }
}

extension InfillTokens {
    private static let spellings: [(prefix: String, suffix: String, middle: String, end: String?)] = [
        ("\u{2581}<PRE>", "\u{2581}<SUF>", "\u{2581}<MID>", "\u{2581}<EOT>"),
        ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", nil),
        ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", nil),
        ("<fim-prefix>", "<fim-suffix>", "<fim-middle>", nil),
        ("<\u{FF5C}fim\u{2581}begin\u{FF5C}>", "<\u{FF5C}fim\u{2581}hole\u{FF5C}>", "<\u{FF5C}fim\u{2581}end\u{FF5C}>", nil),
    ]

    /// Looks for the tokens under the names that models give them.
    init?(id: (String) -> TokenID?) {
        for names in InfillTokens.spellings {
            guard let prefix = id(names.prefix), let suffix = id(names.suffix), let middle = id(names.middle) else {
                continue
            }
            self.init(prefix: prefix, suffix: suffix, middle: middle, end: names.end.flatMap(id))
            return
        }
        return nil
    }
}
