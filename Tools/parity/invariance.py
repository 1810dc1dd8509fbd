"""Checks over HTTP that a request's tokens and log-probabilities do not depend on its company.

    python invariance.py --cserve ../../.build/release/cserve [CHECKPOINT_DIR...]

Each model (the built-in one, and every directory given) is served several times on a free loopback port. A greedy and a
seeded request are asked alone; then again (their prompt is cached), among 31 random others, in small pieces, and with so
few KV blocks that requests are preempted. Every answer must equal the first, bit by bit.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from compare import served

PROMPT, NEW_TOKENS, OTHERS, LENGTH = 45, 40, 31, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", type=Path)
    parser.add_argument("--cserve", required=True, help="the cserve binary")
    parser.add_argument("--flags", default="", help="further flags for cserve serve, e.g. '--device reference'")
    args = parser.parse_args()
    results = [check(path, args) for path in [Path("cserve-demo"), *args.checkpoints]]
    sys.exit(0 if all(results) else 1)


def check(path: Path, args) -> bool:
    facts = json.loads(subprocess.run([args.cserve, "models", "inspect", str(path), "--json"], check=True, capture_output=True).stdout)
    vocabulary = facts["vocabulary"]
    rows = facts["kv_bytes_per_token_float32"]
    generator = random.Random(7)
    ours = [body(generator, vocabulary, 0.0), body(generator, vocabulary, 0.9)]
    expected, failures, preempted = None, [], 0
    for name, flags in {
        "default": "",
        "pieces": "--max-num-seqs 32 --max-num-batched-tokens 33",
        "preempted": f"--kv-cache-memory-bytes {rows * (LENGTH + 64)}",
    }.items():
        options = SimpleNamespace(cserve=args.cserve, flags=f"{args.flags} {flags}", start_seconds=120)
        with served(path, vocabulary, LENGTH, options) as base:
            answers = {f"{name}, alone": [ask(base, one) for one in ours]}
            expected = expected or answers[f"{name}, alone"]
            answers[f"{name}, prompt cached"] = [ask(base, one) for one in ours]
            answers[f"{name}, among {OTHERS} others"] = crowd(base, ours, generator, vocabulary)
            answers[f"{name}, among {OTHERS} others, again"] = crowd(base, ours, generator, vocabulary)
            if name == "preempted":
                preempted = preemptions(base)
        failures += [f"{case}: {kind}" for case, found in answers.items()
                     for kind, first, other in zip(("greedy", "seeded"), expected, found) if first != other]
    if not preempted:
        failures.append("no request was preempted, so nothing is shown about that")
    print(f"{'BAD' if failures else 'ok '} {path.name}: {preempted} preemptions{''.join('; ' + f for f in failures)}", flush=True)
    return not failures


def body(generator, vocabulary: int, temperature: float) -> dict:
    prompt = [generator.randrange(3, vocabulary) for _ in range(generator.randint(PROMPT - 15, PROMPT + 15) if temperature else PROMPT)]
    return {"prompt": prompt, "max_tokens": NEW_TOKENS, "temperature": temperature, "seed": 5, "logprobs": 5, "ignore_eos": True,
            "return_token_ids": True}


def crowd(base: str, ours: list[dict], generator, vocabulary: int) -> list:
    """Our requests' answers while random others run; some of these begin like ours, so that blocks are shared."""
    others = [body(generator, vocabulary, 1.1) | {"seed": i} for i in range(OTHERS)]
    for i, other in enumerate(others[::5]):
        other["prompt"] = ours[i % 2]["prompt"][:32] + other["prompt"][32:]
    half = OTHERS // 2
    with ThreadPoolExecutor(OTHERS + 2) as pool:
        answers = list(pool.map(lambda one: ask(base, one), [*others[:half], *ours, *others[half:]]))
    return answers[half: half + len(ours)]


def ask(base: str, one: dict) -> tuple:
    """The tokens with their log-probabilities, exactly as written in the answer's JSON."""
    request = urllib.request.Request(base + "/v1/completions", json.dumps(one).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        choice = json.load(reply)["choices"][0]
    chances = choice["logprobs"]
    assert len(choice["token_ids"]) == NEW_TOKENS, choice["finish_reason"]
    return choice["token_ids"], chances["token_logprobs"], chances["top_logprobs"]


def preemptions(base: str) -> int:
    with urllib.request.urlopen(base + "/metrics") as reply:
        counts = re.findall(r"^vllm:num_preemptions_total\S* (\S+)$", reply.read().decode(), re.M)
    return int(sum(map(float, counts)))


if __name__ == "__main__":
    main()
