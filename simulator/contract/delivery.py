"""An HTTP answer and what becomes of it on the way to the other side."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


class Ending(StrEnum):
    """How an answer reaches the other side; everything but WHOLE and HELD is a fault."""

    WHOLE = "whole"
    """It comes as it is."""
    REFUSED = "refused"
    """As if nothing listened."""
    RESET = "reset"
    """A TCP RST in place of an answer."""
    SILENCE = "silence"
    """No answer at all; the connection stays open."""
    CLOSED = "closed"
    """The connection is closed without an answer."""
    TLS = "tls"
    """The handshake comes to nothing; in virtual time, where nothing else would show it."""
    TRUNCATED = "truncated"
    """The headers promise more bytes than come."""
    HELD = "held"
    """No fault: the answer comes later, as an `Answer`."""


class Framing(StrEnum):
    """In which of the forms that HTTP allows an answer comes (RFC 9112 §6)."""

    LENGTH = "length"
    """Content-Length, and the connection lives on."""
    CHUNKED = "chunked"
    """`Transfer-Encoding: chunked`."""
    CLOSE = "close"
    """`Content-Length` and `Connection: close`."""
    HTTP10 = "http10"
    """HTTP/1.0 without a length: the body ends with the connection."""


class Delivery(NamedTuple):
    """A server's answer and what becomes of it on the way: performed by a front or by `VirtualHttp`.

    One is made for each request, and a frozen dataclass would take five times as long to make.
    """

    response: HttpResponse | None
    ending: Ending = Ending.WHOLE
    delay_us: int = 0
    cut_after_bytes: int | None = None
    """TRUNCATED: how much of the body arrives; half of it when None."""
    framing: Framing = Framing.LENGTH
    bytes_per_s: float | None = None
    """How fast the body comes; without limit when None."""
    as_given: frozenset[str] = frozenset()
    """Headers (small letters) that are sent as the response has them, though the front usually sets them."""
    held_id: int = 0
    """HELD: by what the `Answer` names the request."""


HttpHandler = Callable[[HttpRequest, Session, int], Delivery]
"""`exchange(request, session, now_us)`: a server as clients see it that only speak HTTP."""
