"""`cserve bench` beside `vllm bench serve`: both send the same prompts in the same order to the same servers, by turns.

Usage: bench_clients.py CSERVE VLLM TOKENIZER NAME=URL[=MODEL]... [--rounds 3] [--requests 60] [--clients 4] [--output 16]
VLLM is vLLM's command, TOKENIZER a folder with the models' tokenizer, which vLLM's client counts with. For each figure: the
median over the rounds of each client, its spread ((max - min) / median), and the ratio of the medians.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

FIGURES = ["mean_ttft_ms", "median_ttft_ms", "mean_tpot_ms", "median_tpot_ms", "mean_itl_ms", "mean_e2el_ms", "median_e2el_ms",
           "output_throughput", "total_input_tokens", "total_output_tokens"]
WORDS = "the of and to in is that it was for on are as with they at be this from have or by one had not but what all".split()


def prompts(path, count, words, seed):
    draw = random.Random(seed)
    with open(path, "w") as file:
        for _ in range(count):
            file.write(json.dumps({"prompt": " ".join(draw.choice(WORDS) for _ in range(words))}) + "\n")


def cserve(options, url, model, path):
    command = [options.cserve, "bench", "--url", url, "--prompts", path, "--concurrency", str(options.clients), "--requests",
               str(options.requests), "--output-len", str(options.output), "--num-warmups", "1", "--format", "vllm", "--json"]
    return json.loads(subprocess.run(command + (["--model", model] if model else []), check=True, capture_output=True).stdout)


def vllm(options, url, model, path, folder):
    name = "result.json"
    command = [options.vllm, "bench", "serve", "--backend", "openai", "--base-url", url, "--dataset-name", "custom", "--dataset-path",
               path, "--custom-output-len", str(options.output), "--skip-chat-template", "--disable-shuffle", "--ignore-eos",
               "--num-prompts", str(options.requests), "--max-concurrency", str(options.clients), "--num-warmups", "1",
               "--temperature", "0", "--percentile-metrics", "ttft,tpot,itl,e2el", "--tokenizer", options.tokenizer,
               "--save-result", "--result-dir", folder, "--result-filename", name]
    environment = {**os.environ, "LD_PRELOAD": options.vllm_preload}
    done = subprocess.run(command + (["--model", model] if model else []), env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return json.load(open(os.path.join(folder, name)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cserve")
    parser.add_argument("vllm")
    parser.add_argument("tokenizer")
    parser.add_argument("servers", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--words", type=int, default=48)
    parser.add_argument("--output", type=int, default=16)
    parser.add_argument("--vllm-preload", default="")
    parser.add_argument("--salt", type=int, default=0)
    options = parser.parse_args()
    for server in options.servers:
        name, url, *model = server.split("=")
        results = {"cserve": [], "vllm": []}
        with tempfile.TemporaryDirectory() as folder:
            for number in range(options.rounds):
                path = os.path.join(folder, "prompts.jsonl")
                # Other texts for every run, but the same for both clients of a turn once each: none is in a prefix cache.
                order = ["cserve", "vllm"] if number % 2 == 0 else ["vllm", "cserve"]
                for place, client in enumerate(order):
                    prompts(path, options.requests, options.words, options.salt * 1000 + number * 2 + place)
                    run = cserve if client == "cserve" else vllm
                    extra = (folder,) if client == "vllm" else ()
                    results[client].append(run(options, url, model[0] if model else None, path, *extra))
        print(f"\n{name}: {options.rounds} rounds, {options.requests} requests of {options.words} words and {options.output} tokens, "
              f"{options.clients} clients\n\n| figure | cserve | spread | vllm | spread | cserve / vllm |\n|---|---|---|---|---|---|")
        for figure in FIGURES:
            cells, middles = [], []
            for client in ("cserve", "vllm"):
                values = [one[figure] for one in results[client]]
                middles.append(statistics.median(values))
                cells += [f"{middles[-1]:.4g}", f"{(max(values) - min(values)) / middles[-1] * 100:.1f}%"]
            print(f"| {figure} | " + " | ".join(cells) + f" | {middles[0] / middles[1]:.3f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
