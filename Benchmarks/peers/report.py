"""Writes the comparison as Markdown: medians of rounds, ratios, and the goals beside them."""

import load

# Goals of the CPU backend on two cores of Zen 4 with AVX512-BF16 and VNNI: ratios against the better peer.
OFFLINE_GOALS = {
    "pp512": {"bf16": 1.25, "f16": 1.3, "int8": 3.5, "int4": 2.5}, "tg": {"bf16": 1.0, "f16": 1.2, "int8": 1.2, "int4": 1.2},
    "tg b32": {"bf16": 1.5, "int8": 3, "int4": 1.5}}
GOAL_SIZE = "1.1b"
BANDWIDTH_GOAL = 0.85  # of the read bandwidth, decode of one
CLOSED_GOALS = {
    ("160m", "cserve-bf16"): {1: 1.3, 4: 1.5, 16: 1.4, 32: 1.4}, ("1.1b", "cserve-bf16"): {32: 1.1}, ("1.1b", "cserve-int8"): {32: 1.8}}
TTFT_GOAL, PREFIX_GOAL, START_GOAL, MEMORY_GOAL, OVERHEAD_GOAL = 0.5, 0.2, 2.0, 1.15, 0.03
DISTURBED = 0.05  # of all cores' time, taken by other programs than server and client
POISSON_LOAD = 0.7  # of the slower server's capacity
LLAMA_TYPES = {"bf16": "bf16", "f16": "f16", "int8": "q8_0", "int4": "q4_0"}
TIMES = (("ttft", 50), ("ttft", 99), ("tpot", 50), ("tpot", 99))


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
    return f"{value:.2f} x ({'reached' if reached else '**missed**'}: {'at most' if less else 'at least'} {goal:g})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def is_ours(name):
    return name.startswith("cserve")


def segments(kept, test):
    """Rounds of a test by size, all files together."""
    found = {}
    for result in kept:
        name, _, size = result["segment"].partition("-")
        if name == test:
            found.setdefault(size, []).extend(undisturbed(one) for one in result["rounds"])
    return found


def undisturbed(one):
    """A round without the turns in which other programs took part of the machine."""
    def calm(results):
        return {name: result for name, result in results.items() if not result.get("others", 0) > DISTURBED}

    return {key: calm(value) if key in ("results", "cold", "warm") else value for key, value in one.items()}


def names(results):
    """Servers in the order of their first appearance, ours first."""
    seen = list(dict.fromkeys(name for one in results for name in one))
    return sorted(seen, key=lambda name: not is_ours(name))


def over_rounds(results, server, pick):
    return median([pick(one[server]) for one in results if server in one])


def speed(result):
    return result["output_tokens_per_second"]


def at(key, share):
    def pick(result):
        value = load.percentile(result[key], share)
        return None if value is None else value * 1e3
    return pick


def pooled(results, name, key, share):
    value = load.percentile([time for one in results if name in one for time in one[name][key]], share)
    return None if value is None else value * 1e3


def capacities(kept, size, clients=32):
    """Output tokens a second of every program with so many clients; the best of llama-server's numbers of slots."""
    results = [one["results"] for one in segments(kept, "closed").get(size, []) if one["clients"] == clients]
    found = {}
    for name in names(results):
        program = name.split("-")[0] if not is_ours(name) else name
        found[program] = max(found.get(program, 0), over_rounds(results, name, speed))
    return found


def rate(kept, size):
    """Requests a second at 70% of the slower server's capacity."""
    found = [value for name, value in capacities(kept, size).items() if name in ("cserve-bf16", "llama", "vllm")]
    return POISSON_LOAD * min(found) / 64 if found else None


def offline(kept):
    rows = []
    for size, rounds in segments(kept, "offline").items():
        for kind in dict.fromkeys(one["kind"] for one in rounds):
            picked = [one for one in rounds if one["kind"] == kind]
            for test in dict.fromkeys(test for one in picked for test in one["results"].get("cserve", {})):
                rows.append(offline_row(size, kind, test, [one for one in picked if test in one["results"].get("cserve", {})]))
    head = [
        "model", "cserve / llama.cpp", "test", "cserve tok/s", "llama.cpp tok/s", "ratio (goal)", "cserve reaches", "outside forward pass",
        "read GB/s", "rounds"]
    return [
        "## Offline", "", "`cserve bench offline` beside llama-bench (pp512, tg) and llama-batched-bench (tg of a batch). llama.cpp's",
        "figures leave sampling out, ours take greedy sampling in. A goal beside the ratio: tg at 85% of the read bandwidth.",
        "", *table(head, rows)]


