"""Asks a control interface what its server is, before anything else begins: one request by the standard library."""

from __future__ import annotations

import http.client
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.servers.control_page import ControlPage, page_of
from fleetrig.simulator.contract.errors import BrokenBench

WITHIN_S: Final = 5.0
MOST_BYTES: Final = 1024 * 1024


def _whole(response: http.client.HTTPResponse) -> bytes:
    """What comes in time, up to more than a page holds. Raises TimeoutError for a body that drips."""
    deadline_s, body = monotonic() + WITHIN_S, b""
    while len(body) < MOST_BYTES and (piece := response.read1(MOST_BYTES)):
        body += piece
        if monotonic() > deadline_s:
            raise TimeoutError
    return body


def ask_control(url: str) -> ControlPage | None:
    """What listens there says of itself; None when it is no control interface. Raises BrokenBench without an answer."""
    url = url.rstrip("/")
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=WITHIN_S)
    try:
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
