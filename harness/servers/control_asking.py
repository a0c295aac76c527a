"""Asks a control interface what its server is, before anything else begins: one request by the standard library."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.servers.control_page import ControlPage, page_of
from fleetrig.simulator.contract.errors import BrokenBench

WITHIN_S: Final = 5.0
MOST_BYTES: Final = 1024 * 1024


def _whole(response: http.client.HTTPResponse) -> bytes:
    """A body, up to more than a page holds."""
    body = b""
    while len(body) < MOST_BYTES and (piece := response.read1(MOST_BYTES)):
        body += piece
    return body


@contextmanager
def _at_most(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Ends what takes longer than `WITHIN_S`, also what comes byte by byte. Raises TimeoutError then."""
    is_late, connected = Event(), connection.sock  # http.client lets go of it while a body is still to come

    def end() -> None:
        is_late.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(WITHIN_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if is_late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if is_late.is_set():
        raise TimeoutError  # what has come may lack its end


def ask_control(url: str) -> ControlPage | None:
    """What listens there says of itself; None when it is no control interface. Raises BrokenBench without an answer."""
    url = url.rstrip("/")
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=WITHIN_S)
    try:
        connection.connect()
        with _at_most(connection):
            connection.request("GET", f"{parts.path}/", headers={"Accept": "application/json"})
            body = _whole(connection.getresponse())
    except ConnectionRefusedError:
        said = f"nobody listens at {url} (connection refused): is it running, and is the port right?"
        raise BrokenBench(said) from None
    except TimeoutError:
        raise BrokenBench(f"{url} does not answer: is the address right?") from None
    except (OSError, http.client.HTTPException) as wrong:
        said = getattr(wrong, "strerror", None) or type(wrong).__name__
        raise BrokenBench(f"{url} cannot be asked what it is: {said}") from None
    finally:
        connection.close()
    return page_of(url, body)