def offline_row(size, kind, test, picked):
    def value(name, what="tok/s"):
        return median([one["results"].get(name, {}).get(test, {}).get(what) for one in picked])

    ratios = [
        one["results"]["cserve"][test]["tok/s"] / one["results"]["llama.cpp"][test]["tok/s"] for one in picked
        if test in one["results"].get("llama.cpp", {})]
    goal = OFFLINE_GOALS.get(test, {}).get(kind) if size == GOAL_SIZE else None
    unit = "GFLOP/s" if test.startswith("pp") else "GB/s"
    return [
        size, f"{kind} / {LLAMA_TYPES[kind]}", test, figure(value("cserve")), figure(value("llama.cpp")), ratio(median(ratios), goal),
        f"{value('cserve', 'of peak'):.0%} of {value('cserve', 'peak') / 1e9:.1f} {unit}", f"{value('cserve', 'overhead'):.1%}",
        figure(median([one["bandwidth"] for one in picked])), f"{len(picked)}"]


def better_of_peers(one):
    """The fastest peer's speed within one round; None without peers."""
    return max((speed(result) for name, result in one.items() if not is_ours(name)), default=None)


def closed(kept):
    rows = []
    for size, rounds in segments(kept, "closed").items():
        for clients in sorted({one["clients"] for one in rounds}):
            results = [one["results"] for one in rounds if one["clients"] == clients]
            for name in names(results):
                within = [speed(one[name]) / better_of_peers(one) for one in results if name in one and better_of_peers(one)]
                goal = CLOSED_GOALS.get((size, name), {}).get(clients)
                rows.append([
                    size, f"{clients}", name, figure(over_rounds(results, name, speed)),
                    ratio(median(within), goal) if is_ours(name) else "",
                    *(figure(over_rounds(results, name, at(*what))) for what in TIMES),
                    figure(over_rounds(results, name, lambda r: r["bandwidth"])), f"{sum(name in one for one in results)}"])
    head = [
        "model", "clients", "server", "output tok/s", "against the better peer (goal)", "TTFT P50 ms", "P99", "TPOT P50 ms", "P99",
        "read GB/s", "rounds"]
    return [
        "## Servers, closed loop", "", "128 tokens in, 64 out, greedy; a client asks again as soon as it is answered. bf16 weights, but for",
        "cserve-int8. llama-npN is llama-server with N slots. Ratios are taken within a round, then their median.", "", *table(head, rows)]


def poisson(kept):
    rows = []
    for size, rounds in segments(kept, "poisson").items():
        results = [one["results"] for one in rounds]
        figures = {name: {what: pooled(results, name, *what) for what in TIMES} for name in names(results)}
        for name in names(results):
            cells = []
            for what, value in figures[name].items():
                best = min((figures[n][what] for n in figures if not is_ours(n)), default=None)
                goal = (TTFT_GOAL if what[0] == "ttft" else 1.0) if size == "160m" else None
                against = f", {ratio(value / best, goal, less=True)}" if is_ours(name) and best else ""
                cells.append(figure(value) + against)
            count = sum(len(one[name]["ttft"]) for one in results if name in one)
            rows.append([size, f"{rounds[0]['rate']:.2f}", name, f"{count}", *cells])
    return [
        "## Servers, Poisson arrivals", "", "128 tokens in, 64 out, at 70% of the slowest server's capacity. The servers take parts of the same",
        "list of requests in turn; percentiles are over all of a server's requests, ratios against the better of the peers.", "",
        *table(["model", "requests/s", "server", "requests", "TTFT P50 ms", "TTFT P99 ms", "TPOT P50 ms", "TPOT P99 ms"], rows)]


def prefix(kept):
    rows = []
    for size, rounds in segments(kept, "prefix").items():
        for name in names([one["cold"] for one in rounds]):
            cold, warm = (over_rounds([one[kind] for one in rounds], name, at("ttft", 50)) for kind in ("cold", "warm"))
            rows.append([
                size, name, figure(cold), figure(warm), ratio(warm / cold if warm and cold else None, PREFIX_GOAL if is_ours(name) else None, less=True),
                f"{sum(name in one['cold'] for one in rounds)}"])
    return [
        "## Shared prefix", "", "32 clients at once, 1,024 tokens in, 16 out. Cold: 1,024 tokens of their own. Warm: the first 1,000 the",
        "same for all, computed before.", "", *table(["model", "server", "TTFT P50 cold, ms", "warm, ms", "warm / cold (goal)", "rounds"], rows)]


