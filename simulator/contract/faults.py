"""A fault as everybody speaks of it: what happens, to whom, when, for how long and how it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from simulator.contract.wire import Ending


class FaultKind(StrEnum):
    """Where in the life of a request a fault bites."""

    OUTAGE = "outage"  # before the platform: refused, reset or silence
    LATENCY = "latency"  # around it: the answer comes late
    OVERLOAD = "overload"  # before it: 429 or 503, with or without Retry-After
    TRUNCATED_BODY = "truncated_body"  # after it: the answer is cut
    LOST_REPLY = "lost_reply"  # after it: committed, and nobody hears of it


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It can bite from `at_s` on (since the run or the last phase began) for `for_s` seconds.

    `hits` limits whom: a glob over `METHOD path`, for instance `POST */feedback`. `share` is the probability that it
    bites a request that it could. `times` ends it after so many bites.
    """

    kind: FaultKind
    hits: str = "*"
    at_s: float = 0.0
    for_s: float | None = None
    share: float = 1.0
    times: int | None = None
    shows_as: Ending | None = None
    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    """latency: `delay_s` · overload: `status`, `retry_after_s` · truncated_body: `after_bytes`."""


BELONGS_TO: Final[Mapping[str, frozenset[FaultKind]]] = {
    "shows_as": frozenset({FaultKind.OUTAGE, FaultKind.LOST_REPLY}),
    "status": frozenset({FaultKind.OVERLOAD}),
    "retry_after_s": frozenset({FaultKind.OVERLOAD}),
    "delay_s": frozenset({FaultKind.LATENCY}),
    "after_bytes": frozenset({FaultKind.TRUNCATED_BODY}),
}
"""Which parameter belongs to which kind of fault; all others belong to all."""

CAN_SHOW_AS: Final = (Ending.REFUSED, Ending.RESET, Ending.SILENCE, Ending.CLOSED)
"""What can be chosen; the other endings follow from the kind."""
