#!/usr/bin/env python3
"""Compares cserve with llama.cpp and vLLM on the same machine, weights and requests, and writes docs/results/peers-cpu.md.

    alias peers='python3 Benchmarks/peers/peers.py --cserve .build/release/cserve --llama LLAMA/build/bin \\
        --vllm VENV/bin/python --models MODELS --raw RESULTS'
    peers run --only offline-1.1b --types bf16,f16,int8,int4 --rounds 2
    peers start --size 160m                         # vLLM takes more than a minute
    peers run --only closed-160m --clients 1,4 --rounds 2
    peers run --only poisson-160m --requests 250    # again for the next 250 requests of the same list
    peers run --only prefix-160m
    peers run --only overhead-160m --servers cserve
    peers stop
    peers run --only start-1.1b --servers cserve,llama
    peers report --out docs/results/peers-cpu.md

It builds and fetches nothing. MODELS holds, per size (160m, 1.1b), checkpoints SIZE-bf16/ and SIZE-f16/ and the same weights as
SIZE-bf16.gguf, SIZE-f16.gguf, SIZE-q8_0.gguf and SIZE-q4_0.gguf: random_checkpoint.py makes the first two, llama.cpp's
convert_hf_to_gguf.py and llama-quantize the others. Peers that are not given are left out.

`start` starts servers, stops them (SIGSTOP) and leaves them for later calls; `run` measures one segment over some rounds and
keeps it as a JSON file of RESULTS; `report` makes the page from all of them. In every round each program runs alone, the others
stopped, and the machine's read bandwidth is measured before it. Calls can be kept short: --limit ends one after the round that
would reach so many seconds, and the next call goes on. Only Python's standard library is needed.
"""

import argparse
import asyncio
import datetime
import hashlib
import json
import os
import pathlib
import re
import signal
import sys
import time

import load
import report
import segments
import servers
from segments import say


SETTLED = 4  # seconds for what a server does behind its start, before it is stopped


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name, family, model = ((re.search(rf"^{key}\s*: (.*)$", text, re.M) or [0, "?"])[1] for key in ("model name", "cpu family", "model"))
    return f"{len(os.sched_getaffinity(0))} cores of {name} (family {family}, model {model})"


