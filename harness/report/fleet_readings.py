"""What the messages of a platform's devices mean: handed to a report, which knows no dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answered exchange says of a device."""

    interval_s: float | None = None
    """The poll interval that the server named."""
    version: str | None = None
    """The version that the device is to install."""
    has_sent_attributes: bool = False
    update: str = ""
    """Names the update whose end was reported; a repeated report has the same name."""
    update_passed: bool = False


NOTHING: Final = Reading()


@dataclass(frozen=True, slots=True)
class Readings:
    """What a platform's messages mean: handed in, since reports know no dialect."""

    poll: str
    """The name of the exchange that a device repeats as long as it lives: it is counted."""
    activities: Mapping[str, str]
    """What a device does while an exchange of this name is under way; `{version}` is that of its update."""
    otherwise: str
    """What it does during all other exchanges."""
    is_good: Callable[[str, Envelope], bool]
    """Name of the exchange, an answer to it -> whether that is no refusal and no failure."""
    read: Callable[[str, Envelope | None, Envelope], Reading]
    """Name of the exchange, what was sent, a good answer to it -> what that says."""
    word: Callable[[str, Envelope], str] = lambda _, answer: answer.line
    """Name of the exchange, an answer to it -> that answer in a word."""
    noun: str = "poll"
    """What people call the exchange that is counted."""
    judged: frozenset[str] = frozenset()
    """Exchanges whose failure puts a device in trouble, beside `poll`."""
    openings: frozenset[str] = frozenset()
    """Those of them whose good answer says nothing of the device yet, as that of a connection."""
    waits: frozenset[str] = frozenset()
    """Waits for an answer: the end of the time is a failure. Of others it says that nothing has happened."""
    asides: frozenset[str] = frozenset()
    """Exchanges that change nothing in what a device does, as long as they are answered well."""
    is_told: bool = False
    """The exchange that is counted has no answer: it counts when it is out."""
    has_updates: bool = True
    """Whether devices of this platform send attributes and install updates."""
