#!/usr/bin/env python3
"""Compares cserve with llama.cpp and vLLM on the same machine, weights and requests, and writes docs/results/peers-cpu.md.

    python3 Benchmarks/peers/peers.py --cserve .build/release/cserve --llama LLAMA/build/bin --vllm VENV/bin/python \\
        --models FOLDER --size 160m --tests offline,closed,poisson,prefix,start,null --rounds 3 --raw peers.json

It builds and fetches nothing. FOLDER holds, per size (160m, 1.1b), checkpoints SIZE-bf16/ and SIZE-f16/ and the same weights as
SIZE-bf16.gguf, SIZE-f16.gguf, SIZE-q8_0.gguf and SIZE-q4_0.gguf: random_checkpoint.py makes the first two, llama.cpp's
convert_hf_to_gguf.py and llama-quantize the others. Peers that are not given are left out. Every run adds to the raw file, from
which the report is written anew, so that tests and sizes may come one by one.

Tests take turns: in every round each server runs alone, the others stopped (SIGSTOP), and the machine's read bandwidth is
measured before it. Medians over rounds are compared. Only Python's standard library is needed.
"""

import argparse
import asyncio
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import load
import report
import servers

# The pairs that are compared: ours and llama.cpp's weights.
TYPES = {
    "bf16": ("bf16", (), "bf16"), "f16": ("f16", (), "f16"), "int8": ("bf16", ("--quantization", "int8"), "q8_0"),
    "int4": ("bf16", ("--quantization", "int4"), "q4_0"),
}
BATCHES = "1,4,8,32"


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", flush=True)


def bandwidth(options):
    """GB/s that the machine reads now, by all threads."""
    command = [options.cserve, "bench", "kernels", "--filter", "linear f32 2048x2048 m1", "--json", "-r", "5"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found["kernels"][0]["memory_bytes_per_second"]["median"] / 1e9


# Offline: llama-bench, llama-batched-bench, cserve bench offline


def cserve_offline(options, size, kind):
    folder, flags, _ = TYPES[kind]
    command = [
        options.cserve, "bench", "offline", "--model", options.models / f"{size}-{folder}", "-p", "512", "-n", options.decode,
        "-b", BATCHES, "-r", "1", "--threads", options.threads, "--json", *flags]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip() or run.stdout.strip())
    figures = {}
    for test in json.loads(run.stdout)["tests"]:
        name = re.sub(r"^tg\d+", "tg", test["test"])
        figures[name] = {
            "tok/s": test["tokens_per_second"]["median"], "of peak": test["share_of_peak"],
            "overhead": test["overhead"]["median"], "peak": test["peak"]["median"]}
    return figures


def llama_offline(options, size, kind):
    file = options.models / f"{size}-{TYPES[kind][2]}.gguf"
    tool = pathlib.Path(options.llama)
    command = [tool / "llama-bench", "-m", file, "-p", 512, "-n", options.decode, "-t", options.threads, "-r", 1, "-o", "json"]
    rows = json.loads(subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout)
    figures = {("pp512" if row["n_prompt"] else "tg"): {"tok/s": row["avg_ts"]} for row in rows}
    command = [
        tool / "llama-batched-bench", "-m", file, "-npp", 1, "-ntg", options.decode, "-npl", "4,8,32", "-c", 8192, "-t",
        options.threads, "--output-format", "jsonl"]
    text = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            figures[f"tg b{row['pl']}"] = {"tok/s": row["speed_tg"]}
    return figures


def offline(options, size, kind):
    rounds = []
    for number in range(options.rounds):
        result = {"bandwidth": bandwidth(options)}
        for name, measure in (("cserve", cserve_offline), ("llama.cpp", llama_offline if options.llama else None)):
            if measure is None:
                continue
            try:
                result[name] = measure(options, size, kind)
                figures = ", ".join(f"{test} {f['tok/s']:.1f}" for test, f in result[name].items())
                say(f"offline {size} {kind} round {number + 1} {name}: {figures} tok/s at {result['bandwidth']:.1f} GB/s")
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                say(f"offline {size} {kind}: {name} cannot: {error}")
                result[name] = {}
        rounds.append(result)
    return rounds


# Servers


def make_servers(options, size, kind):
    folder, flags, file = TYPES[kind]
    checkpoint = options.models / f"{size}-{folder}"
    made = [servers.cserve(options, checkpoint, [*flags, "--threads", options.threads, *options.cserve_flags.split()])]
    if kind not in ("int8", "int4"):
        if options.vllm:
            made.append(servers.vllm(options, checkpoint))
        if options.llama:
            made.append(servers.llama(options, options.models / f"{size}-{file}.gguf"))
    return made


