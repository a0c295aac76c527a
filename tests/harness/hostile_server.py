"""A server in front of our own that changes answers on their way: bodies that nobody expects, values of other kinds."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
from collections.abc import Callable, Iterator
from typing import Any

from tests.harness.conformance.raw_server import Request, raw_server, requests

Change = Callable[[Request, bytes], bytes]
"""What becomes of a body."""

OTHER_KINDS: tuple[Any, ...] = (
    None, True, [], {}, "text", "\ud800", -1, 10**200, 1.5, [[]], {"a": {}}, "\x1b[2J", "x" * 5_000,
)  # fmt: skip


@contextlib.contextmanager
def in_front_of(address: str, change: Change) -> Iterator[str]:
    """Gives the URL. `address`: `HOST:PORT` of the real server."""

    def talk(connection: socket.socket) -> None:
        inside = http.client.HTTPConnection(address)
        with contextlib.closing(inside):
            for request in requests(connection):
                inside.request(request.method, request.path, request.body, dict(request.headers))
                answer = inside.getresponse()
                body = change(request, answer.read())
                kept = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() in KEPT]
                head = [f"HTTP/1.1 {answer.status} Whatever", *kept, f"Content-Length: {len(body)}", "", ""]
                connection.sendall("\r\n".join(head).encode("latin-1") + body)

    with raw_server(talk) as url:
        yield url


KEPT = frozenset({"content-type", "location", "trace-last", "www-authenticate", "date"})


def instead(body: bytes, path: str) -> Change:
    """This body for everything whose path contains that."""
    return lambda request, sent: body if path in request.path and sent else sent


def one_value_of_another_kind(seed: int) -> Change:
    """In every JSON document one value, anywhere in it, is replaced."""
    chance = random.Random(seed)

    def change(_: Request, sent: bytes) -> bytes:
        try:
            document = json.loads(sent)
        except ValueError:
            return sent
        places = list(places_in(document))
        if chance.random() < 0.3 or not places:
            return sent
        holder, key = chance.choice(places)
        holder[key] = chance.choice(OTHER_KINDS)
        return json.dumps(document).encode()

    return change


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """(what holds it, its key or position) of every value."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in list(pairs):
        yield document, key
        yield from places_in(value)
