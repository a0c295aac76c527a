"""Whoever listens at an address is asked once, and has so long for all of his answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from fleetrig.harness.servers import control_asking
from fleetrig.simulator.contract.errors import BrokenBench

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"


@contextmanager
def dripping(begins: bytes) -> Iterator[str]:
    """The URL of a server that says this at once, and then one byte after the other without an end."""
    enough = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(begins)
            while not enough.wait(0.01):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            enough.set()
            thread.join()


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD], ids=["status line", "header", "body"])
def test_an_answer_that_drips_is_none(begins: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_asking, "WITHIN_S", 0.2)
    with dripping(begins) as url, pytest.raises(BrokenBench) as none:
        control_asking.ask_control(url)
    assert str(none.value) == f"{url} does not answer: is the address right?"
