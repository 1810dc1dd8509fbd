"""Compares checkpoints, as `cserve serve` answers for them over HTTP, with transformers: log-probabilities and greedy continuations.

    python compare.py CHECKPOINT_DIR... --cserve ../../.build/release/cserve

It starts a server per checkpoint on a free loopback port, asks /v1/completions with token ids (echo, logprobs), and stops it.
A checkpoint without a tokenizer is served from a temporary copy (of links) with a plain one.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers as T
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import ablations
from make_checkpoints import given, log_probabilities

NEW_TOKENS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--cserve", required=True, help="the cserve binary")
    parser.add_argument("--lengths", type=int, nargs="+", default=[5, 33, 128, 200])
    parser.add_argument("--tolerance", type=float, default=0.05)
    parser.add_argument("--flags", default="", help="further flags for cserve serve, e.g. '--device reference'")
    parser.add_argument("--start-seconds", type=float, default=120)
    args = parser.parse_args()
    torch.set_num_threads(1)
    T.logging.set_verbosity_error()
    T.logging.disable_progress_bar()
    results = [compare(path, args) for path in args.checkpoints]
    sys.exit(0 if all(results) else 1)


def compare(path: Path, args) -> bool:
    model = ablations.load(path)
    vocabulary = model.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(7)
    longest = max(args.lengths)
    worst, place, different, prompts = 0.0, None, [], []
    for length in sorted(set(args.lengths)):
        ids = torch.randint(min(3, vocabulary - 1), vocabulary, (length,), generator=generator).tolist()
        prompts.append(ids)
    # Length-dependent rope is fixed by the server's length, so then each prompt has a server of its own length.
    kind = json.dumps(getattr(model.config.get_text_config(), "rope_parameters", None) or {})
    varies = '"dynamic"' in kind or '"longrope"' in kind
    groups = [[ids] for ids in prompts] if varies else [prompts]
    for group in groups:
        limit = len(group[0]) if varies else longest + NEW_TOKENS + 4
        with served(path, vocabulary, limit, args) as base:
            for ids in group:
                answer = ask(base, path, ids, 0 if varies else NEW_TOKENS)
                expected = given(ids, log_probabilities(model, ids))
                got = torch.tensor(answer["logprobs"]["token_logprobs"][1: len(ids)], dtype=torch.float64)
                distance = (got - expected).abs()
                if float(distance.max()) > worst or place is None:
                    worst, place = float(distance.max()), (len(ids), int(distance.argmax()) + 1)
                if not varies:
                    different += continuation(model, ids, answer, args.tolerance)
    good = worst <= args.tolerance and not different
    print(f"{'ok ' if good else 'BAD'} {path.name}: largest difference {worst:.6f} (prompt of {place[0]}, position {place[1]})"
          f"{'; no continuation compared: its rope depends on the length' if varies else ''}{''.join('; ' + d for d in different)}", flush=True)
    return good


def continuation(model, ids: list[int], answer: dict, tolerance: float) -> list[str]:
    """Follows the server's tokens; each must be the likeliest one, unless the likeliest two are close."""
    tokens = (answer.get("token_ids") or [])[-NEW_TOKENS:]
    if not tokens:
        return ["the server returned no token ids"]
    ids = list(ids)
    for step, token in enumerate(tokens):
        top = log_probabilities(model, ids)[-1].topk(2)
        first, second = top.values.tolist()
        if token != int(top.indices[0]):
            if first - second > 2 * tolerance:
                return [f"after {len(ids)} tokens the server chose {token}, transformers {int(top.indices[0])} by {first - second:.3f}"]
            return []
        ids.append(token)
    return []


def ask(base: str, path: Path, ids: list[int], new: int) -> dict:
    """One completion with the prompt's log-probabilities."""
    with urllib.request.urlopen(base + "/v1/models") as reply:
        name = json.load(reply)["data"][0]["id"]
    body = {"model": name, "prompt": ids, "echo": True, "logprobs": 1, "max_tokens": new, "temperature": 0, "ignore_eos": True,
            "return_token_ids": True}
    request = urllib.request.Request(base + "/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)["choices"][0]
    except urllib.error.HTTPError as error:
        sys.exit(f"{path}: the server answered {error.code}: {error.read().decode()}")


@contextmanager
def served(path: Path, vocabulary: int, limit: int, args):
    """A running server for the checkpoint; its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = path if not path.is_dir() or (path / "tokenizer.json").exists() else with_tokenizer(path, Path(scratch), vocabulary)
        command = [args.cserve, "serve", "--model", str(folder), "--host", "127.0.0.1", "--port", str(port), "--max-model-len", str(limit),
                   *args.flags.split()]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            base = f"http://127.0.0.1:{port}"
            wait(base, process, path, args.start_seconds)
            yield base
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def wait(base: str, process, path: Path, seconds: float) -> None:
    end = time.time() + seconds
    while time.time() < end:
        if process.poll() is not None:
            sys.exit(f"{path}: cserve ended with {process.returncode}: {process.stderr.read()}")
        try:
            with urllib.request.urlopen(base + "/readyz", timeout=1) as reply:
                if reply.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{path}: the server was not ready after {seconds:.0f} s")


def with_tokenizer(path: Path, folder: Path, vocabulary: int) -> Path:
    """Links to the checkpoint's files beside a byte-level tokenizer that has as many tokens as the model."""
    for file in path.iterdir():
        os.symlink(file.resolve(), folder / file.name)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = (alphabet + [f"t{i}" for i in range(len(alphabet), vocabulary)])[:vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text("{}\n")
    return folder


if __name__ == "__main__":
    main()
