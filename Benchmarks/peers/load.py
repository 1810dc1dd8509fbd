"""Requests over raw sockets: what every server gets, byte for byte alike, and when its answers came.

One process and one asyncio loop. A request takes a connection of its own (llama-server closes those that it has used), and is
tried again on a new one while not a byte of an answer has come. Its clock starts before the first try.
"""

import asyncio
import json
import random
import re
import time

TRIES = 5
TOKENS = re.compile(rb'"(?:completion_tokens|tokens_predicted)":\s*(\d+)')
FIRST_ID = 300  # below lie special tokens and bytes


def prompt(seed, tokens, vocabulary=32000, prefix=()):
    """Random token ids, the same for every server: `prefix`, then others up to so many."""
    generator = random.Random(seed)
    return list(prefix) + [generator.randrange(FIRST_ID, vocabulary) for _ in range(tokens - len(prefix))]


def body(api, ids, output, share=False):
    """A streamed, greedy request that ignores the end token. `share`: whether a cached prefix may be used."""
    if api == "llama":
        fields = {"prompt": ids, "n_predict": output, "stream": True, "ignore_eos": True, "temperature": 0, "cache_prompt": share}
        return "/completion", fields
    fields = {
        "model": "bench", "prompt": ids, "max_tokens": output, "stream": True, "ignore_eos": True, "temperature": 0,
        "stream_options": {"include_usage": True}}
    return "/v1/completions", fields


class Answer(asyncio.Protocol):
    """Reads one answer: the time of the first and of the last piece of text, and its number of tokens."""

    def __init__(self, request, finished):
        self.request, self.finished = request, finished
        self.first = self.last = None
        self.status = b""
        self.tail = b""
        self.usage = b""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data):
        now = time.perf_counter()
        if not self.status:
            self.status = data[:12]
        if b'data: {' in data or b'data: {' in self.tail + data[:8]:
            if self.first is None:
                self.first = now
        text = self.tail + data
        if b"_tokens" in text or b"tokens_predicted" in text:
            self.usage = (self.usage + text)[-8192:]
        # The last piece is the one before the usage and the end mark; those come at once behind it.
        if b"[DONE]" not in data or b"data: {" in data:
            self.last = now
        self.tail = text[-512:]
        if text.endswith(b"0\r\n\r\n"):
            self.transport.close()

    def connection_lost(self, error):
        if not self.finished.done():
            self.finished.set_result(None)


async def ask(port, api, ids, output, share=False, keep_trying=0):
    """Sends one request; returns times in seconds and tokens, or raises. `keep_trying`: seconds to wait for a server."""
    path, fields = body(api, ids, output, share)
    payload = json.dumps(fields, separators=(",", ":")).encode()
    request = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n").encode() + payload
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    tried, problem = 0, "no answer"
    while tried < TRIES or time.perf_counter() - start < keep_trying:
        tried += 1
        finished = loop.create_future()
        try:
            _, answer = await loop.create_connection(lambda: Answer(request, finished), "127.0.0.1", port)
            await finished
        except OSError as error:
            problem = error
        else:
            found = TOKENS.findall(answer.usage)
            if answer.status.endswith(b"200") and answer.first is not None and found:
                tokens = int(found[-1])
                return {
                    "start": start, "ttft": answer.first - start, "total": answer.last - start, "tokens": tokens,
                    "tpot": (answer.last - answer.first) / (tokens - 1) if tokens > 1 else None, "tries": tried}
            problem = (answer.status + answer.tail).decode(errors="replace") or "closed before the first byte"
            if answer.status and (not keep_trying or answer.status.endswith(b" 400")):
                break
        await asyncio.sleep(0.005)
    raise RuntimeError(f"port {port}: {problem}")


async def closed_loop(port, api, clients, prompts, output, share=False):
    """So many clients, each asking again as soon as it is answered, until the prompts are used up."""
    waiting, results = iter(prompts), []

    async def client():
        for ids in waiting:
            results.append(await ask(port, api, ids, output, share))

    start, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return summary(results, time.perf_counter() - start, time.process_time() - used, output)


async def open_loop(port, api, arrivals, prompts, output):
    """Requests at given times, whether or not earlier ones are answered."""
    start, used = time.perf_counter(), time.process_time()

    async def one(at, ids):
        await asyncio.sleep(max(0, start + at - time.perf_counter()))
        return await ask(port, api, ids, output)

    results = await asyncio.gather(*(one(at, ids) for at, ids in zip(arrivals, prompts)))
    return summary(results, time.perf_counter() - start, time.process_time() - used, output)


def poisson(seed, rate, count):
    """Arrival times of a Poisson process, in seconds."""
    generator, at, times = random.Random(seed), 0.0, []
    for _ in range(count):
        at += generator.expovariate(rate)
        times.append(at)
    return times


def percentile(values, share):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))] if ordered else None


def summary(results, seconds, client_seconds, output):
    wrong = [result["tokens"] for result in results if result["tokens"] != output]
    return {
        "requests": len(results), "seconds": seconds, "output_tokens_per_second": sum(r["tokens"] for r in results) / seconds,
        "ttft": [r["ttft"] for r in results], "tpot": [r["tpot"] for r in results if r["tpot"] is not None],
        "client_share": client_seconds / seconds, "retried": sum(r["tries"] > 1 for r in results),
        "other_lengths": len(wrong)}
