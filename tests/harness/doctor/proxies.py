"""What stands before a server in the field: proxies that pass on, drop, add or answer, on a loopback port."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

WITHIN_S: Final = 30.0
HOP_BY_HOP: Final = frozenset({"connection", "transfer-encoding", "date", "server", "content-length"})
Headers = Mapping[str, str]


@dataclass
class Proxy:
    """Passes GETs on to `backend` (host:port) without `prefix` and with headers as `change` makes them, or answers."""

    backend: str = ""
    prefix: str = ""
    change: Callable[[dict[str, str], str], Headers] = lambda headers, _: headers
    """Gets the headers and the common name of the client certificate."""
    answers: tuple[int, Headers, bytes] | None = None
    date: str | None = None
    tls: ssl.SSLContext | None = None
    seen: list[str] = field(default_factory=list)
    """Path of each request."""

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Gives its host:port."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        with _QuietServer(("127.0.0.1", 0), handler) as server:
            if self.tls is not None:
                server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join(WITHIN_S)

    def reply(self, path: str, headers: dict[str, str], common_name: str) -> tuple[int, Headers, bytes]:
        self.seen.append(path)
        if self.answers is not None:
            return self.answers
        if not path.startswith(self.prefix):
            return 404, {"Content-Type": "text/html"}, b"<html>"
        connection = http.client.HTTPConnection(self.backend, timeout=WITHIN_S)
        with contextlib.closing(connection):
            connection.request("GET", path.removeprefix(self.prefix), headers=dict(self.change(headers, common_name)))
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            return answer.status, kept, answer.read()


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A refused handshake is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = WITHIN_S
    proxy: Proxy

    def do_GET(self) -> None:
        subject = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = dict(pair for rdn in (subject or {}).get("subject", ()) for pair in rdn)  # type: ignore[misc]
        status, headers, body = self.proxy.reply(self.path, dict(self.headers.items()), names.get("commonName", ""))
        self.send_response_only(status)
        for name, value in {"Date": self.proxy.date or self.date_time_string(), **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