def fingerprint(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()[:12]


def kept(folder):
    """All results of the folder, oldest first."""
    return sorted((json.loads(file.read_text()) for file in folder.glob("*.raw.json")), key=lambda result: result["date"])


def warm_up(server):
    """As many requests as there may be clients, so that nothing is compiled or allocated while it is measured."""
    prompts = [load.prompt(("warm-up", index).__repr__(), segments.PROMPT) for index in range(32)]
    asyncio.run(load.closed_loop(server.port, server.api, 32, prompts, 8))


def registry(options):
    """The servers that earlier calls left behind, with their sizes."""
    file = options.raw / "servers.json"
    return json.loads(file.read_text()) if file.exists() else []


def register(options, known):
    (options.raw / "servers.json").write_text(json.dumps(known, indent=1))


def from_record(one):
    return servers.Server(**{key: value for key, value in one.items() if key != "size"})


def is_of(one, server, size):
    return (one["name"], one["size"]) == (server.name, size)


def start(options):
    """Starts the servers of one size and leaves them stopped, known to later calls by servers.json."""
    for server in segments.make_servers(options, options.size):
        for one in registry(options):
            if is_of(one, server, options.size):
                from_record(one).stop()
        server.log = str(options.raw / f"{server.name}-{options.size}.log")
        try:
            seconds = server.start()
            say(f"{server.name}: first token {seconds:.2f} s after its start")
            warm_up(server)
            time.sleep(SETTLED)
        except BaseException:
            server.stop()
            raise
        server.pause()
        others = [one for one in registry(options) if not is_of(one, server, options.size)]
        register(options, others + [{**server.record(), "size": options.size}])


def running(options, size):
    found = [from_record(one) for one in registry(options) if one["size"] == size]
    gone = [server.name for server in found if not server.alive()]
    if gone or not found:
        sys.exit(f"Not running: {', '.join(gone) or 'any server of ' + size}. First: peers.py start --size {size}")
    return found


def stop(options):
    """Ends the servers that --servers names, or all."""
    left = []
    for one in registry(options):
        if segments.chosen(options, one["name"]):
            from_record(one).stop()
            say(f"{one['name']} {one['size']} ended")
        else:
            left.append(one)
    register(options, left)


def run(options):
    """Measures one segment; what it has so far is in its file after every round."""
    test, size = options.only.split("-", 1) if "-" in options.only else (options.only, "")
    earlier = [one for one in kept(options.raw) if one["segment"] == options.only]
    rounds = [one for result in earlier for one in result["rounds"]]
    first = options.first if options.first is not None else len(rounds)
    if test == "poisson":
        options.rate = options.rate or next((one["rate"] for one in rounds), None) or report.rate(kept(options.raw), size)
        if not options.rate:
            sys.exit(f"poisson needs --rate, or closed-{size} with 32 clients before it to know the slower server's capacity.")
    raw = {
        "segment": options.only, "date": f"{datetime.datetime.now():%Y-%m-%d %H:%M}", "machine": machine(),
        "arguments": sys.argv[1:], "cserve": fingerprint(options.cserve), "rounds": []}
    file = options.raw / f"{options.only}-{datetime.datetime.now():%Y%m%d-%H%M%S}.raw.json"
    began, longest, last = time.monotonic(), 0, time.monotonic()
    arguments = (options, size, first)
    if test in segments.SERVED:
        rounds = segments.SERVED[test](*arguments, segments.Turns(options, running(options, size)))
    else:
        rounds = segments.ALONE[test](*arguments)
    for one in rounds:
        raw["rounds"].append(one)
        file.write_text(json.dumps(raw))
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        if now - began + longest > options.limit:
            say(f"ends after {now - began:.0f} s")
            break


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("start", "run", "stop", "report"))
    parser.add_argument("--raw", type=pathlib.Path, required=True, help="the folder of raw results and running servers")
    parser.add_argument("--cserve", help="the binary")
    parser.add_argument("--llama", help="llama.cpp's folder of binaries")
    parser.add_argument("--vllm", help="a Python that has vLLM")
    parser.add_argument("--models", type=pathlib.Path, help="the folder of checkpoints and GGUF files")
    parser.add_argument("--only", help=f"what to run: one of {', '.join([*segments.ALONE, *segments.SERVED])}, then -SIZE")
    parser.add_argument("--size", default="160m", help="of the servers to start")
    parser.add_argument("--servers", default="", help="only those whose name begins so: cserve, cserve-int8, llama, llama-np32, vllm")
    parser.add_argument("--types", default="bf16", help=f"of {','.join(segments.TYPES)}")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--first", type=int, help="number of the first round (default: where the folder's results end)")
    parser.add_argument("--limit", type=float, default=270, help="seconds after which no round begins")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--decode", type=int, default=24, help="steps of the offline decode")
    parser.add_argument("--batches", default="1,32", help="of the offline decode")
    parser.add_argument("--clients", default="1,4,16,32")
    parser.add_argument("--requests-per-client", type=float, default=4)
    parser.add_argument("--requests", type=int, default=250, help="of a round of the Poisson test, per server")
    parser.add_argument("--rate", type=float, help="arrivals a second (default: 70%% of the slower server's capacity)")
    parser.add_argument("--llama-slots", default="32", help="llama-server's -np; a server for each, the best counts")
    parser.add_argument("--llama-flags", default="")
    parser.add_argument("--vllm-cores", default=f"0-{len(os.sched_getaffinity(0)) - 1}", help="VLLM_CPU_OMP_THREADS_BIND")
    parser.add_argument("--vllm-preload", help="libraries for LD_PRELOAD: Intel's OpenMP, tcmalloc")
    parser.add_argument("--vllm-flags", default="")
    parser.add_argument("--cserve-flags", default="")
    parser.add_argument("--about", action="append", default=[], help="a line for the report's head, such as the peers' versions")
    parser.add_argument("--notes", type=pathlib.Path, help="Markdown to put at the report's end")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/results/peers-cpu.md"))
    options = parser.parse_args()
    options.types = options.types.split(",")
    options.servers = [part for part in options.servers.split(",") if part]
    options.clients = [int(number) for number in options.clients.split(",")]
    options.llama_slots = [int(number) for number in options.llama_slots.split(",")]
    if options.step in ("start", "run") and not (options.cserve and options.models):
        parser.error("--cserve and --models are needed")
    if options.step == "run" and (options.only or "").split("-")[0] not in {**segments.ALONE, **segments.SERVED}:
        parser.error("--only names no segment")
    return options


def main():
    options = arguments()
    options.raw.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that no server is left running
    if options.step == "report":
        notes = "\n" + options.notes.read_text() if options.notes else ""
        options.out.write_text(report.write(kept(options.raw), options.about) + notes)
        say(f"report written to {options.out}")
    else:
        {"start": start, "run": run, "stop": stop}[options.step](options)


if __name__ == "__main__":
    main()
