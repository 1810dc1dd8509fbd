"""The same measurement as TokenizerBenchmark with PyPI tokenizers, on one thread.

Usage: tokenizer_peer.py CORPUS.jsonl DIR...   prints: name MB/s tokens load-ms
"""
import json
import os
import pathlib
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402


def main(corpus, directories):
    texts = [json.loads(line).encode("utf-16", "surrogatepass").decode("utf-16") for line in open(corpus, encoding="utf-8")]
    size = sum(len(text.encode()) for text in texts)
    for directory in directories:
        start = time.perf_counter()
        tokenizer = Tokenizer.from_file(str(pathlib.Path(directory) / "tokenizer.json"))
        load = time.perf_counter() - start
        best, count = float("inf"), 0
        for _ in range(5):
            count, start = 0, time.perf_counter()
            # encode_batch_fast computes no offsets: the fastest that the library offers.
            count = sum(len(encoding) for encoding in tokenizer.encode_batch_fast(texts))
            best = min(best, time.perf_counter() - start)
        print(pathlib.Path(directory).name, size / best / 1e6, count, load * 1e3, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
