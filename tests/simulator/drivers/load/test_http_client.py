"""Which connections a device under load keeps."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.drivers.load.http_client import LoadHttp
from fleetrig.simulator.drivers.load.stream import Dialler
from fleetrig.simulator.effects import Ask, Download, Downloaded, Reply
from fleetrig.simulator.transports.storage import Storage

GENEROUS_S = 20.0


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """Each connection gets one answer and is closed; returns the origin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(GENEROUS_S)

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(GENEROUS_S)


WHOLE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("ends", [WHOLE, WHOLE.replace(b"Content-Length: 3\r\n", b"")], ids=["told", "by its end"])
def test_a_connection_that_a_server_closes_after_a_download_is_not_used_again(ends: bytes) -> None:
    http = LoadHttp(Dialler(), ssl.create_default_context(), Storage())
    with answering(ends, WHOLE) as origin:
        request = HttpRequest("GET", origin, "/file")
        downloaded = http.download(Download("download", request, "file", 0, GENEROUS_S), "dev-1")
        assert isinstance(downloaded, Downloaded)
        assert (downloaded.stored_bytes, downloaded.cut) == (3, False)
        assert isinstance(http.ask(Ask("poll", request, GENEROUS_S)), Reply)
    http.close()
