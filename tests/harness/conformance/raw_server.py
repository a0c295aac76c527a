"""Servers on loopback that answer as a test says, byte for byte; also wrongly, late, or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LIMIT_S = 30.0
REASONS = {200: "OK", 201: "Created", 204: "No Content", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}

Talk = Callable[[socket.socket], None]
"""What the server does with one connection; it is closed afterwards."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@contextlib.contextmanager
def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Gives the URL. Every connection has a thread of its own; all have ended when this is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(LIMIT_S)
            if tls is None:
                talk(connection)
                return
            with tls.wrap_socket(connection, server_side=True) as wrapped:
                connections.append(wrapped)  # the other one was detached
                talk(wrapped)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(LIMIT_S)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(LIMIT_S)


def requests(connection: socket.socket) -> Iterator[Request]:
    """What comes in, until the client is done."""
    file = connection.makefile("rb")
    with contextlib.closing(file):
        while line := file.readline():
            method, path, _ = line.decode("latin-1").split(" ", 2)
            headers = {}
            while (line := file.readline()).strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            yield Request(method, path, headers, file.read(int(headers.get("content-length", 0))))


def answer(status: int, body: object = None, kind: str = "application/json", **headers: str) -> bytes:
    """A whole answer; bodies but text are JSON."""
    content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}", f"Content-Length: {len(content)}"]
    lines += [f"Content-Type: {kind}"] if content else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def always(response: bytes) -> Talk:
    """The same answer to everything."""

    def talk(connection: socket.socket) -> None:
        for _ in requests(connection):
            connection.sendall(response)

    return talk


def hawkbit(
    other: Callable[[Request], bytes | None] = lambda request: None, *, prefix: str = ""
) -> Talk:  # the rest is enough for the first look, and for S16
    """As much of hawkBit as the suite looks at before it judges, and its 404; `other` answers what it likes."""

    def usual(request: Request) -> bytes:
        path = request.path.removeprefix(prefix)
        match request.method, path:
            case _ if not request.path.startswith(prefix):
                return answer(404, "<html>nothing here</html>", "text/html")
            case "GET", "/rest/v1/userinfo":
                return answer(200, {"tenant": "DEFAULT", "username": "admin", "permissions": ["ROLE_TENANT_ADMIN"]})
            case "GET", "/rest/v1/system/configs":
                return answer(200, {})
            case "POST", _:
                return answer(201, [])
            case _ if path.startswith("/DEFAULT/controller/"):
                return answer(401)
            case _:
                return answer(404, no_such_target(path.rpartition("/")[2]))

    def talk(connection: socket.socket) -> None:
        for request in requests(connection):
            connection.sendall(other(request) or usual(request))

    return talk


def no_such_target(controller_id: str) -> dict[str, Any]:
    return {
        "errorCode": "hawkbit.server.error.repo.entityNotFound",
        "exceptionClass": "org.eclipse.hawkbit.repository.exception.EntityNotFoundException",
        "info": {"type": "Target", "entityId": controller_id},
        "message": f"Target with given identifier {{{controller_id}}} does not exist.",
    }
