"""Places that are no ThingsBoard: they say nothing, say something else, or close."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket], None]
LIMIT_S = 30.0


@contextlib.contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """`HOST:PORT` of a TCP server that does this with each connection, each in a thread of its own."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    connection = server.accept()[0]
                    threading.Thread(target=_one, args=(connection, talk), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(LIMIT_S)


def _one(connection: socket.socket, talk: Talk) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(LIMIT_S)
        talk(connection)


def closes(connection: socket.socket) -> None:
    """As soon as something was said, as an IP guard does."""
    connection.recv(4096)


def says_nothing(connection: socket.socket) -> None:
    """Until the other one goes."""
    while connection.recv(4096):
        pass


def says(*answers: bytes) -> Talk:
    """Each time that something comes, the next of these; the last one again and again."""

    def talk(connection: socket.socket) -> None:
        left = list(answers)
        while connection.recv(4096):
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return talk


@contextlib.contextmanager
def datagrams(answer: bytes | None) -> Iterator[str]:
    """`HOST:PORT` of a UDP socket that answers this, or nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    _, where = server.recvfrom(65_536)
                    if answer is not None:
                        server.sendto(answer, where)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(LIMIT_S)
