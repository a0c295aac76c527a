"""What the software in front of a platform's handlers does with HTTP by itself: a servlet container, Vert.x, Netty.

A platform names these rules (`HttpPlatform.container_rules`); its HTTP front follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fleetrig.simulator.contract.http import Body, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session

MIB: Final = 1024 * 1024

FRAMING_IN_DOUBT: Final = frozenset({408, 413, 414, 417, 431, 505})
"""Statuses after which no server can know where the next request begins."""


def text_page(status: int) -> HttpResponse:
    """One line of text: what a server without a page of its own says."""
    text = f"{status} {HTTPStatus(status).phrase}\n"
    return HttpResponse(status, (("Content-Type", "text/plain;charset=utf-8"),), text.encode())


def no_reading(status: int, request: HttpRequest, now_us: int) -> HttpResponse:
    """The same where a handler had the request, but its body broke off."""
    return text_page(status)


def always(request: HttpRequest, session: Session, now_us: int) -> bool:
    """Nothing is answered before its body is there."""
    return True


def as_it_is(request: HttpRequest) -> Body:
    """Nothing is read in advance."""
    return request.body


def nothing_to_release(body: Body) -> None:
    """A body that was not prepared leaves nothing behind."""


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
    swallow_bytes: int = 2 * MIB
    """How much of a body that nobody reads is taken in after the answer, so that the connection can stay open."""
    context_path: str = ""
    """What all URLs of the platform begin with after their host: `/hb`."""
    keep_alive: str = ""
    """The header `Keep-Alive`, for a client that asks for it by `Connection: keep-alive`."""
    broken_body: Callable[[int, HttpRequest, int], HttpResponse] = no_reading
    """The answer, by status, to a request whose body stops coming (408) or whose chunks are none (400)."""
    needs_body: Callable[[HttpRequest, Session, int], bool] = always
    """Whether a request would be answered otherwise with another body; asked of its head alone, and changes nothing."""
    prepared_body: Callable[[HttpRequest], Body] = as_it_is
    """The body with the reading done: the platform takes it in at once. It runs in a thread of its own."""
    release_body: Callable[[Body], None] = nothing_to_release
    """Takes back what `prepared_body` has made of a body and nobody has used; called when all is over."""


PLAIN_CONTAINER: Final = HttpContainerRules()