def start(kept):
    rows = []
    for size, rounds in segments(kept, "start").items():
        results = [one["results"] for one in rounds]
        for name in names(results):
            seconds, peak, private = (over_rounds(results, name, lambda r: r[key]) for key in ("seconds", "peak_bytes", "private_bytes"))
            goal = START_GOAL if is_ours(name) and size == GOAL_SIZE else None
            mark = "" if goal is None else f" ({'reached' if seconds < goal else '**missed**'}: under {goal:g})"
            weights = next((one[name]["weights_bytes"] for one in results if name in one), None)
            rows.append([
                size, name, f"{seconds:.2f}{mark}", f"{peak / 1e9:.2f}", f"{private / 1e9:.2f}", f"{weights / 1e9:.2f}",
                ratio(peak / weights) if is_ours(name) else "", f"{sum(name in one for one in results)}"])
    kv = next((one["kv_bytes"] for rounds in segments(kept, "start").values() for one in rounds), 0)
    return [
        "## Start", "", "From the start of the process to the first token of a first request, the checkpoint in the page cache; memory right",
        f"then. KV caches of {kv / 2**30:g} GiB are reserved; cserve fills them in the background. Peak: VmHWM, mapped files'",
        "pages included.", "",
        *table(["model", "server", "seconds (goal)", "peak GB", "private GB", "checkpoint GB", "peak / checkpoint", "rounds"], rows)]


def parts(result):
    """Shares of the steps' time: outside forward passes; other threads than the model's, as a share of all cores' time."""
    cores = result["cores"]
    outside = 1 - result["forward_microseconds"] / result["step_microseconds"]
    others = sum(result["threads"][cores:]) / (cores * result["seconds"])
    return outside, others


def overhead(kept):
    rows = []
    for test in ("overhead", "closed"):
        for size, rounds in segments(kept, test).items():
            results = [one["results"] for one in rounds if one.get("clients", 32) == 32]
            for name in filter(is_ours, names(results)):
                picked = [one[name] for one in results if name in one]
                outside, others = (median([parts(one)[index] for one in picked]) for index in (0, 1))
                step = median([one["step_microseconds"] / one["steps"] for one in picked])
                goal = OVERHEAD_GOAL if (size, name) == ("160m", "cserve-bf16") else None
                total = outside + others
                mark = "" if goal is None else f" ({'reached' if total < goal else '**missed**'}: under {goal:.0%})"
                rows.append([
                    size, name, "32 decode together" if test == "overhead" else "closed loop, 32 clients", f"{step / 1e3:.2f}",
                    f"{outside:.2%}", f"{others:.2%}", f"{total:.2%}{mark}", f"{len(picked)}"])
    return [
        "## What a step costs beside the forward pass", "", "Outside: schedule, inputs, sampling, handing tokens on (the engine's own clock).",
        "Other threads: processor time of all threads but the busiest, one for each core, which compute: text of tokens, SSE, HTTP, as a",
        "share of all cores' time. A closed loop's steps hold prefills too.", "",
        *table(["model", "server", "load", "step ms", "outside", "other threads", "together (goal)", "rounds"], rows)]


def null(kept):
    rows = []
    for rounds in segments(kept, "null").values():
        for one in rounds:
            result = one["results"]["cserve-null"]
            rows.append([f"{one['clients']}", figure(speed(result)), f"{result['client_share']:.0%} of a core"])
    text = ["## The client itself", "", "Against the Null device, which computes nothing: what one client process can take.", ""]
    return text + table(["clients", "tok/s", "client's processor time"], rows)


def write(kept, about=()):
    if not kept:
        raise SystemExit("There are no results to report: peers.py run comes first.")
    machines = list(dict.fromkeys(one["machine"] for one in kept))
    builds = list(dict.fromkeys(one["cserve"] for one in kept))
    lines = [
        "# CServe beside llama.cpp and vLLM on the CPU", "",
        "Same machine, same weights (random, in the shapes of Llama 160M and TinyLlama 1.1B), same requests as token ids. In every",
        "round each program runs alone while the others are stopped; figures are medians over rounds, with the machine's read",
        "bandwidth measured beside each. Under 1.3x between runs minutes apart is no difference on a shared host. A server's turn in",
        f"which other programs took more than {DISTURBED:.0%} of the cores is left out.", "",
        f"- Machine: {'; '.join(machines)}", f"- Date: {kept[0]['date']} to {kept[-1]['date']} UTC",
        f"- cserve: {len(builds)} build{'s' if len(builds) > 1 else ''} (SHA-256 {', '.join(builds)})",
        *(f"- {line}" for line in about), ""]
    for section, test in (
            (offline, "offline"), (closed, "closed"), (poisson, "poisson"), (prefix, "prefix"), (start, "start"), (overhead, "overhead"),
            (null, "null")):
        if segments(kept, test):
            lines += section(kept)
    return "\n".join(lines).rstrip() + "\n"
