"""A hub on the loopback: the two endpoints a download uses, with the ways they fail."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
LFS_FROM = 2_000
"""Bytes from which a file is announced with its SHA-256, as large files are; smaller ones have a git hash."""


class FakeHub:
    """Serves repositories from memory; every request is written down.

    Attributes:
        repositories: content by repository and path.
        cut_after: the connection is dropped after so many bytes of a file; then ``after_cut`` is answered.
        garbled: paths whose content arrives altered.
        status: answered to everything, when set.
        ranges: whether a rest of a file may be asked for.
        shift: a rest begins so many bytes before what was asked for, and says so.
        bare: no length is sent with a file, so that a cut looks like its end.
        digests: SHA-256 told of a path in place of the true one.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.cut_after: int | None = None
        self.after_cut: int | None = None
        self.garbled: set[str] = set()
        self.status: int | None = None
        self.ranges = True
        self.shift = 0
        self.bare = False
        self.digests: dict[str, str] = {}
        self.body: bytes | None = None
        self.seen: list[tuple[str, str]] = []
        self.sent: dict[str, int] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, name: str, directory: Path, **extra: bytes) -> None:
        """Serve a directory; ``extra`` are further files, ``__`` standing for ``/`` and the last ``_`` for the dot."""
        files = {
            p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()
        }
        named = {".".join(key.replace("__", "/").rsplit("_", 1)): value for key, value in extra.items()}
        self.repositories[name] = {**files, **named}

    @property
    def paths(self) -> list[str]:
        """Files asked for, in order."""
        return [path.split(f"/resolve/{COMMIT}/")[1] for path, _ in self.seen if "/resolve/" in path]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        asked = request.headers.get("Range", "")
        self.seen.append((path, asked))
        if self.status is not None:
            self._send(request, self.status, self.body or b"{}")
        elif path.startswith("/api/models/"):
            self._send_info(request, path.removeprefix("/api/models/").removesuffix(f"/revision/{COMMIT}"))
        else:
            name, _, file = path[1:].partition(f"/resolve/{COMMIT}/")
            self._send_file(request, file, self.repositories[name][file], asked)

    def _send_info(self, request: BaseHTTPRequestHandler, name: str) -> None:
        files = self.repositories.get(name)
        if files is None:
            self._send(
                request, 401, b'{"error": "Invalid username or password."}', {"X-Error-Code": "RepoNotFound"}
            )
            return
        siblings = []
        for path, content in files.items():
            one: dict[str, object] = {"rfilename": path, "size": len(content)}
            if len(content) < LFS_FROM and path not in self.digests:
                one["blobId"] = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            else:
                sha = self.digests.get(path) or hashlib.sha256(content).hexdigest()
                one |= {"blobId": "0" * 40, "lfs": {"sha256": sha, "size": len(content), "pointerSize": 130}}
            siblings.append(one)
        info = {
            "id": name,
            "modelId": name,
            "sha": COMMIT,
            "siblings": siblings,
            "tags": [],
            "private": False,
        }
        self._send(request, 200, json.dumps(info).encode())

    def _send_file(self, request: BaseHTTPRequestHandler, path: str, content: bytes, asked: str) -> None:
        if path in self.garbled:
            content = bytes(byte ^ 1 for byte in content)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        start = max(0, start - self.shift)
        partial = bool(asked) and self.ranges
        rest = content[start:]
        request.send_response(206 if partial else 200)
        if self.bare:
            request.close_connection = True
        else:
            request.send_header("Content-Length", str(len(rest)))
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        if partial:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        if self.cut_after is not None and len(rest) > self.cut_after:
            rest, self.status = rest[: self.cut_after], self.after_cut
            request.close_connection = True
        request.wfile.write(rest)
        self.sent[path] = self.sent.get(path, 0) + len(rest)

    @staticmethod
    def _send(
        request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        request.send_response(status)
        for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
