"""Heads of HTTP answers that have come before: a fleet that polls gets the same one thousands of times a second.

The parser has judged each of them once. An answer counts as known only when it came as a whole and as long as its
`Content-Length` says, so that nothing is left to judge but the head.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from fleetrig.simulator.contract.http import Headers, HttpResponse, find_header
from fleetrig.simulator.drivers.load.arriving_answer import ArrivingAnswer

END_OF_HEAD: Final = b"\r\n\r\n"
MOST_HEADS: Final = 256
"""A `Date` makes them new every second, so old ones are thrown away all at once."""


class KnownHead(NamedTuple):
    """What the parser made of it."""

    status: int
    headers: Headers
    body_bytes: int
    keeps_alive: bool


class KnownHeads:
    """Those of the connections of a process. Not for answers to HEAD, whose bodies do not come."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownHead] = {}

    def read(self, data: bytes) -> tuple[HttpResponse, bool] | None:
        """The answer and whether its connection stays; None for what the parser has to read."""
        head, _, body = data.partition(END_OF_HEAD)
        known = self._known.get(head)
        if known is None or known.body_bytes != len(body):
            return None
        return HttpResponse(known.status, known.headers, body), known.keeps_alive

    def learn(self, data: bytes, answer: ArrivingAnswer) -> None:
        """`answer`: what the parser made of `data`, all that had come of it."""
        head, _, body = data.partition(END_OF_HEAD)
        headers = answer.headers
        if answer.body != body or find_header(headers, "Content-Length") != str(len(body)):
            return
        if len(self._known) >= MOST_HEADS:
            self._known.clear()
        self._known[head] = KnownHead(answer.get_code(), headers, len(body), answer.should_keep_alive())
