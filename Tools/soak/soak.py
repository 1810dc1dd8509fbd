"""Many streaming clients for a while, with hang-ups and bad requests in between; then everything must be as before.

python soak.py http://127.0.0.1:8000 --clients 64 --seconds 300 [--api-key KEY]

Checks: every valid request is answered whole, every bad one is refused with its status, no KV block and no request is
left in the server, and its memory is back near where it was after warming up. Exits 1 otherwise. No dependencies.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
import urllib.parse

BAD = [
    ("/v1/chat/completions", b"{", 400),
    ("/v1/chat/completions", b'{"messages":[]}', 400),
    ("/v1/chat/completions", b"\xff\xfe\x00", 400),
    ("/v1/completions", b'{"prompt":"x","max_tokens":-1}', 400),
    ("/v1/completions", b'{"prompt":"x","n":"two"}', 400),
    ("/v1/completions", b'{"prompt":[99999999]}', 400),
    ("/v1/completions", b"[" * 5000, 400),
    ("/nothing", b"{}", 404),
    ("/v1/models", b"{}", 405),
]


class Soak:
    def __init__(self, options):
        url = urllib.parse.urlsplit(options.url)
        self.host, self.port, self.key = url.hostname, url.port, options.api_key
        self.options = options
        self.counts = dict(answered=0, cancelled=0, refused=0, oversized=0)
        self.failures = []
        self.end = 0.0

    def head(self, path, length, method="POST"):
        key = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{key}Content-Type: application/json\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
        ).encode()

    async def open(self):
        return await asyncio.wait_for(asyncio.open_connection(self.host, self.port), 30)

    async def exchange(self, path, body, method="POST"):
        reader, writer = await self.open()
        try:
            writer.write(self.head(path, len(body), method) + body)
            answer = await asyncio.wait_for(reader.read(1 << 24), 5)
            while more := await asyncio.wait_for(reader.read(1 << 24), 120):
                answer += more
        finally:
            writer.close()
        return int(answer.split(b" ", 2)[1]), answer

    async def stream(self, chance, rng):
        body = json.dumps({
            "messages": [{"role": "user", "content": rng.choice(["Hi", "What is a KV cache?", "word " * 200])}],
            "stream": True, "max_tokens": rng.randint(1, 40), "n": rng.choice([1, 1, 1, 2]),
            "stop": rng.choice([None, ["the"]]), "seed": rng.randint(0, 1 << 30),
        }).encode()
        hang_up = rng.random() < chance
        patience = rng.random() * 0.5
        reader, writer = await self.open()
        try:
            writer.write(self.head("/v1/chat/completions", len(body)) + body)
            if hang_up:
                try:
                    await asyncio.wait_for(reader.read(1 << 20), patience)
                except asyncio.TimeoutError:
                    pass
                self.counts["cancelled"] += 1
                return
            answer = b""
            while more := await asyncio.wait_for(reader.read(1 << 16), 240):
                answer += more
            if not answer.startswith(b"HTTP/1.1 200") or b"data: [DONE]" not in answer or b'"error"' in answer:
                self.failures.append(f"a valid request was answered with {answer[:400]!r}")
            self.counts["answered"] += 1
        finally:
            writer.close()

    async def oversized(self):
        reader, writer = await self.open()
        try:
            writer.write(self.head("/v1/completions", 1 << 30) + b" " * 65536)
            answer = await asyncio.wait_for(reader.read(4096), 30)
            if b" 413 " not in answer[:40]:
                self.failures.append(f"an oversized body was answered with {answer[:80]!r}")
            self.counts["oversized"] += 1
        finally:
            writer.close()

    async def client(self, number):
        rng = random.Random(number)
        while time.monotonic() < self.end:
            choice = rng.random()
            try:
                if choice < 0.85:
                    await self.stream(0.3, rng)
                elif choice < 0.97:
                    path, body, status = rng.choice(BAD)
                    got, _ = await self.exchange(path, body)
                    self.counts["refused"] += 1
                    if got != status:
                        self.failures.append(f"{path} {body[:30]!r}: {got}, not {status}")
                else:
                    await self.oversized()
            except Exception as error:
                self.failures.append(f"client {number}: {error!r}")

    async def metrics(self):
        _, text = await self.exchange("/metrics", b"", "GET")
        text = text.decode(errors="replace")

        def read(name):
            found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
            return float(found.group(1)) if found else float("nan")

        names = ["cserve:kv_blocks_free", "vllm:num_requests_running", "vllm:num_requests_waiting"]
        return [read(name) for name in names], read("process_resident_memory_bytes")

    async def phase(self, seconds):
        self.end = time.monotonic() + seconds
        await asyncio.gather(*[self.client(number) for number in range(self.options.clients)])
        for _ in range(100):
            state, memory = await self.metrics()
            if state[1:] == [0, 0]:
                break
            await asyncio.sleep(0.1)
        return state, memory

    async def run(self):
        before, _ = await self.metrics()
        _, warm = await self.phase(min(20, self.options.seconds / 4))
        after, memory = await self.phase(self.options.seconds)
        if after != before:
            self.failures.append(f"blocks free, running, waiting: {after}, before {before}")
        growth = memory - warm
        if growth > self.options.memory_mb * 1e6:
            self.failures.append(f"memory grew by {growth / 1e6:.0f} MB after warming up")
        print(f"{self.counts}, memory {warm / 1e6:.0f} MB -> {memory / 1e6:.0f} MB, blocks free {after[0]:.0f}")
        for failure in self.failures[:10]:
            print("FAILED:", failure)
        print("soak failed" if self.failures else "soak passed")
        return 1 if self.failures else 0


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--clients", type=int, default=64)
parser.add_argument("--seconds", type=float, default=300)
parser.add_argument("--api-key")
parser.add_argument("--memory-mb", type=float, default=100, help="growth that is allowed after warming up")
sys.exit(asyncio.run(Soak(parser.parse_args()).run()))
