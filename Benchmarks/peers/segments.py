"""What is measured: each segment is a generator of rounds, so that a call may end between any two of them."""

import asyncio
import datetime
import json
import os
import pathlib
import re
import subprocess

import load
import servers

# The pairs that are compared: our checkpoint and flags, and llama.cpp's type.
TYPES = {
    "bf16": ("bf16", (), "bf16"), "f16": ("f16", (), "f16"), "int8": ("bf16", ("--quantization", "int8"), "q8_0"),
    "int4": ("bf16", ("--quantization", "int4"), "q4_0"),
}
OUTPUT = 64  # tokens of an answer in closed and open loops, behind prompts of so many:
PROMPT = 128


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", flush=True)


def bandwidth(options):
    """GB/s that the machine reads now, by all threads."""
    command = [options.cserve, "bench", "kernels", "--filter", "linear f32 2048x2048 m1", "--json", "-r", "5"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found["kernels"][0]["memory_bytes_per_second"]["median"] / 1e9


# Offline: cserve bench offline, llama-bench, llama-batched-bench


def output_of(command):
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(str(part) for part in command)}\n{run.stderr.strip()[-2000:] or run.stdout.strip()[-2000:]}")
    return run.stdout


def cserve_offline(options, size, kind):
    folder, flags, _ = TYPES[kind]
    text = output_of([
        options.cserve, "bench", "offline", "--model", options.models / f"{size}-{folder}", "-p", "512", "-n", options.decode,
        "-b", options.batches, "-r", "1", "--threads", options.threads, "--json", *flags])
    figures = {}
    for test in json.loads(text)["tests"]:
        name = re.sub(r"^tg\d+", "tg", test["test"])
        figures[name] = {
            "tok/s": test["tokens_per_second"]["median"], "of peak": test["share_of_peak"],
            "overhead": test["overhead"]["median"], "peak": test["peak"]["median"]}
    return figures


def llama_offline(options, size, kind):
    file, tool = options.models / f"{size}-{TYPES[kind][2]}.gguf", pathlib.Path(options.llama)
    text = output_of([
        tool / "llama-bench", "-m", file, "-p", 512, "-n", options.decode, "-t", options.threads, "-r", 1, "-o", "json"])
    figures = {("pp512" if row["n_prompt"] else "tg"): {"tok/s": row["avg_ts"]} for row in json.loads(text)}
    batches = [batch for batch in options.batches.split(",") if batch != "1"]
    if not batches:
        return figures
    text = output_of([
        tool / "llama-batched-bench", "-m", file, "-npp", 16, "-ntg", options.decode, "-npl", ",".join(batches), "-c", 8192, "-t",
        options.threads, "--output-format", "jsonl"])
    for line in text.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            figures[f"tg b{row['pl']}"] = {"tok/s": row["speed_tg"]}
    return figures


def offline(options, size, first):
    programs = {"cserve": cserve_offline}
    if options.llama:
        programs["llama.cpp"] = llama_offline
    for number in range(first, first + options.rounds):
        for kind in options.types:
            result = {"kind": kind, "bandwidth": bandwidth(options), "results": {}}
            for name in in_turn(list(programs), number):
                result["results"][name] = programs[name](options, size, kind)
                figures = ", ".join(f"{test} {f['tok/s']:.1f}" for test, f in result["results"][name].items())
                say(f"offline {size} {kind} {name}: {figures} tok/s at {result['bandwidth']:.1f} GB/s")
            yield result


# Servers


def in_turn(things, number):
    """Another one goes first in every round."""
    shift = number % len(things)
    return things[shift:] + things[:shift]


def make_servers(options, size):
    """The servers that the options name; cserve once for each type, the others in bf16."""
    made = []
    for kind in options.types:
        folder, flags, _ = TYPES[kind]
        made.append(servers.cserve(options, options.models / f"{size}-{folder}", kind, [*flags, "--threads", options.threads]))
    if options.vllm:
        made.append(servers.vllm(options, options.models / f"{size}-bf16"))
    if options.llama:
        made += [servers.llama(options, options.models / f"{size}-bf16.gguf", slots) for slots in options.llama_slots]
    return [server for server in made if chosen(options, server.name)]


def chosen(options, name):
    return not options.servers or any(name.startswith(part) for part in options.servers)


def busy_seconds():
    """Processor time that all programs together have taken, and that the host has taken from this machine."""
    ticks = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _, _, interrupt, soft, stolen = (tick / os.sysconf("SC_CLK_TCK") for tick in ticks)
    return user + nice + system + interrupt + soft, stolen


class Turns:
    """Servers that are running, all but one of them stopped at any time."""

    def __init__(self, options, running):
        self.options = options
        self.running = [server for server in running if chosen(options, server.name)]

    def each(self, work, number):
        """Runs `work(server)` for every server in turn; what it spent and the bandwidth beside it go with its result."""
        results = {}
        for server in in_turn(self.running, number):
            read = bandwidth(self.options)
            server.resume()
            try:
                asyncio.run(load.ask(server.port, server.api, load.prompt(("wake", number).__repr__(), 8, 512), 4))
                before, threads, (busy, stolen) = server.counters(), server.threads(), busy_seconds()
                result = asyncio.run(work(server))
                (busier, taken), later, after = busy_seconds(), server.threads(), server.counters()
            finally:
                server.pause()
            result["bandwidth"], result["cores"] = read, self.options.threads
            result["threads"] = sorted((later[name] - threads.get(name, 0) for name in later), reverse=True)[:64]
            result.update({key: after[key] - before[key] for key in after})
            own = sum(later[name] - threads.get(name, 0) for name in later) + result["client_share"] * result["seconds"]
            room = self.options.threads * result["seconds"]
            result["others"], result["stolen"] = (busier - busy - own) / room, (taken - stolen) / room
            results[server.name] = result
        return results


