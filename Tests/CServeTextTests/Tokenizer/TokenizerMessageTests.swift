// Every tokenizer error, with the message that a user reads.

import CServeText
import Testing

@Test("Every tokenizer error says what to do next")
func tokenizerErrorMessages() {
    let again = "Download the file again"
    let messages: [(TokenizerError, String)] = [
        (
            .missingFile(path: "m/tokenizer.json"),
            "m/tokenizer.json does not exist. Point --model (or --tokenizer) at a folder with a tokenizer.json."
        ),
        (
            .sentencePieceOnly(path: "m"),
            "m holds only a SentencePiece tokenizer.model, which is not read. Convert it once with "
                + "`AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)` (transformers) to get a tokenizer.json."
        ),
        (
            .unreadableFile(path: "m/tokenizer.json", reason: "permission denied"),
            "m/tokenizer.json cannot be read: permission denied. Check the file and its permissions."
        ),
        (
            .invalidJSON(file: "tokenizer.json", offset: 12, reason: "a value was expected"),
            "tokenizer.json is not valid JSON at byte 12: a value was expected. \(again)."
        ),
        (
            .malformed(key: "model.merges", expected: "a list"),
            "tokenizer.json: model.merges must be a list. \(again), or save it with a current version of tokenizers."
        ),
        (
            .unsupportedStage(stage: "model", type: "WordLevel", supported: ["BPE", "Unigram"]),
            "tokenizer.json: the model type \"WordLevel\" is not supported. Supported: BPE, Unigram."
        ),
        (
            .unsupportedSetting(stage: "BPE", setting: "dropout 0.1", reason: "it would make ids random"),
            "tokenizer.json: BPE has dropout 0.1, which is not supported: it would make ids random."
        ),
        (
            .mergeOutOfVocabulary(rank: 3, token: "ab"),
            "tokenizer.json: merge 3 needs the token \"ab\", which the vocabulary does not have. "
                + "Vocabulary and merges come from different models."
        ),
        (
            .tokenOutOfVocabulary(token: "<s>", neededBy: "post_processor"),
            "tokenizer.json: post_processor needs the token \"<s>\", which the vocabulary does not have. "
                + "Vocabulary and post_processor come from different models."
        ),
        (
            .invalidPattern(pattern: "(", offset: 1, reason: "a group does not close"),
            "tokenizer.json: the pattern ( cannot be compiled at character 1: a group does not close."
        ),
        (
            .metadata(file: "x.gguf", key: "tokenizer.ggml.pre", reason: "is \"new\"; supported: qwen2"),
            "x.gguf: tokenizer.ggml.pre is \"new\"; supported: qwen2. Convert the model again with a current llama.cpp, or "
                + "serve its Hugging Face folder."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
