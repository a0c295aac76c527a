"""A reverse proxy as people put it before hawkBit: TLS outside, a path prefix, the server's own Host inside."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from tests.harness.conformance.raw_server import raw_server

PREFIX = "/hawkbit"
PIECE_BYTES = 65536


@contextlib.contextmanager
def proxy_before(host: str, port: int, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Gives the URL to use, prefix included. Other paths are answered by nobody."""

    def talk(outside: socket.socket) -> None:
        with socket.create_connection((host, port)) as inside:
            for side in (inside, outside):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pump, args=(inside, outside))
            back.start()
            try:
                _requests(outside, inside, f"{host}:{port}")
            finally:
                with contextlib.suppress(OSError):
                    inside.shutdown(socket.SHUT_WR)
                back.join()

    with raw_server(talk, tls) as url:
        yield url + PREFIX


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_RDWR)  # the server closed, so do we


def _requests(outside: socket.socket, inside: socket.socket, host: str) -> None:
    """Heads are rewritten, bodies go through as they are."""
    file = outside.makefile("rb")
    with contextlib.closing(file):
        while line := file.readline():
            method, path, version = line.split(b" ", 2)
            assert path.startswith(PREFIX.encode()), path
            length, chunked = 0, False
            head = b" ".join((method, path.removeprefix(PREFIX.encode()), version))
            while (header := file.readline()).strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                chunked |= name.lower() == b"transfer-encoding"
                head += f"Host: {host}\r\n".encode() if name.lower() == b"host" else header
            inside.sendall(head + header)
            if chunked:
                while (piece := file.readline()) != b"0\r\n":
                    inside.sendall(piece)
                inside.sendall(piece + file.readline())
            elif length:
                while length and (content := file.read1(min(length, PIECE_BYTES))):
                    inside.sendall(content)
                    length -= len(content)