def tell(test, results):
    for name, r in results.items():
        tpot = load.percentile(r["tpot"], 50) or 0
        extra = f", outside forward passes {1 - r['forward_microseconds'] / max(1, r['step_microseconds']):.1%}" if "steps" in r else ""
        say(
            f"{test} {name}: {r['output_tokens_per_second']:.1f} tok/s, TTFT P50 {load.percentile(r['ttft'], 50) * 1e3:.0f} P99 "
            f"{load.percentile(r['ttft'], 99) * 1e3:.0f} ms, TPOT P50 {tpot * 1e3:.1f} ms, {r['requests']} requests, client "
            f"{r['client_share']:.1%}, other programs {r['others']:.1%}, host {r['stolen']:.1%}, {r['retried']} retried, {r['other_lengths']} of other length{extra}; read "
            f"{r['bandwidth']:.1f} GB/s")


def closed(options, size, first, turns):
    """128 tokens in, 64 out, by clients that ask again at once."""
    for number in range(first, first + options.rounds):
        for clients in options.clients:
            count = max(round(clients * options.requests_per_client), 4)
            prompts = [load.prompt((clients, number, index).__repr__(), PROMPT) for index in range(count)]
            results = turns.each(lambda s: load.closed_loop(s.port, s.api, clients, prompts, OUTPUT), number)
            tell(f"closed {size}, {clients} clients,", results)
            yield {"clients": clients, "results": results}


def poisson(options, size, first, turns):
    """Poisson arrivals: every round is the next part of one list of requests, the same for every server."""
    for number in range(first, first + options.rounds):
        arrivals = load.poisson(number, options.rate, options.requests)
        prompts = [load.prompt(("poisson", number, index).__repr__(), PROMPT) for index in range(options.requests)]
        results = turns.each(lambda s: load.open_loop(s.port, s.api, arrivals, prompts, OUTPUT), number)
        tell(f"poisson {size} at {options.rate:.2f}/s,", results)
        yield {"rate": options.rate, "results": results}


def prefix(options, size, first, turns):
    """32 clients at once behind 1000 tokens: each its own (cold), then all the same, computed before."""
    clients, length, output = 32, 1000, 16
    for number in range(first, first + options.rounds):
        shared = load.prompt(("shared", number).__repr__(), length)
        cold = [load.prompt(("cold", number, index).__repr__(), length + 24) for index in range(clients)]
        warm = [load.prompt(("warm", number, index).__repr__(), length + 24, prefix=shared) for index in range(clients)]

        async def warmed(s):
            await load.ask(s.port, s.api, load.prompt(("first", number).__repr__(), length + 24, prefix=shared), 1, share=True)
            return await load.closed_loop(s.port, s.api, clients, warm, output, share=True)

        results = {
            "cold": turns.each(lambda s: load.closed_loop(s.port, s.api, clients, cold, output), number),
            "warm": turns.each(warmed, number)}
        for kind, result in results.items():
            tell(f"prefix {size}, {kind},", result)
        yield results


def overhead(options, size, first, turns):
    """32 requests that decode together for 256 steps: what a step costs beside its forward pass."""
    for number in range(first, first + options.rounds):
        prompts = [load.prompt(("overhead", number, index).__repr__(), 16) for index in range(32)]
        results = turns.each(lambda s: load.closed_loop(s.port, s.api, 32, prompts, 256), number)
        tell(f"overhead {size},", results)
        yield {"results": results}


def start(options, size, first):
    """Seconds from the start to the first token, and memory then; the checkpoint has been read before."""
    for number in range(first, first + options.rounds):
        made = make_servers(options, size)
        bytes_read = {server.name: weights(server) for server in made}
        results = {}
        for server in in_turn(made, number):
            seconds = server.start()
            results[server.name] = {"seconds": seconds, "weights_bytes": bytes_read[server.name], **server.memory()}
            server.stop()
            say(f"start {size} {server.name}: {seconds:.2f} s, peak {results[server.name]['peak_bytes'] / 1e9:.2f} GB")
        yield {"results": results, "kv_bytes": servers.KV_BYTES}


def weights(server):
    """Reads the model's files, so that they are in the page cache; returns their bytes."""
    model = pathlib.Path(next(part for flag, part in zip(server.command, server.command[1:]) if flag in ("--model", "-m")))
    size = 0
    for file in [model] if model.is_file() else model.glob("*.safetensors"):
        with open(file, "rb", buffering=0) as content:
            while part := content.read(1 << 24):
                size += len(part)
    return size


def null(options, _, first):
    """What the client itself can take: a server that computes nothing."""
    server = servers.cserve(options, "cserve-demo", "null", ["--device", "null"])
    server.start()
    try:
        turns = Turns(options, [server])
        turns.running = [server]
        for clients in options.clients:
            prompts = [load.prompt(index, PROMPT, 512) for index in range(clients * 64)]
            results = turns.each(lambda s: load.closed_loop(s.port, s.api, clients, prompts, OUTPUT), first)
            tell("null device,", results)
            yield {"clients": clients, "results": results}
    finally:
        server.stop()


# Those with running servers take them as a last argument.
ALONE = {"offline": offline, "start": start, "null": null}
SERVED = {"closed": closed, "poisson": poisson, "prefix": prefix, "overhead": overhead}
