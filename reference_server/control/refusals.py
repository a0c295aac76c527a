"""The last refusals with their reasons: kept apart from the trace, where a busy fleet would soon push them out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MAX_REFUSALS: Final = 5_000
MAX_TARGET_CHARS: Final = 500


class Refusal(NamedTuple):
    """`method` and `target` are empty for what could not be read as a request."""

    at_us: int
    method: str
    target: str
    status: int
    device: str
    reason: str


class Refusals:
    """A trace listener; a request and its refusal follow each other in the server lane."""

    kinds: Final = frozenset({"received", "refused", "malformed"})
    """The events that it wants to see."""

    def __init__(self, at_most: int = MAX_REFUSALS) -> None:
        self._kept: deque[Refusal] = deque(maxlen=at_most)
        self._request: HttpRequest | None = None

    def __call__(self, event: TraceEvent) -> None:
        if event.kind == "received" and event.lane is Lane.SERVER:
            self._request = event.envelope if isinstance(event.envelope, HttpRequest) else None
        elif (event.kind == "refused" and event.lane is Lane.SERVER) or event.kind == "malformed":
            request = self._request if event.lane is Lane.SERVER else None
            method, target = ("", "") if request is None else (request.method, request.target[:MAX_TARGET_CHARS])
            status = event.envelope.status if isinstance(event.envelope, HttpResponse) else 0
            self._kept.append(Refusal(event.at_us, method, target, status, event.device, event.reason))

    def newest_first(self, device: str = "*") -> Iterator[Refusal]:
        """Those of the devices that fit the glob."""
        return (refusal for refusal in reversed(self._kept) if fnmatchcase(refusal.device, device))
