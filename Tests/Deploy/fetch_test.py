"""`cserve fetch` against a hub of our own on loopback, beside huggingface_hub: what one fetches the other finds. Run by run.sh."""

import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

BINARY = sys.argv[1]
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"[1, 2]",
    "sub/notes.txt": b"notes",
    "model.safetensors": bytes(i * 31 % 251 for i in range(3_000_000)),
    "model.bin": b"x" * 200_000,
}
LARGE = {name for name, data in FILES.items() if len(data) > 100_000}


def check(condition, message):
    if not condition:
        raise SystemExit("FAILED: " + message)


def git_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    """The parts of the hub's API that clients use to fetch."""

    protocol_version = "HTTP/1.1"
    token = None
    cut = 0  # Bytes after which the next answer for a large file is cut, once.
    asked = []

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET(body=False)

    def answer(self, status, data=b"", headers=(), body=True):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def do_GET(self, body=True):
        Hub.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if Hub.token and self.headers.get("Authorization") != "Bearer " + Hub.token and not self.path.startswith("/cdn/"):
            return self.answer(401, b"{}", body=body)
        path = self.path.split("?")[0]
        if path in (f"/api/models/o/m/revision/{ref}" for ref in ("main", COMMIT)) or path == "/api/models/o/m":
            return self.answer(200, json.dumps(self.listing()).encode(), [("Content-Type", "application/json")], body)
        if path.startswith("/api/models/o/m/tree/"):
            return self.answer(200, json.dumps(self.tree()).encode(), [("Content-Type", "application/json")], body)
        if path.startswith("/cdn/"):
            return self.content(FILES[path[len("/cdn/"):]], body)
        if path.startswith("/o/m/resolve/"):
            name = path.split("/", 5)[5]
            if name in FILES:
                return self.resolve(name, body)
        self.answer(404, b"{}", [("X-Error-Code", "RepoNotFound")], body)

    def listing(self):
        siblings = []
        for name, data in FILES.items():
            one = {"rfilename": name, "size": len(data), "blobId": git_id(data)}
            if name in LARGE:
                one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            siblings.append(one)
        return {"id": "o/m", "modelId": "o/m", "sha": COMMIT, "private": False, "tags": [], "downloads": 0, "siblings": siblings}

    def tree(self):
        out = []
        for name, data in FILES.items():
            one = {"type": "file", "path": name, "size": len(data), "oid": git_id(data)}
            if name in LARGE:
                one["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            out.append(one)
        return out

    def resolve(self, name, body):
        data = FILES[name]
        tag = hashlib.sha256(data).hexdigest() if name in LARGE else git_id(data)
        headers = [("ETag", f'"{tag}"'), ("X-Repo-Commit", COMMIT), ("X-Linked-Etag", f'"{tag}"'), ("X-Linked-Size", str(len(data)))]
        if name in LARGE:
            return self.answer(302, b"", headers + [("Location", f"http://localhost:{self.server.server_port}/cdn/{name}")], body)
        self.content(data, body, headers)

    def content(self, data, body, headers=()):
        start = 0
        if self.headers.get("Range"):
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
        part = data[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if not body:
            return
        if Hub.cut and len(data) > 1_000_000:
            self.wfile.write(part[:Hub.cut])
            Hub.cut = 0
            self.close_connection = True
            return
        self.wfile.write(part)


def fetch(endpoint, *flags, code=0, **environment):
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HF_ENDPOINT": endpoint, **environment}
    done = subprocess.run([BINARY, "fetch", *flags], capture_output=True, text=True, env=clean, timeout=120)
    check(done.returncode == code, f"fetch {flags}: {done.returncode}, {code} expected: {done.stdout}{done.stderr}")
    return done.stdout.strip() if code == 0 else done.stderr


def same(folder, names):
    for name in names:
        check((pathlib.Path(folder) / name).read_bytes() == FILES[name], f"{folder}/{name} differs")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    wanted = [name for name in FILES if name != "model.bin"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = scratch + "/folder"
        Hub.cut = 1_234_567
        check(fetch(endpoint, "o/m@" + COMMIT, "--to", folder) == folder, "the folder is printed")
        same(folder, wanted)
        check(not os.path.exists(folder + "/model.bin"), "other formats are left out")
        check(any(r == "bytes=1234567-" for _, r, _ in Hub.asked), "a cut answer goes on where it stopped")
        check(fetch("http://127.0.0.1:1", "o/m@" + COMMIT, "--to", folder, "--offline") == folder, "offline, complete")
        check(fetch("http://127.0.0.1:1", "o/m@" + COMMIT, "--to", folder, "--wait", "1") == folder, "waiting, complete")
        fetch(endpoint, "o/m", "--to", scratch + "/none", "--offline", code=5)
        fetch(endpoint, "o/none", "--to", scratch + "/none", code=2)
        fetch("https://127.0.0.1:1", "o/m", "--to", scratch + "/none", code=3)
        token(endpoint, scratch)
        caches(endpoint, scratch, wanted)
    server.shutdown()
    print("cserve fetch: resumed, checked, offline, with a token, and its cache is huggingface_hub's.")


def token(endpoint, scratch):
    Hub.token = "secret"
    Hub.asked.clear()
    pathlib.Path(scratch + "/token").write_text("secret\n")
    fetch(endpoint, "o/m", "--to", scratch + "/closed", code=2)
    fetch(endpoint, "o/m", "--to", scratch + "/opened", "--token-file", scratch + "/token")
    fetch(endpoint, "o/m", "--to", scratch + "/opened2", HF_TOKEN_PATH=scratch + "/token")
    Hub.token = None
    # Large files lie on another host, which must not see the token.
    check(any(path.startswith("/cdn/") for path, _, _ in Hub.asked), "large files lie elsewhere")
    check(all(key is None for path, _, key in Hub.asked if path.startswith("/cdn/")), "the token went to another host")


def caches(endpoint, scratch, wanted):
    """What cserve fetched, huggingface_hub finds without a network; what huggingface_hub fetched, cserve does not fetch again."""
    ours, theirs = scratch + "/ours", scratch + "/theirs"
    snapshot = fetch(endpoint, "o/m", HF_HUB_CACHE=ours)
    same(snapshot, wanted)
    os.environ.update(HF_ENDPOINT=endpoint, HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HOME=scratch + "/home")
    from huggingface_hub import snapshot_download

    found = snapshot_download("o/m", cache_dir=ours, local_files_only=True)
    check(os.path.realpath(found) == os.path.realpath(snapshot), f"huggingface_hub finds {found}, not {snapshot}")
    fetched = snapshot_download("o/m", cache_dir=theirs, ignore_patterns=["*.bin"])
    same(fetched, wanted)
    check(fetch("http://127.0.0.1:1", "o/m", "--offline", HF_HUB_CACHE=theirs) == fetched, "cserve finds huggingface_hub's snapshot")
    Hub.asked.clear()
    fetch(endpoint, "o/m", HF_HUB_CACHE=theirs)
    check(all("/api/" in path for path, _, _ in Hub.asked), f"cserve fetched again: {Hub.asked}")
    links = lambda root: sorted((str(p.relative_to(root)), os.readlink(p)) for p in pathlib.Path(root).rglob("*") if p.is_symlink())
    check(links(ours) == links(theirs), f"{links(ours)}\n{links(theirs)}")


main()
