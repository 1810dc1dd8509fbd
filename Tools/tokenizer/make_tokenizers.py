"""Trains small tokenizers with the very pipelines of the model families, on our own corpus.

Usage: make_tokenizers.py OUT_DIR [--training-bytes 400000]. The committed ones are Tests/Fixtures/tokenizers.
"""
import argparse
import base64
import json
import pathlib
import struct

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from make_corpus import corpus

WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PREFIX = r"[^\r\n\p{L}\p{N}]?"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEKKEN = f"{PREFIX}{UPPER}*{LOWER}+|{PREFIX}{UPPER}+{LOWER}*" + r"|\p{N}" + TAIL
O200K = f"{PREFIX}{UPPER}*{LOWER}+{WORDS}?|{PREFIX}{UPPER}+{LOWER}*{WORDS}?" + r"|\p{N}{1,3}" + TAIL
DEEPSEEK = [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4 = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"


def special(*texts, **options):
    return [AddedToken(text, special=True, normalized=False, **options) for text in texts]


def byte_level(pattern, added, vocabulary=1500, normalizer=None, use_regex=False, prefix_space=False):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    stages = [pre_tokenizers.Split(Regex(p), "isolated") for p in pattern]
    stages.append(pre_tokenizers.ByteLevel(add_prefix_space=prefix_space, use_regex=use_regex))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(stages) if len(stages) > 1 else stages[0]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    return tokenizer, trainer, added


def llama2(vocabulary=1500, metaspace=False, added=None, bos=True, prepend=True):
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        steps = [normalizers.Prepend("▁")] if prepend else []
        tokenizer.normalizer = normalizers.Sequence(steps + [normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if prepend:
        steps.append(decoders.Strip(" ", 1, 0))
    tokenizer.decoder = decoders.Sequence(steps)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    initial = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=initial, show_progress=False, limit_alphabet=400, max_token_length=16)
    return tokenizer, trainer, added or special("<unk>", "<s>", "</s>")


def charsmap():
    """A small SentencePiece character map: a double-array trie of a few replacements, built by hand."""
    table = {"\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u3000": " ", "ﬁ": "fi", "①": "1", "Ａ": "A", "ａ": "a", "½": "1⁄2",
             "e\u0301": "é", "\u200b": "", "\ufeff": "", "ｶﾞ": "ガ", "ｶ": "カ", "\u0000x": "", "℃": "°C", "ǆ": "dž", "\u0007": ""}
    table = {k: v for k, v in table.items() if "\0" not in k}
    blob, offsets = b"", {}
    for key, value in sorted(table.items()):
        offsets[key.encode()] = len(blob)
        blob += value.encode() + b"\0"
    units, used = [0] * 4096, {0}
    nodes = {b"": 0}
    # Each node holds the offset to its children; a child's label is its byte; a leaf child holds the value.
    prefixes = sorted({k[:i] for k in offsets for i in range(len(k) + 1)}, key=lambda k: (len(k), k))
    bases = set()
    for prefix in prefixes:
        position = nodes[prefix]
        children = sorted({k[len(prefix)] for k in offsets if k.startswith(prefix) and len(k) > len(prefix)})
        is_leaf = prefix in offsets
        labels = ([0] if is_leaf else []) + children
        if not labels:
            continue
        offset = next(o for o in range(1, 1 << 20) if (position ^ o) not in bases and (is_leaf or not ((position ^ o) in used and False))
                      and all(((position ^ o) ^ c) not in used and ((position ^ o) ^ c) < len(units) for c in labels)
                      and ((position ^ o) ^ 0) not in used)
        base = position ^ offset
        bases.add(base)
        units[position] = (units[position] & 0x800001FF) | (offset << 10) | (0x100 if is_leaf else 0)
        if is_leaf:
            units[base] = 0x80000000 | offsets[prefix]
            used.add(base)
        for label in children:
            units[base ^ label] = label
            used.add(base ^ label)
            nodes[prefix + bytes([label])] = base ^ label
    size = 1 + max(i for i, unit in enumerate(units) if unit)
    units = units[: (size + 255) // 256 * 256]
    trie = b"".join(struct.pack("<I", unit) for unit in units)
    return struct.pack("<I", len(trie)) + trie + blob


def unigram(vocabulary=1200, precompiled=False, byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    if precompiled:
        steps = [normalizers.Precompiled(charsmap()), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    if not precompiled:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    initial = ["<pad>", "</s>", "<unk>"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    trainer = trainers.UnigramTrainer(vocab_size=vocabulary, special_tokens=initial, unk_token="<unk>", show_progress=False)
    added = special("<pad>", "</s>", "<unk>") + special("<extra_id_0>", lstrip=True)
    return tokenizer, trainer, added


def bert(vocabulary=1500):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(sep=("[SEP]", 2), cls=("[CLS]", 1))
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False)
    return tokenizer, trainer, special("[UNK]", "[CLS]", "[SEP]")


def fixtures():
    chat = special("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>")
    qwen = special("<|endoftext|>", "<|im_start|>", "<|im_end|>") + [AddedToken("<tool>", special=False, normalized=False)]
    phi3 = special("<unk>", "<s>", "</s>") + special("<|endoftext|>") + [
        AddedToken(t, special=True, normalized=False, rstrip=True) for t in ("<|user|>", "<|end|>", "<|assistant|>")]
    odd = [AddedToken("<norm>", special=True, normalized=True), AddedToken("WORDTOKEN", normalized=True, single_word=True),
           AddedToken("<s>", special=True, normalized=False, lstrip=True, rstrip=True), AddedToken("  ", normalized=True),
           AddedToken("<|im_", special=False, normalized=False), AddedToken("<|im_end|>", special=True, normalized=False)]
    gemma = special("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>") + [
        AddedToken("\n" * n, normalized=False) for n in range(2, 6)] + [AddedToken("▁" * n, normalized=False) for n in range(2, 5)]
    return {
        "gpt2": lambda: byte_level([], special("<|endoftext|>"), use_regex=True),
        "gpt2-prefix": lambda: byte_level([], odd, vocabulary=700, use_regex=True, prefix_space=True, normalizer=normalizers.Lowercase()),
        "llama3": lambda: byte_level([LLAMA3], chat),
        "qwen2": lambda: byte_level([QWEN2], qwen, normalizer=normalizers.NFC()),
        "gpt4o": lambda: byte_level([O200K], special("<|endoftext|>")),
        "gpt4-odd": lambda: byte_level([GPT4], special("<|endoftext|>"), vocabulary=700),
        "tekken": lambda: byte_level([TEKKEN], special("<s>", "</s>", "[INST]", "[/INST]")),
        "deepseek": lambda: byte_level(DEEPSEEK, special("<|begin_of_text|>"), vocabulary=1000),
        "kimi": lambda: byte_level([KIMI], special("<|im_end|>"), vocabulary=1000),
        "llama2": lambda: llama2(),
        "mistral": lambda: llama2(metaspace=True, added=special("<unk>", "<s>", "</s>") + special("[INST]", "[/INST]")),
        "phi3": lambda: llama2(added=phi3, vocabulary=1000),
        "gemma": lambda: llama2(added=gemma, prepend=False, vocabulary=1200),
        "t5": lambda: unigram(precompiled=True),
        "unigram-nfkc": lambda: unigram(),
        "bert": lambda: bert(),
    }


def finish(name, tokenizer):
    data = json.loads(tokenizer.to_str())
    if name == "llama3":
        data["model"]["ignore_merges"] = True
        data["post_processor"] = {"type": "Sequence", "processors": [data["post_processor"], {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|begin_of_text|>": {"id": "<|begin_of_text|>", "ids": [tokenizer.token_to_id("<|begin_of_text|>")],
                                                     "tokens": ["<|begin_of_text|>"]}}}]}
    if name == "gemma":
        # Gemma splits nothing but keeps this stage, and its merges never cross a space.
        data["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    if name in ("gpt2", "llama2"):
        data["model"]["merges"] = [" ".join(m) if isinstance(m, list) else m for m in data["model"]["merges"]]
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--training-bytes", type=int, default=400_000)
    options = parser.parse_args()
    training = list(corpus(options.training_bytes, seed=7))
    for name, build in fixtures().items():
        tokenizer, trainer, added = build()
        tokenizer.train_from_iterator(training, trainer)
        tokenizer.add_tokens(added)
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(finish(name, tokenizer), ensure_ascii=False, separators=(",", ":"))
        Tokenizer.from_str(text)
        (folder / "tokenizer.json").write_text(text, encoding="utf-8")
        print(name, len(text.encode()), tokenizer.get_vocab_size())