class Turns:
    """The servers of a comparison, one running at a time."""

    def __init__(self, options, made):
        self.options, self.made = options, made
        self.start_seconds = {}

    def __enter__(self):
        try:
            for server in self.made:
                self.start_seconds[server.name] = server.start()
                say(f"{server.name}: first token {self.start_seconds[server.name]:.2f} s after its start")
                server.pause()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.made:
            server.stop()

    def each(self, work):
        """Runs `work(server)` for every server in turn; the bandwidth beside each goes with its result."""
        results = {}
        for server in self.made:
            read = bandwidth(self.options)
            server.resume()
            before = server.counters()
            result = asyncio.run(work(server))
            after = server.counters()
            server.pause()
            result["bandwidth"] = read
            if after:
                spent = {key: after[key] - before[key] for key in after}
                result["steps"] = spent["steps"]
                result["overhead"] = 1 - spent["forward_microseconds"] / max(1, spent["step_microseconds"])
                result["in_steps"] = spent["step_microseconds"] / 1e6 / result["seconds"]
            results[server.name] = result
        return results


def tell(test, results):
    for name, r in results.items():
        tpot = load.percentile(r["tpot"], 50) or 0
        extra = f", outside forward passes {r['overhead']:.1%}" if "overhead" in r else ""
        say(
            f"{test} {name}: {r['output_tokens_per_second']:.1f} tok/s, TTFT P50 {load.percentile(r['ttft'], 50) * 1e3:.0f} P99 "
            f"{load.percentile(r['ttft'], 99) * 1e3:.0f} ms, TPOT P50 {tpot * 1e3:.1f} ms, {r['requests']} requests, client "
            f"{r['client_share']:.1%}, {r['retried']} retried, {r['other_lengths']} of other length{extra}; read "
            f"{r['bandwidth']:.1f} GB/s")


def closed(options, turns, label):
    """128 tokens in, 64 out, by clients."""
    found = {}
    for clients in options.clients:
        count = max(clients * options.requests_per_client, 4)
        rounds = []
        for number in range(options.rounds):
            prompts = [load.prompt((clients, number, index).__repr__(), 128) for index in range(count)]
            results = turns.each(lambda s: load.closed_loop(s.port, s.api, clients, prompts, 64))
            tell(f"closed {label}, {clients} clients, round {number + 1},", results)
            rounds.append(results)
        found[str(clients)] = rounds
    return found


