"""Tokens per second and per step with and without prompt-lookup drafts, on the built-in model.

python speculation.py .build/release/cserve --rounds 5
Both servers run beside each other and answer in turn; every answer must be the same from both.
"""

import argparse
import concurrent.futures
import json
import re
import statistics
import subprocess
import time
import urllib.request

FUNCTION = """def total(items):
    result = 0
    for item in items:
        result = result + item.price * item.count
    return result
"""
PROMPTS = {
    "repeats (a function to be copied)": "Copy this code:\n" + FUNCTION * 6,
    "chat (a question, answer to its end)": None,
}
QUESTIONS = ["What is CServe?", "What does TTFT mean?", "What is a KV cache?", "What is a block table?"]


class Server:
    def __init__(self, binary, flags):
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--disable-access-log", "--no-enable-prefix-caching", *flags], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if found := re.search(r"Listening on (\S+)", line):
                self.url = found[1]
            if line.startswith("Ready"):
                return
        raise SystemExit("the server did not start")

    def post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    def counter(self, name):
        text = urllib.request.urlopen(self.url + "/metrics").read().decode()
        found = re.search(rf"^{name}_total\S* ([\d.e+]+)$", text, re.M)
        return float(found[1]) if found else 0

    def answers(self, prompt, clients, tokens):
        """Output tokens per second, tokens per branch and step, and the texts."""

        def ask(number):
            common = {"temperature": 0, "max_tokens": tokens}
            if prompt:
                return self.post("/v1/completions", common | {"prompt": f"{number} " + prompt, "ignore_eos": True})
            question = QUESTIONS[number % len(QUESTIONS)]
            return self.post("/v1/chat/completions", common | {"messages": [{"role": "user", "content": question}]})

        steps, start = self.counter("cserve:steps"), time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            answers = list(pool.map(ask, range(clients)))
        seconds = time.monotonic() - start
        steps = self.counter("cserve:steps") - steps
        count = sum(answer["usage"]["completion_tokens"] for answer in answers)
        texts = [choice.get("text") or choice["message"]["content"] for a in answers for choice in a["choices"]]
        return count / seconds, count / steps / clients, texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--flags", nargs="*", default=[], help="further flags of the server with drafts, without --")
    options = parser.parse_args()
    flags = ["--spec-proposer", "ngram", *(f"--{flag}" for flag in options.flags)]
    servers = [Server(options.binary, []), Server(options.binary, flags)]
    print("| prompt | clients | tokens/s without | with | ratio | tokens per step without | with | drafts accepted |")
    print("|---|---|---|---|---|---|---|---|")
    for name, prompt in PROMPTS.items():
        for clients in (1, 8):
            runs = [[], []]
            names = ["vllm:spec_decode_num_draft_tokens", "vllm:spec_decode_num_accepted_tokens"]
            before = [servers[1].counter(counter) for counter in names]
            for _ in range(options.rounds):
                for server, results in zip(servers, runs):
                    results.append(server.answers(prompt, clients, options.tokens))
            drafted, accepted = (servers[1].counter(c) - b for c, b in zip(names, before))
            if any(left[2] != right[2] for left, right in zip(*runs)):
                raise SystemExit("drafts changed an answer")
            speed = [statistics.median(run[0] for run in results) for results in runs]
            ratio = statistics.median(right[0] / left[0] for left, right in zip(*runs))
            step = [statistics.median(run[1] for run in results) for results in runs]
            share = f"{accepted / drafted:.0%} of {drafted:.0f}" if drafted else "none"
            print(
                f"| {name} | {clients} | {speed[0]:.0f} | {speed[1]:.0f} | {ratio:.2f} | {step[0]:.2f} | {step[1]:.2f} "
                f"| {share} |", flush=True)
    for server in servers:
        server.process.terminate()
        server.process.wait()


if __name__ == "__main__":
    main()
