"""What is known of one attempt to make a unit: one record, from before the board is touched to its verdict.

No secret stands in it: of credentials it has the kind and a fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

SCHEMA_VERSION: Final = 1


class UnitVerdict(StrEnum):
    UNFINISHED = "unfinished"
    """The attempt is under way, or the bench died under it: nothing is known of the board's condition."""
    PASSED = "passed"
    FAILED = "failed"
    """The board's fault."""
    BROKEN = "broken"
    """The bench's."""
    STOPPED = "stopped"
    """By a person."""


@dataclass(frozen=True, slots=True)
class UnitIdentity:
    """Who the unit is. `serial` and `mac` belong together for ever."""

    serial: str
    mac: str = ""
    """Lower case with colons; empty for a board without network."""
    part: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class UnitPhase:
    """One step of the ladder: `flashed`, `booted`, `provisioned` …"""

    name: str
    verdict: UnitVerdict
    took_s: float
    reason: str = ""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class UnitMeasure:
    """A measured figure with the limits it was held to, where there were any."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One attempt. Times are microseconds since 1970; hashes are SHA-256 in hex."""

    attempt: int
    """1 for a unit's first one."""
    identity: UnitIdentity
    station: str
    """The bench that did it: its host and bench file's name."""
    board: str
    """Which board of that bench, by its name there."""
    board_type: str
    began_us: int
    image: str = ""
    image_sha256: str = ""
    server: str = ""
    """Where it was made known, from right before that on."""
    configuration_sha256: str = ""
    """Of what is the same for all units of its kind: server, and the texts that it was given with their places open."""
    credential_kind: str = ""
    credential_fingerprint: str = ""
    written: Mapping[str, str] = field(default_factory=dict)
    """Path or variable on the board -> fingerprint of what it was given there."""
    phases: tuple[UnitPhase, ...] = ()
    measures: tuple[UnitMeasure, ...] = ()
    verdict: UnitVerdict = UnitVerdict.UNFINISHED
    reason: str = ""
    ended_us: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    """Whatever else the bench wants to be kept: the lot, the operator."""

    def with_phase(self, phase: UnitPhase) -> UnitRecord:
        return replace(self, phases=(*self.phases, phase))

    def with_measure(self, measure: UnitMeasure) -> UnitRecord:
        return replace(self, measures=(*self.measures, measure))

    def ended(self, at_us: int, verdict: UnitVerdict, reason: str = "") -> UnitRecord:
        return replace(self, ended_us=at_us, verdict=verdict, reason=reason)