def poisson(options, turns, label, capacity):
    """Poisson arrivals at a rate that the slower server bears, in blocks that the servers take in turn."""
    rate = options.rate or 0.7 * capacity / 64
    block = -(-options.requests // options.rounds)
    rounds = []
    for number in range(options.rounds):
        arrivals = load.poisson(number, rate, block)
        prompts = [load.prompt(("poisson", number, index).__repr__(), 128) for index in range(block)]
        results = turns.each(lambda s: load.open_loop(s.port, s.api, arrivals, prompts, 64))
        tell(f"poisson {label} at {rate:.2f}/s, round {number + 1},", results)
        rounds.append(results)
    return {"rate": rate, "rounds": rounds}


def prefix(options, turns, label):
    """32 clients at once behind 1000 tokens: each its own (cold), then all the same, computed before."""
    clients, length, output = 32, 1000, 16
    rounds = []
    for number in range(options.rounds):
        shared = load.prompt(("shared", number).__repr__(), length)
        cold = [load.prompt(("cold", number, index).__repr__(), length + 24) for index in range(clients)]
        warm = [load.prompt(("warm", number, index).__repr__(), length + 24, prefix=shared) for index in range(clients)]

        async def warmed(s):
            await load.ask(s.port, s.api, load.prompt(("first", number).__repr__(), length + 24, prefix=shared), 1, share=True)
            return await load.closed_loop(s.port, s.api, clients, warm, output, share=True)

        results = {
            "cold": turns.each(lambda s: load.closed_loop(s.port, s.api, clients, cold, output)), "warm": turns.each(warmed)}
        for kind, result in results.items():
            tell(f"prefix {label}, {kind}, round {number + 1},", result)
        rounds.append(results)
    return rounds


def start(options, size, kind):
    """Seconds from the start to the first token, and memory then; checkpoints are in the page cache from the first start on."""
    rounds = []
    for number in range(options.rounds + 1):
        result = {}
        for server in make_servers(options, size, kind):
            if number > 0 and server.name == "vLLM" and not options.vllm_starts:
                continue  # over a minute each time: the first is told
            seconds = server.start()
            result[server.name] = {"seconds": seconds, **server.memory()}
            server.stop()
            say(f"start {size} {kind} round {number} {server.name}: {seconds:.2f} s, peak {result[server.name]['peak_bytes'] / 1e9:.2f} GB")
        if number > 0 or not rounds:
            rounds.append(result)
    return rounds[1:] + rounds[:1]


def null(options):
    """What the client itself can take: a server that computes nothing."""
    server = servers.cserve(options, "cserve-demo", ["--device", "null"])
    with Turns(options, [server]) as turns:
        found = {}
        for clients in options.clients:
            prompts = [load.prompt(index, 128, 512) for index in range(clients * 64)]
            results = turns.each(lambda s: load.closed_loop(s.port, s.api, clients, prompts, 64))
            tell(f"null device, {clients} clients,", results)
            found[str(clients)] = [results]
    return found



def run(options, raw, save):
    size, kinds, tests = options.size, options.types, options.tests
    if "null" in tests:
        save("null", null(options))
    if "offline" in tests:
        for kind in kinds:
            save(f"offline {size} {kind}", offline(options, size, kind))
    for kind in kinds if {"closed", "poisson", "prefix"} & set(tests) else []:
        with Turns(options, make_servers(options, size, kind)) as turns:
            if "closed" in tests:
                save(f"closed {size} {kind}", closed(options, turns, f"{size} {kind}"))
            if "poisson" in tests:
                known = raw["results"].get(f"closed {size} {kind}")
                if not options.rate and not known:
                    sys.exit("poisson needs --rate, or the test closed before it to know the slower server's capacity.")
                capacity = report.slowest_capacity(known) if known else 0
                save(f"poisson {size} {kind}", poisson(options, turns, f"{size} {kind}", capacity))
            if "prefix" in tests:
                save(f"prefix {size} {kind}", prefix(options, turns, f"{size} {kind}"))
    if "start" in tests:
        for kind in kinds:
            save(f"start {size} {kind}", start(options, size, kind))


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return f"{len(os.sched_getaffinity(0))} cores of {model.group(1) if model else 'an unknown processor'}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cserve", help="the binary")
    parser.add_argument("--llama", help="llama.cpp's folder of binaries")
    parser.add_argument("--vllm", help="a Python that has vLLM")
    parser.add_argument("--models", type=pathlib.Path, help="the folder of checkpoints and GGUF files")
    parser.add_argument("--size", default="160m")
    parser.add_argument("--types", default="bf16", help=f"of {','.join(TYPES)}")
    parser.add_argument("--tests", default="offline,closed,poisson,prefix,start,null")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--decode", type=int, default=128, help="steps of the offline decode")
    parser.add_argument("--clients", default="1,4,16,32")
    parser.add_argument("--requests-per-client", type=int, default=4)
    parser.add_argument("--requests", type=int, default=1000, help="of the Poisson test, per server")
    parser.add_argument("--rate", type=float, help="arrivals a second (default: 70%% of the slower server's capacity)")
    parser.add_argument("--llama-slots", type=int, default=32, help="llama-server's -np")
    parser.add_argument("--llama-flags", default="")
    parser.add_argument("--vllm-flags", default="")
    parser.add_argument("--cserve-flags", default="")
    parser.add_argument("--vllm-starts", action="store_true", help="start vLLM in every round of the start test")
    parser.add_argument("--raw", type=pathlib.Path, default=pathlib.Path("peers.json"), help="where raw results are kept")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/results/peers-cpu.md"))
    parser.add_argument("--report-only", action="store_true", help="write the report from the raw file")
    options = parser.parse_args()
    options.tests, options.types = options.tests.split(","), options.types.split(",")
    options.clients = [int(number) for number in options.clients.split(",")]
    if not options.report_only and not (options.cserve and options.models):
        parser.error("--cserve and --models are needed")
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that no server is left behind
    raw = json.loads(options.raw.read_text()) if options.raw.exists() else {"results": {}}

    def save(key, value):
        raw["results"][key] = value
        raw["machine"], raw["date"] = machine(), f"{datetime.date.today()}"
        options.raw.write_text(json.dumps(raw))

    if not options.report_only:
        run(options, raw, save)
    options.out.write_text(report.write(raw))
    say(f"report written to {options.out}")


if __name__ == "__main__":
    main()
