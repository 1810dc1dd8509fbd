// The ways to cut a text that `tokenizer.ggml.pre` names, in the words of the models' own tokenizer.json.

/// A pre-tokenizer of byte-level models. Source: the published tokenizer.json of the models; llama.cpp's list of names
/// (src/llama-vocab.cpp) says which name stands for which.
struct GGUFSplit {
    /// Patterns that cut one after the other; matches become pieces, and so does what is between them.
    var patterns: [String] = []
    /// Whether each digit is a piece.
    var isolatesDigits = false
    /// Whether GPT-2's pattern cuts last.
    var usesPublishedPattern = false
    /// Whether text is brought to normal form C.
    var composes = false
    /// Whether a piece that is a token is taken without merging.
    var takesWholeWords = false
    /// Whether a text begins with the BOS token where the file does not say.
    var beginsText = false

    private init() {}

    private init(_ patterns: [String], composes: Bool = false, wholeWords: Bool = false) {
        self.patterns = patterns
        self.composes = composes
        takesWholeWords = wholeWords
        beginsText = wholeWords
    }

    /// The pre-tokenizer of a name; nil for one that is not known.
    init?(name: String) {
        guard let split = Self.table[name] else { return nil }
        self = split
    }

    /// The known names.
    static var names: [String] { table.keys.sorted() }

    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// Llama 3's pattern with runs of at most so many digits.
    private static func llama3(_ digits: String) -> String {
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
    }

    /// Words that end where case changes, as o200k and Tekken have them.
    private static func caseWords(_ ending: String, _ digits: String) -> String {
        let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
        let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
        let lead = #"[^\r\n\p{L}\p{N}]?"#
        return lead + upper + "*" + lower + "+" + ending + "|" + lead + upper + "+" + lower + "*" + ending + "|"
            + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces
    }

    private static let gpt2: GGUFSplit = {
        var split = GGUFSplit()
        split.usesPublishedPattern = true
        return split
    }()

    private static let digitsThenGPT2: GGUFSplit = {
        var split = gpt2
        split.isolatesDigits = true
        return split
    }()

    private static let llama = GGUFSplit([llama3(#"\p{N}{1,3}"#)], wholeWords: true)
    private static let qwen = GGUFSplit([llama3(#"\p{N}"#)], composes: true)
    private static let o200k = GGUFSplit([caseWords(contractions + "?", #"\p{N}{1,3}"#)])

    private static let table: [String: GGUFSplit] = [
        "llama-bpe": llama, "llama3": llama, "llama-v3": llama, "falcon3": llama, "pixtral": llama, "lfm2": llama,
        "midm-2.0": llama, "dbrx": GGUFSplit(llama.patterns), "smaug-bpe": GGUFSplit(llama.patterns),
        "qwen2": qwen, "deepseek-r1-qwen": qwen, "megrez": qwen, "kormo": qwen,
        "qwen35": GGUFSplit(
            [
                contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"# + spaces
            ]),
        "tekken": GGUFSplit([caseWords("", #"\p{N}"#)], wholeWords: true),
        "gpt-4o": o200k, "llama4": o200k, "kanana2": o200k,
        "gpt-2": gpt2, "phi-2": gpt2, "olmo": gpt2, "mellum": gpt2, "a.x-4.0": gpt2, "trillion": gpt2,
        "smollm": digitsThenGPT2, "starcoder": digitsThenGPT2, "refact": digitsThenGPT2, "command-r": digitsThenGPT2,
        "codeshell": digitsThenGPT2, "minerva-7b": digitsThenGPT2,
        "deepseek-coder": GGUFSplit([#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-퟿]+", #"\p{N}"#]),
        // What llama.cpp takes where a file names none.
        "default": GGUFSplit([
            #"[\p{P}\$\+<=>\^~\|]+"#, #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#,
            #"\p{N}+"#, "[0-9][0-9][0-9]",
        ]),
    ]
}
