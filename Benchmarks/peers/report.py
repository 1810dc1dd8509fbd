"""Writes the comparison as Markdown: medians of rounds, ratios, and the goals beside them."""

import load

# Goals of the CPU backend on two cores of Zen 4 with AVX512-BF16 and VNNI: ratios against the better peer.
OFFLINE_GOALS = {
    "pp512": {"bf16": 1.25, "f16": 1.3, "int8": 3.5, "int4": 2.5}, "tg": {"bf16": 1.0, "f16": 1.2, "int8": 1.2, "int4": 1.2},
    "tg b32": {"bf16": 1.5, "int8": 3, "int4": 1.5}}
GOAL_SIZE = "1.1b"
CLOSED_GOALS = {"160m bf16": {"1": 1.3, "4": 1.5, "16": 1.4, "32": 1.4}, "1.1b bf16": {"32": 1.1}, "1.1b int8": {"32": 1.8}}
LLAMA_TYPES = {"bf16": "bf16", "f16": "f16", "int8": "q8_0", "int4": "q4_0"}


def median(values):
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def figure(value, digits=3):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def ratio(value, goal=None, less=False):
    if value is None:
        return "-"
    if goal is None:
        return f"{value:.2f} x"
    reached = value <= goal if less else value >= goal
    return f"{value:.2f} x ({'reached' if reached else 'missed'}: {'at most' if less else 'at least'} {goal:g})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def over_rounds(rounds, server, pick):
    return median([pick(r[server]) for r in rounds if r.get(server)])


def speed(result):
    return result["output_tokens_per_second"]


def at(key, share):
    def pick(result):
        value = load.percentile(result[key], share)
        return None if value is None else value * 1e3
    return pick


def names(rounds):
    return list(rounds[0])


def slowest_capacity(closed):
    """Output tokens per second of the slowest server at the most clients."""
    rounds = closed[max(closed, key=int)]
    return min(over_rounds(rounds, name, speed) for name in names(rounds))


def split(key):
    _, size, kind = key.split()
    return size, kind


def offline(results):
    rows = []
    for key, rounds in results:
        size, kind = split(key)
        ours = next((r["cserve"] for r in rounds if r.get("cserve")), {})
        for test in ours:
            def value(name, what="tok/s"):
                return median([r.get(name, {}).get(test, {}).get(what) for r in rounds])
            mine, theirs = value("cserve"), value("llama.cpp")
            goal = OFFLINE_GOALS.get(test, {}).get(kind) if size == GOAL_SIZE else None
            peak = value("cserve", "of peak")
            unit = "GFLOP/s" if test.startswith("pp") else "GB/s"
            rows.append([
                size, f"{kind} / {LLAMA_TYPES[kind]}", test, figure(mine), figure(theirs),
                ratio(mine / theirs if mine and theirs else None, goal), f"{peak:.0%} of {value('cserve', 'peak') / 1e9:.1f} {unit}",
                f"{value('cserve', 'overhead'):.1%}", figure(median([r["bandwidth"] for r in rounds]))])
    head = ["model", "cserve / llama.cpp", "test", "cserve tok/s", "llama.cpp tok/s", "ratio (goal)", "cserve reaches", "outside forward pass", "read GB/s"]
    return [
        "## Offline", "", "`cserve bench offline` beside llama-bench (pp512, tg) and llama-batched-bench (tg of a batch). llama.cpp's figures",
        "leave sampling out, ours take greedy sampling in.", "", *table(head, rows)]


def closed(results, everything):
    lines = ["## Servers, closed loop", "", "128 tokens in, 64 out, greedy; a client asks again as soon as it is answered.", ""]
    rows = []
    for key, levels in results:
        size, kind = split(key)
        for clients, rounds in levels.items():
            speeds = {name: over_rounds(rounds, name, speed) for name in names(rounds)}
            peers = {name: value for name, value in speeds.items() if name != "cserve"}
            note = ""
            if not peers and kind != "bf16":  # coded weights are held against the better bf16 server
                other = everything.get(f"closed {size} bf16", {}).get(clients)
                if other:
                    peers, note = {n: over_rounds(other, n, speed) for n in names(other) if n != "cserve"}, " (bf16)"
            better = max(peers.values(), default=None)
            goal = CLOSED_GOALS.get(f"{size} {kind}", {}).get(clients)
            for name in names(rounds):
                overhead = over_rounds(rounds, name, lambda r: r.get("overhead"))
                rows.append([
                    f"{size} {kind}", clients, name, figure(speeds[name]),
                    ratio(speeds[name] / better, goal) + note if name == "cserve" and better else "",
                    *(figure(over_rounds(rounds, name, at(*what))) for what in (("ttft", 50), ("ttft", 99), ("tpot", 50), ("tpot", 99))),
                    "" if overhead is None else f"{overhead:.1%}", figure(over_rounds(rounds, name, lambda r: r["bandwidth"]))])
    head = ["model", "clients", "server", "output tok/s", "against the better peer (goal)", "TTFT P50 ms", "P99", "TPOT P50 ms", "P99", "steps' time outside forward passes", "read GB/s"]
    return lines + table(head, rows)


