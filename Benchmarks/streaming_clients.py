"""Streams from a server to many clients at once and counts tokens per second.

python streaming_clients.py http://127.0.0.1:8000 --clients 32 --tokens 2000 --seconds 10
One thread and epoll: a chunk costs a recv and a count, so that the client is not what is measured.
"""

import argparse
import json
import os
import selectors
import socket
import time
import urllib.parse


class Client:
    def __init__(self, address, request):
        self.request = request
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tokens = 0
        self.answers = 0
        self.tail = b""
        self.ask()

    def ask(self):
        self.sock.sendall(self.request)

    def read(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise SystemExit("the server closed a connection")
        self.tokens += data.count(b'"delta":{"content"')
        tail = self.tail + data[-16:]
        if data.endswith(b"0\r\n\r\n") or tail.endswith(b"\r\n0\r\n\r\n"):
            self.answers += 1
            self.ask()
        self.tail = data[-16:]


def processor_seconds(pid):
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pid", type=int, help="the server's process, to report its processor time")
    options = parser.parse_args()
    url = urllib.parse.urlsplit(options.url)
    body = json.dumps({
        "messages": [{"role": "user", "content": "Hello"}], "stream": True, "max_tokens": options.tokens,
        "ignore_eos": True,
    }).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    selector = selectors.DefaultSelector()
    clients = [Client((url.hostname, url.port), request) for _ in range(options.clients)]
    for client in clients:
        selector.register(client.sock, selectors.EVENT_READ, client)
    warm = time.monotonic() + 1
    end = warm + options.seconds
    start_tokens, started = 0, None
    while (now := time.monotonic()) < end:
        if started is None and now >= warm:
            started, start_tokens = now, sum(client.tokens for client in clients)
            server, own = processor_seconds(options.pid) if options.pid else 0, time.process_time()
        for key, _ in selector.select(timeout=1):
            key.data.read()
    tokens = sum(client.tokens for client in clients) - start_tokens
    seconds = time.monotonic() - started
    answers = sum(client.answers for client in clients)
    line = f"{tokens / seconds:.0f} tokens/s streamed to {options.clients} clients ({answers} answers, {seconds:.1f} s)"
    if options.pid:
        server, own = processor_seconds(options.pid) - server, time.process_time() - own
        line += f"; cores in use: server {server / seconds:.2f}, clients {own / seconds:.2f}"
        line += f"; {tokens / (server + own):.0f} tokens per core second of both"
    print(line, flush=True)


if __name__ == "__main__":
    main()
