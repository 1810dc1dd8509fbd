"""Starts the servers that are compared, lets one run at a time, and reads what they use."""

import asyncio
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request

import load

KV_BYTES = 2 << 30  # of every server's KV cache, where it takes a size in bytes


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server in a process group of its own, stopped (SIGSTOP) whenever another one is measured.

    It may outlive the call that started it: `record` is what a later call needs to take it over.
    """

    def __init__(self, name, api, command, environment=None, log=os.devnull, port=None, group=None, born=None):
        self.name, self.api, self.port = name, api, port or free_port()
        self.command = [str(part).replace("{port}", str(self.port)) for part in command]
        self.environment, self.log, self.group, self.born = environment or {}, str(log), group, born
        self.process = None

    def record(self):
        keys = ("name", "api", "command", "environment", "log", "port", "group", "born")
        return {key: getattr(self, key) for key in keys}

    def start(self, patience=900):
        """Seconds from the start to the first token of a first request."""
        started = time.perf_counter()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        self.group = self.process.pid
        try:
            asyncio.run(self.first_token(patience))
        except RuntimeError as error:
            self.stop()
            tail = pathlib.Path(self.log).read_text(errors="replace")[-3000:] if self.log != os.devnull else ""
            raise SystemExit(f"{self.name} did not start: {error}\n{tail}")
        seconds = time.perf_counter() - started
        self.born = birth(self.group)
        return seconds

    async def first_token(self, patience):
        request = asyncio.ensure_future(load.ask(self.port, self.api, load.prompt(0, 8, vocabulary=512), 1, keep_trying=patience))
        while not request.done():
            await asyncio.sleep(0.05)
            if self.process.poll() is not None:
                request.cancel()
                raise RuntimeError(f"it ended with status {self.process.returncode}")
        await request

    def alive(self):
        """Whether the group's leader is still the process that was started."""
        return self.group is not None and birth(self.group) == self.born

    def stop(self):
        """Ends the group, first by asking; a group whose leader has gone is left alone, since its number may be another's."""
        if self.group is None or not (self.process or self.alive()):
            return
        for number in (signal.SIGCONT, signal.SIGTERM):
            self.send(number)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.running():
            time.sleep(0.05)
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self.group = self.process = None

    def running(self):
        if self.process is not None:
            return self.process.poll() is None
        return self.alive()

    def send(self, number):
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            pass

    def pause(self):
        self.send(signal.SIGSTOP)

    def resume(self):
        self.send(signal.SIGCONT)

    def processes(self):
        """The processes of the group."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            fields = stat(folder)
            if fields and int(fields[2]) == self.group:
                yield folder

    def memory(self):
        """Bytes: the peak of resident memory, and what of it now is not a file's, summed over the group."""
        peak = private = 0
        for folder in self.processes():
            try:
                status = (folder / "status").read_text()
            except OSError:
                continue
            found = {key: int(value) * 1024 for key, value in re.findall(r"^(VmHWM|RssAnon):\s+(\d+) kB", status, re.M)}
            peak, private = peak + found.get("VmHWM", 0), private + found.get("RssAnon", 0)
        return {"peak_bytes": peak, "private_bytes": private}

    def threads(self):
        """Seconds of processor time of every thread of the group."""
        times = {}
        for folder in self.processes():
            for task in (folder / "task").glob("[0-9]*"):
                try:
                    times[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
                except OSError:
                    continue  # it has just ended
        return times

    def counters(self):
        """cserve's counters of steps and their time in microseconds; nothing for others."""
        if not self.name.startswith("cserve"):
            return {}
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            text = answer.read().decode()
        pattern = r"^cserve:(step_microseconds|forward_microseconds|steps)_total(?:\{[^}]*\})? (\S+)"
        return {name: float(value) for name, value in re.findall(pattern, text, re.M)}


def stat(folder):
    """What /proc tells of a process behind its name, or nothing when there is none."""
    try:
        return (pathlib.Path(folder) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def birth(process):
    """When a process began, in ticks since the machine's start: tells it from a later one of the same number."""
    fields = stat(f"/proc/{process}")
    return int(fields[19]) if fields and fields[0] != "Z" else None


def cserve(options, folder, kind, flags=()):
    return Server(f"cserve-{kind}", "openai", [
        options.cserve, "serve", "--model", folder, "--served-model-name", "bench", "--port", "{port}",
        "--disable-access-log", "--max-num-seqs", "64", "--max-model-len", "2048", "--kv-cache-memory-bytes", KV_BYTES,
        *flags, *options.cserve_flags.split()])


def llama(options, file, slots):
    # Every slot has room for 1280 tokens; saved prompts would be copied into memory beside the slots.
    return Server(f"llama-np{slots}", "llama", [
        pathlib.Path(options.llama) / "llama-server", "-m", file, "--port", "{port}", "-t", options.threads,
        "-np", slots, "-c", slots * 1280, "--cache-ram", 0, *options.llama_flags.split()])


def vllm(options, folder):
    """vLLM as its manual wants it for speed: Intel's OpenMP and tcmalloc loaded first, its threads bound to cores."""
    environment = {"VLLM_CPU_KVCACHE_SPACE": str(KV_BYTES >> 30), "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if options.vllm_cores != "auto":  # auto keeps a core free of the model's threads
        environment |= {"VLLM_CPU_OMP_THREADS_BIND": options.vllm_cores, "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}
    if options.vllm_preload:
        environment["LD_PRELOAD"] = options.vllm_preload
    return Server("vllm", "openai", [
        options.vllm, "-m", "vllm.entrypoints.openai.api_server", "--model", folder, "--served-model-name", "bench",
        "--port", "{port}", "--max-model-len", "2048", "--max-num-seqs", "64", *options.vllm_flags.split()], environment)
