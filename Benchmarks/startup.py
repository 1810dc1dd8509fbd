"""Time from exec to the first healthy answer: python startup.py BINARY [ROUNDS]"""

import os
import socket
import subprocess
import sys
import time


def healthy(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            return sock.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def measure(binary):
    port = free_port()
    started = time.monotonic()
    process = subprocess.Popen([binary, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not healthy(port):
            if process.poll() is not None or time.monotonic() - started > 60:
                sys.exit("the server did not become healthy")
            time.sleep(0.002)
        took = time.monotonic() - started
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return took, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    finally:
        process.terminate()
        process.wait()


rounds = sorted(measure(sys.argv[1]) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5))
times, used = [took for took, _ in rounds], sorted(used for _, used in rounds)
print(
    f"exec to the first 200 from /health: median {times[len(times) // 2] * 1e3:.0f} ms, best {times[0] * 1e3:.0f} ms, "
    f"worst {times[-1] * 1e3:.0f} ms of {len(times)} rounds; processor time until then: median {used[len(used) // 2] * 1e3:.0f} ms"
)
