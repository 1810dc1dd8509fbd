"""Starts the servers that are compared, lets one run at a time, and reads what they use."""

import asyncio
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import load


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server in a process group of its own, stopped (SIGSTOP) whenever another one is measured."""

    def __init__(self, name, api, command, environment=None):
        self.name, self.api, self.port = name, api, free_port()
        self.command = [str(part).replace("{port}", str(self.port)) for part in command]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self, patience=600):
        """Seconds from the start to the first token of a first request."""
        self.log = tempfile.TemporaryFile("w+")
        started = time.perf_counter()
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            asyncio.run(self.first_token(patience))
        except RuntimeError as error:
            self.stop()
            self.log.seek(0)
            raise SystemExit(f"{self.name} did not start: {error}\n{self.log.read()[-3000:]}")
        return time.perf_counter() - started

    async def first_token(self, patience):
        request = asyncio.ensure_future(load.ask(self.port, self.api, load.prompt(0, 8, vocabulary=512), 1, keep_trying=patience))
        while not request.done():
            await asyncio.sleep(0.05)
            if self.process.poll() is not None:
                request.cancel()
                raise RuntimeError(f"it ended with status {self.process.returncode}")
        await request

    def stop(self):
        if self.process is None:
            return
        for number in (signal.SIGCONT, signal.SIGTERM):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def pause(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def processes(self):
        """The processes of the group."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:
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

    def counters(self):
        """cserve's counters of step and forward time, in seconds; nothing for others."""
        if self.name != "cserve":
            return {}
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            text = answer.read().decode()
        pattern = r"^cserve:(step_microseconds|forward_microseconds|steps)_total(?:\{[^}]*\})? (\S+)"
        return {name: float(value) for name, value in re.findall(pattern, text, re.M)}


def cserve(options, folder, flags=()):
    return Server("cserve", "openai", [
        options.cserve, "serve", "--model", folder, "--served-model-name", "bench", "--port", "{port}",
        "--disable-access-log", "--max-num-seqs", "64", "--max-model-len", "2048", *flags])


def llama(options, file):
    context = options.llama_slots * 1280
    return Server("llama-server", "llama", [
        pathlib.Path(options.llama) / "llama-server", "-m", file, "--port", "{port}", "-t", options.threads,
        "-np", options.llama_slots, "-c", context, *options.llama_flags.split()])


def vllm(options, folder):
    return Server("vLLM", "openai", [
        options.vllm, "-m", "vllm.entrypoints.openai.api_server", "--model", folder, "--served-model-name", "bench",
        "--port", "{port}", "--max-model-len", "2048", "--max-num-seqs", "64", *options.vllm_flags.split()],
        {"VLLM_CPU_KVCACHE_SPACE": "4", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"})
