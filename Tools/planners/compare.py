#!/usr/bin/env python3
"""Asks cserve and AIConfigurator the same questions and prints both answers, with the time that each took.

    python3 -m venv aic && aic/bin/pip install aiconfigurator==0.12.0
    Tools/planners/compare.py --cserve .build/release/cserve --aiconfigurator aic/bin/aiconfigurator

A question is a model on so many GPUs under a closed loop of clients with fixed lengths: all that AIConfigurator takes.
Nothing of it is copied; it runs as a program of its own.
"""

import argparse
import json
import re
import subprocess
import time

# model (cserve, Hugging Face), GPU (cserve, AIConfigurator), ranks, prompt, answer, clients
QUESTIONS = [
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "a100-80", "a100_sxm", 1, 1024, 128, 1),
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "a100-80", "a100_sxm", 1, 1024, 128, 16),
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "a100-80", "a100_sxm", 1, 1024, 128, 64),
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "h100", "h100_sxm", 1, 1024, 128, 16),
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "h100", "h100_sxm", 1, 1024, 128, 64),
    ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "l40s", "l40s", 1, 1024, 128, 16),
    ("llama-3.1-70b", "meta-llama/Meta-Llama-3.1-70B", "h100", "h100_sxm", 4, 2048, 256, 32),
    ("llama-3.1-70b", "meta-llama/Meta-Llama-3.1-70B", "a100-80", "a100_sxm", 4, 2048, 256, 32),
    ("qwen3-32b", "Qwen/Qwen3-32B", "h100", "h100_sxm", 2, 1024, 512, 32),
]


def run(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr, time.perf_counter() - start, done.returncode


def ask_cserve(binary, question):
    model, _, gpu, _, ranks, prompt, answer, clients = question
    text, seconds, code = run([
        binary, "simulate", "--model", model, "--on", f"{ranks}x{gpu}", "--tp", str(ranks), "--engine", "vllm", "--workload",
        f"{prompt}/{answer}", "--concurrency", str(clients), "--json"])
    if code:
        return {"problem": text.strip().splitlines()[0][:80]}, seconds
    figures = json.loads(text)[0]["prediction"]
    return {
        "ttft": figures["ttft"]["mean_ms"]["value"], "tpot": figures["tpot"]["mean_ms"]["value"],
        "tokens": figures["output_tokens_per_s"]["value"]}, seconds


def ask_aiconfigurator(binary, question):
    _, model, _, system, ranks, prompt, answer, clients = question
    text, seconds, code = run([
        binary, "cli", "estimate", "--model-path", model, "--system", system, "--backend", "vllm", "--isl", str(prompt),
        "--osl", str(answer), "--batch-size", str(clients), "--tp-size", str(ranks), "--no-color"])
    found = {name: re.search(rf"^\s*{name}:\s+([\d.,]+)", text, re.M) for name in ("TTFT", "TPOT", "tokens/s")}
    if code or not all(found.values()):
        return {"problem": (text.strip().splitlines() or ["no answer"])[-1][:80]}, seconds
    ttft, tpot, tokens = (float(found[name][1].replace(",", "")) for name in ("TTFT", "TPOT", "tokens/s"))
    return {"ttft": ttft, "tpot": tpot, "tokens": tokens}, seconds


def cells(answer):
    if "problem" in answer:
        return [answer["problem"], "", ""]
    return [f"{answer['ttft']:.0f}", f"{answer['tpot']:.1f}", f"{answer['tokens']:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cserve", default=".build/release/cserve")
    parser.add_argument("--aiconfigurator", required=True)
    options = parser.parse_args()
    print("| model, GPUs, in/out, clients | cserve: TTFT ms | TPOT ms | out tok/s | s | AIConfigurator: TTFT ms | TPOT ms | out tok/s | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for question in QUESTIONS:
        ours, our_time = ask_cserve(options.cserve, question)
        theirs, their_time = ask_aiconfigurator(options.aiconfigurator, question)
        name = f"{question[0]}, {question[4]}x {question[2]}, {question[5]}/{question[6]}, {question[7]}"
        row = [name, *cells(ours), f"{our_time:.1f}", *cells(theirs), f"{their_time:.1f}"]
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
