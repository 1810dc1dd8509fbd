"""How true `cserve bench` is: a server that streams on a known schedule writes down what it sent and when; the client's
percentiles are held against that. Usage: bench_accuracy.py CSERVE [--rate R] [--requests N] [--tokens T] [--gap MS]

Both sides use the same monotonic clock, so that the delay of every single chunk is known: sent by the server -> stamped by the
client. It holds the kernel's loopback, the wake-up of the client's thread, and the client's own work before the stamp.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

PERCENTILES = (50, 90, 95, 99)


def percentile(values, percent):
    values = sorted(values)
    rank = (len(values) - 1) * percent / 100
    low = int(rank)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (rank - low)


def event(text, finish=None):
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    body = {"id": "cmpl-0", "object": "text_completion", "created": 0, "model": "scripted", "choices": [choice], "usage": None}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


class ScriptedServer:
    """First token after 5 to 200 ms, then gaps around the given one; the random numbers come from the prompt."""

    def __init__(self, tokens, gap):
        self.tokens, self.gap, self.records = tokens, gap, {}
        self.port = None

    def start(self):
        ready = threading.Event()

        async def serve():
            server = await asyncio.start_server(self.connection, "127.0.0.1", 0, backlog=1024)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
        ready.wait()

    async def connection(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                arrived = time.monotonic_ns()
                await self.answer(head.split(" ")[1], body, arrived, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, path, body, arrived, writer):
        request = json.loads(body) if body else {}
        if path == "/v1/models":
            return self.whole(writer, {"data": [{"id": "scripted"}]})
        if not request.get("stream"):
            return self.whole(writer, {"usage": {"prompt_tokens": 1, "completion_tokens": 1}})
        key = json.dumps(request["prompt"])
        draw = random.Random(key)
        due = arrived / 1e9 + draw.uniform(0.005, 0.2)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        sent = []
        for place in range(self.tokens):
            await asyncio.sleep(max(0, due - time.monotonic()))
            last = place == self.tokens - 1
            data = chunk(event(" word", "length" if last else None))
            sent.append(time.monotonic_ns())
            writer.write(data)
            due += self.gap * draw.uniform(0.5, 1.5)
        usage = {"choices": [], "usage": {"prompt_tokens": len(request["prompt"]), "completion_tokens": self.tokens}}
        writer.write(chunk(b"data: " + json.dumps(usage).encode() + b"\n\n") + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        self.records[key] = (arrived, sent)

    def whole(self, writer, value):
        body = json.dumps(value).encode()
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)


def compare(name, truth, measured):
    """A line of the table: truth, measured, and the difference of each percentile."""
    cells, worst = [], 0
    for percent in PERCENTILES:
        real, seen = percentile(truth, percent), percentile(measured, percent)
        worst = max(worst, abs(seen / real - 1))
        cells.append(f"{real / 1e6:.3f} / {seen / 1e6:.3f} ({(seen / real - 1) * 100:+.2f}%)")
    print(f"| {name} | " + " | ".join(cells) + " |")
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cserve")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--gap", type=float, default=20, help="milliseconds between tokens")
    options = parser.parse_args()
    server = ScriptedServer(options.tokens, options.gap / 1e3)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.json")
        before = os.times()
        began = time.monotonic()
        subprocess.run(
            [options.cserve, "bench", "--url", f"http://127.0.0.1:{server.port}", "--workload", f"32/{options.tokens}", "--rate",
             str(options.rate), "--requests", str(options.requests), "--num-warmups", "5", "--save-records", "--out", out],
            check=True, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - began
        after = os.times()
        run = json.load(open(out))
    requests = [one for one in run["requests"] if "failure" not in one]
    # The same requests by the order of arrival: the server's first five were warm-ups.
    records = sorted(server.records.values())[5:]
    requests.sort(key=lambda one: one["sent_ns"])
    assert len(records) == len(requests) == options.requests, (len(records), len(requests))
    truth, seen = {"ttft": [], "tpot": [], "itl": [], "e2e": []}, {"ttft": [], "tpot": [], "itl": [], "e2e": []}
    for (arrived, sent), one in zip(records, requests):
        for times, start, into in ((sent, arrived, truth), (one["chunks_ns"], one["sent_ns"], seen)):
            into["ttft"].append(times[0] - start)
            into["e2e"].append(times[-1] - start)
            into["tpot"].append((times[-1] - times[0]) / (len(times) - 1))
            into["itl"] += [b - a for a, b in zip(times, times[1:])]
    # Both clocks count the same nanoseconds from different origins. The quickest chunk and the quickest request bound the
    # origin from both sides; what lies between is the quickest way there and back, and no delay is longer than told by it.
    stamps = [(mine, theirs) for (_, sent), one in zip(records, requests) for theirs, mine in zip(sent, one["chunks_ns"])]
    latest = max(theirs - mine for mine, theirs in stamps)
    earliest = min(arrived - one["sent_ns"] for (arrived, _), one in zip(records, requests))
    delays = [earliest - (theirs - mine) for mine, theirs in stamps]
    print(f"quickest way there and back: {(earliest - latest) / 1e6:.3f} ms")
    chunks = sum(len(sent) for _, sent in records)
    print(f"{options.requests} requests at {options.rate:g}/s, {options.tokens} tokens {options.gap:g} ms apart: {chunks / wall:.0f} "
          f"chunks/s over {wall:.1f} s; client CPU {after.children_user + after.children_system - before.children_user - before.children_system:.2f} s")
    print("\n| truth / measured, ms | " + " | ".join(f"P{p}" for p in PERCENTILES) + " |\n|---|" + "---|" * len(PERCENTILES))
    worst = max(compare(name, truth[name], seen[name]) for name in truth)
    late = [one["sent_ns"] - one["due_ns"] for one in requests]
    print(f"\nworst difference of a percentile: {worst * 100:.2f}%")
    for name, values in (("from sending a chunk to its stamp, at most", delays), ("lateness of requests", late)):
        print(f"{name}, ms: P50 {percentile(values, 50) / 1e6:.3f}, P99 {percentile(values, 99) / 1e6:.3f}, max {max(values) / 1e6:.3f}")
    return 0 if worst < 0.03 else 1


if __name__ == "__main__":
    sys.exit(main())
