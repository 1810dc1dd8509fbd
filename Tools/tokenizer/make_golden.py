"""Writes the expected ids of the committed tokenizers, as PyPI tokenizers gives them (its version is in the file).

Usage: make_golden.py Tests/Fixtures/tokenizers
"""
import json
import pathlib
import sys

import tokenizers
from tokenizers import Tokenizer

from make_corpus import corpus

TRICKY = [
    "", " ", "  ", "\n", "\r\n", "\t", " \n", "\n ", "a", " a", "a ", "  a", "a  b", "a\n\nb", "a \n b", "Hello, world!", "Hello world",
    "I'm you're HE'S they'LL we'D it'ſ don't O'Reilly 'tis '", "123", "1234567", "12 345 6789", "x=1;y=22;", "3.14159", "½ ² ① Ⅷ ٣ ๓",
    "é", "e\u0301", "\u1e9b\u0323", "\u0344", "Å", "ﬁ", "㍿", "가각힣", "\u1100\u1161\u11a8", "ｶﾞ", "ß ẞ ſ İ ı ǅ", "ΑΣ ς", "नमस्ते", "ไทย", "שָׁלוֹם", "مرحبا",
    "你好,世界", "東京タワー", "𠮷野家", "😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "e\u0301\u0323\u0308", "\u0301", "a\u200bb\u200cc\u200dd", "\ufeffx", "\ufffd", "\u0000", "\u0001\u007f\u0085\u009f",
    "\u00a0x\u2003y\u3000z", "\u2028\u2029", "\U0010ffff", "\u0378", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "AAAAaaaaAAAAaaaa", "ABCdef GHIjkl", "camelCaseHTTPServer",
    "   leading", "trailing   ", "\n\n\n\n", "\t\t\tx", "a\u00a0\u00a0b", "!!!???...", "...\n\n", "http://x.y/z?q=1#f", "//// path/to/file", "/*\n*/", "</s>", "<s>", "<unk>", "<|endoftext|>",
    "<|im_start|>user\nhi<|im_end|>\n", "a<|im_end|>b", "<|im_", "<|im_end", "[INST] hi [/INST]", "<s>[INST]", "  <s>  x", "<|user|>\n\nhi<|end|>  \nx", "<tool>x<tool>", "xWORDTOKENx WORDTOKEN WORDTOKEN_", "<NORM><norm>",
    "<start_of_turn>user\n\nhi<end_of_turn>", "▁", "▁▁a", " ▁ ", "<0x41>", "<0xE4>", "Ġ", "Ċ", "x <extra_id_0> y", "[CLS] [UNK]", "naïve façade", "C++ & C#", "don’t", "“q”", "a,b;c:d", "\u20dd", "𝐀𝟘", "x\u0345", "\u0f73", "ꙮ",
]


def fnv(ids):
    value = 0x811C9DC5
    for token in ids:
        for byte in token.to_bytes(4, "little"):
            value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def write_lines(path, texts):
    path.write_text("".join(json.dumps(text, ensure_ascii=True) + "\n" for text in texts), encoding="utf-8")


def golden(tokenizer, tricky, entries):
    tokenizer.encode_special_tokens = False
    ids = [tokenizer.encode(text).ids for text in tricky]
    hashes = "".join(fnv(tokenizer.encode(text).ids) for text in entries)
    tokenizer.encode_special_tokens = True
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in tricky]
    decoded = [tokenizer.decode(line, skip_special_tokens=False) for line in ids]
    return {"origin": f"PyPI tokenizers {tokenizers.__version__}", "ids": ids, "plain": plain, "decoded": decoded, "hashes": hashes}


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    entries = list(corpus(60_000, seed=11))
    tricky = TRICKY + [text[:24] for text in corpus(40_000, seed=12)][: 200 - len(TRICKY)]
    write_lines(root / "corpus.jsonl", entries)
    write_lines(root / "tricky.jsonl", tricky)
    for folder in sorted(path.parent for path in root.glob("*/tokenizer.json")):
        data = golden(Tokenizer.from_file(str(folder / "tokenizer.json")), tricky, entries)
        (folder / "golden.json").write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
        print(folder.name, (folder / "golden.json").stat().st_size)