def pooled(rounds, name, key, share):
    values = [value for r in rounds if r.get(name) for value in r[name][key]]
    found = load.percentile(values, share)
    return None if found is None else found * 1e3


def poisson(results):
    lines = ["## Servers, Poisson arrivals", "", "128 tokens in, 64 out. The servers take blocks of the same arrivals in turn; percentiles are over all of a server's requests.", ""]
    rows = []
    for key, found in results:
        size, kind = split(key)
        rounds = found["rounds"]
        servers = names(rounds)
        figures = {n: {w: pooled(rounds, n, *w) for w in (("ttft", 50), ("ttft", 99), ("tpot", 50), ("tpot", 99))} for n in servers}
        for name in servers:
            count = sum(len(r[name]["ttft"]) for r in rounds)
            cells = []
            for what, value in figures[name].items():
                best = min((figures[n][what] for n in servers if n != "cserve"), default=None)
                goal = (0.5 if what[0] == "ttft" else 1.0) if size == "160m" else None
                against = f", {ratio(value / best, goal, less=True)}" if name == "cserve" and best else ""
                cells.append(figure(value) + against)
            rows.append([f"{size} {kind}", f"{found['rate']:.2f}", name, f"{count}", *cells])
    return lines + table(["model", "requests/s", "server", "requests", "TTFT P50 ms", "TTFT P99 ms", "TPOT P50 ms", "TPOT P99 ms"], rows)


def prefix(results):
    lines = ["## Shared prefix", "", "32 clients at once, 1,024 tokens in, 16 out. Cold: 1,024 tokens of their own. Warm: the first 1,000 the same for all and computed before.", ""]
    rows = []
    for key, rounds in results:
        for name in rounds[0]["cold"]:
            cold, warm = (median([at("ttft", 50)(r[kind][name]) for r in rounds]) for kind in ("cold", "warm"))
            goal = 0.2 if name == "cserve" else None
            rows.append([" ".join(split(key)), name, figure(cold), figure(warm), ratio(warm / cold, goal, less=True)])
    return lines + table(["model", "server", "TTFT P50 cold, ms", "warm, ms", "warm / cold (goal)"], rows)


def start(results):
    lines = ["## Start", "", "From the start of the process to the first token of a first request, the checkpoint in the page cache; goal: under 2 s for 1.1b bf16. Memory right then.", ""]
    rows = []
    for key, rounds in results:
        for name in sorted({name for r in rounds for name in r}):
            picked = [r[name] for r in rounds if name in r]
            rows.append([
                " ".join(split(key)), name, f"{median([p['seconds'] for p in picked]):.2f}",
                f"{median([p['peak_bytes'] for p in picked]) / 1e9:.2f}", f"{median([p['private_bytes'] for p in picked]) / 1e9:.2f}"])
    return lines + table(["model", "server", "seconds", "peak resident GB", "private GB"], rows)


def null(levels):
    rows = []
    for clients, rounds in levels.items():
        result = rounds[0]["cserve"]
        rows.append([clients, figure(speed(result)), f"{result['client_share']:.0%} of a core"])
    text = ["## The client itself", "", "Against the Null device, which computes nothing: what one client process can take, far above every figure here.", ""]
    return text + table(["clients", "tok/s", "client's processor time"], rows)


def write(raw):
    results = raw["results"]

    def of(test):
        return [(key, value) for key, value in results.items() if key.split()[0] == test]

    lines = [
        "# CServe beside llama.cpp and vLLM on the CPU", "",
        "Same machine, same weights (random, in the shapes of Llama 160M and TinyLlama 1.1B), same requests as token ids. In every",
        "round each program runs alone while the others are stopped; figures are medians over rounds, with the machine's read",
        "bandwidth measured beside each. Under 1.3x between runs minutes apart is no difference on a shared host.", "",
        f"- Machine: {raw.get('machine', '-')}", f"- Date: {raw.get('date', '-')}",
        "- Command: `Benchmarks/peers/peers.py` (its head says how; `--tests` and `--size` choose)", ""]
    sections = [(offline, "offline"), (poisson, "poisson"), (prefix, "prefix"), (start, "start")]
    for section, test in sections:
        if of(test):
            lines += section(of(test))
        if test == "offline" and of("closed"):
            lines += closed(of("closed"), results)
    if results.get("null"):
        lines += null(results["null"])
    return "\n".join(lines).rstrip() + "\n"
