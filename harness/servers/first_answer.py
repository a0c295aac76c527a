"""Whether it is the server that was meant which answers; if not, what is there instead, in one sentence.

Whoever listens there may be anybody: what he says goes into a sentence on one line, cut, without secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Final

from fleetrig.harness.servers.json_answer import UNPRINTABLE, NotJson, read_json
from fleetrig.simulator.contract.masking import Secrets

LOOKED_AT_BYTES: Final = 16 * 1024
"""Of a body: enough for the head of a page."""
SHOWN_CHARS: Final = 60
TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
WANTS_TLS: Final = re.compile(r"to HTTPS port|requires TLS|to an? (?:HTTPS|TLS|SSL)", re.IGNORECASE)
"""How nginx, Tomcat, Apache and Go tell a client in plain HTTP that their port speaks TLS."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The server that a platform's address should lead to."""

    server: str
    """What it should be, after "no": a server of the platform, a `device registry`."""
    product: str
    """The name of what runs there."""
    remedy: str
    """What to give in place of an address that leads elsewhere."""


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What came."""

    asked: str
    """`GET /rest/v1/userinfo`."""
    status: int
    content_type: str
    location: str
    body: bytes
    secrets: tuple[tuple[str, str], ...] = ()
    """(kind, value): what was sent, and may have been sent back."""

    @property
    def is_json(self) -> bool:
        """A document, as an API gives one, and no page of whatever stands before it."""
        try:
            return isinstance(read_json(self.body), dict | list)
        except NotJson:
            return False

    @property
    def claims_json(self) -> bool:
        return "json" in self.content_type

    def has_member(self, name: str) -> bool:
        """It is a JSON object that has this."""
        try:
            document = read_json(self.body)
        except NotJson:
            return False
        return isinstance(document, dict) and name in document

    def in_short(self) -> str:
        """`404 with text/html, the page 'Welcome'`."""
        kind = self.content_type.partition(";")[0].strip()
        if not self.body:
            return f"{self.status} without a body"
        kind = on_one_line(kind)[:SHOWN_CHARS] or "a body"
        return f"{self.status} with {kind}, {body_in_short(self.body, self.secrets)}"


def other_server(sought: Sought, url: str, came: FirstAnswer) -> str:
    """Why this answer is none of the server that was meant. What 401 and 403 are about is the caller's to say."""
    status = came.status
    if 300 <= status < 400:
        return redirects(sought, url, came)
    if url.startswith("http:") and WANTS_TLS.search(came.body[:LOOKED_AT_BYTES].decode("utf-8", "replace")):
        return f"{url} was asked in plain HTTP, and that port speaks TLS: write https://{url.partition('://')[2]}"
    if status == 429:
        return f"{url} answered 429 to {came.asked}: it takes no more requests for now, wait a little"
    if status >= 500:
        advice = f"{sought.product}'s own log says more" if came.is_json else f"is {sought.product} running behind it?"
        return f"{url} answered {came.in_short()}: {advice}"
    return f"{url} is no {sought.server}: {came.asked} answered {came.in_short()}; {sought.remedy}"


def redirects(sought: Sought, url: str, came: FirstAnswer) -> str:
    """To another address of the same server, or, on this one, to a page where people log in."""
    place = on_one_line(came.location)[: 2 * SHOWN_CHARS]
    if not place.startswith(("http://", "https://")):
        where = place or "nowhere"
        return f"{url} is no {sought.server}: {came.asked} is redirected to {where} ({came.status}); {sought.remedy}"
    base = place.removesuffix(came.asked.rpartition(" ")[2])
    return f"{url} redirects to {base}: give that address instead, if it is {sought.product}'s"


def body_in_short(body: bytes, secrets: Iterable[tuple[str, str]] = ()) -> str:
    """The title of a page, else the beginning, in quotes; and how long it is, if not all is shown."""
    text = masked(body, secrets)
    title = TITLE.search(text)
    if title and (called := on_one_line(unescape(title[1]))):
        return f"the page {_cut(called)!r}"
    begin = on_one_line(text)
    more = f" … ({len(body):,} bytes)" if len(begin) > SHOWN_CHARS or len(body) > LOOKED_AT_BYTES else ""
    return f"{begin[:SHOWN_CHARS].strip()!r}{more}"


def masked(body: bytes, secrets: Iterable[tuple[str, str]], at_most_bytes: int = LOOKED_AT_BYTES) -> str:
    """The beginning of a body as text, whatever it is, with what it repeats of our credentials masked."""
    known = Secrets()
    for kind, secret in secrets:
        known.learn(kind, secret)
    return known.hide(body[:at_most_bytes].decode("utf-8", "replace"))


def on_one_line(text: str) -> str:
    """Without what controls a terminal, and with single blanks."""
    return " ".join(UNPRINTABLE.sub(" ", text).split())


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"
