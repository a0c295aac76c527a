"""What the software in front of a platform's handlers does with HTTP by itself: a servlet container, Vert.x, Netty.

A platform names these rules (`HttpPlatform.container_rules`); its HTTP front follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse

MIB: Final = 1024 * 1024

FRAMING_IN_DOUBT: Final = frozenset({408, 413, 414, 417, 431, 505})
"""Statuses after which no server can know where the next request begins."""


def text_page(status: int) -> HttpResponse:
    """One line of text: what a server without a page of its own says."""
    text = f"{status} {HTTPStatus(status).phrase}\n"
    return HttpResponse(status, (("Content-Type", "text/plain;charset=utf-8"),), text.encode())


@dataclass(frozen=True, slots=True)
class HttpContainerRules:
    """What the front does in the place of that software."""

    error_page: Callable[[int], HttpResponse] = text_page
    """The answer to a request that no handler sees, by status."""
    closes_after: frozenset[int] = FRAMING_IN_DOUBT
    """After an answer of such a status the server closes the connection."""
    upload_bytes: int = 16 * MIB
    """The largest multipart body."""
    failure: Callable[[HttpRequest, int], HttpResponse] | None = None
    """The answer to a request (at a time in us) that could not be served since the store has failed; without it the
    error page of status 500."""


PLAIN_CONTAINER: Final = HttpContainerRules()
