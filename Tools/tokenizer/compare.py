"""Compares CServe's tokenizer with PyPI tokenizers on a corpus: ids, plain ids and decoded text of every entry.

Usage: compare.py BINARY CORPUS.jsonl DIR...   (BINARY is TextProbe, which a debug build makes)
Exits with 1 if anything differs.
"""
import json
import pathlib
import subprocess
import sys

from tokenizers import Tokenizer


def expected(tokenizer, text):
    tokenizer.encode_special_tokens = False
    ids = tokenizer.encode(text).ids
    tokenizer.encode_special_tokens = True
    plain = tokenizer.encode(text, add_special_tokens=False).ids
    return {"ids": ids, "plain": plain, "text": tokenizer.decode(ids), "all": tokenizer.decode(ids, skip_special_tokens=False)}


def compare(binary, corpus, directory, shown):
    texts = [json.loads(line) for line in open(corpus, encoding="utf-8")]
    run = subprocess.run([binary, "ids", corpus, directory], capture_output=True, check=True)
    lines = run.stdout.split(b"\n")[:-1]
    if len(lines) != len(texts):
        print(f"{directory}: {len(texts)} entries in, {len(lines)} out")
        return 1
    tokenizer = Tokenizer.from_file(str(pathlib.Path(directory) / "tokenizer.json"))
    special = {id for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    wrong = dict.fromkeys(["ids", "plain", "text", "all"], 0)
    for text, line in zip(texts, lines):
        want, got = expected(tokenizer, text), json.loads(line)
        for key in wrong:
            if key == "plain" and sum(id in special for id in got[key]) < sum(id in special for id in want[key]):
                continue  # the peer's Unigram finds special tokens in plain text as pieces; ours must not
            if want[key] != got[key]:
                wrong[key] += 1
                if wrong[key] <= shown:
                    print(f"  {key} of {text!r}\n    want {want[key]!r}\n    got  {got[key]!r}")
    size = sum(len(text.encode()) for text in texts)
    print(f"{pathlib.Path(directory).name}: {len(texts)} entries, {size} bytes, differences {wrong}", flush=True)
    return sum(wrong.values())


if __name__ == "__main__":
    shown = 3
    arguments = sys.argv[1:]
    if arguments[0].startswith("--show="):
        shown = int(arguments.pop(0).split("=")[1])
    binary, corpus, *directories = arguments
    sys.exit(1 if sum(compare(binary, corpus, directory, shown) for directory in directories) else 0)
