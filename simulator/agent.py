"""One device: runs a flow, keeps what it stored, watches its stages, and survives power cuts.

The agent performs nothing. A driver asks it for the next effect with the outcome of the last one; the agent answers
from the flow, having taken care of storage and stages itself.

Power is cut at *points*. A point's name is `<effect>#<n>:<where>`: the n-th time that the device reaches this effect
(`drivers.power_cut_trigger` counts, through power cycles), and `before` it, `sent` (what was to go out is out, nothing
has come back) or `answered` (the outcome is known, nothing was done with it), as far as the effect has such moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.identity import DeviceIdentity, TlsCredential
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Behaviour,
    Connect,
    Disconnect,
    Done,
    Download,
    DrawToken,
    Effect,
    Enter,
    Flow,
    Outcome,
    Pause,
    ReadClock,
    Remember,
    Tell,
)
from fleetrig.simulator.stages import Stage, may_move

CUT_WHERE: Final = ("before", "sent", "answered")

NOTHING: Final[Mapping[str, Json]] = {}
DONE: Final = Done()


def effect_name(effect: Effect) -> str:
    """The name by which power cuts and traces speak of an effect."""
    match effect:
        case Connect() | Ask() | Tell() | Await() | Download():
            return effect.name
        case Disconnect():
            return "disconnect"
        case Pause():
            return f"pause-{effect.why}".replace(" ", "-")
        case Remember():
            return "remember-" + "-".join(sorted(effect.what))
        case Enter():
            return f"enter-{effect.stage}"
        case Apply():
            return "apply"
        case ReadClock():
            return "read-clock"
        case DrawToken():
            return f"draw-{effect.name}"


def cut_points(effect: Effect) -> tuple[str, ...]:
    """Where power can be cut at this effect."""
    match effect:
        case Connect() | Ask() | Download():
            return CUT_WHERE
        case Tell():
            return ("before", "sent")
        case Await():
            return ("before", "answered")
        case _:
            return ("before",)


class Agent:
    """One device and its program. Slots only: fleets hold a hundred thousand of these."""

    __slots__ = ("_behaviour", "_flow", "_remembered", "draws", "identity", "stage", "tls_credential")

    def __init__(
        self, identity: DeviceIdentity, behaviour: Behaviour, tls_credential: TlsCredential | None = None
    ) -> None:
        self.identity = identity
        self.tls_credential = tls_credential
        """What its connections show in handshakes; None for nothing. Transports see to that, no flow does."""
        self.stage = Stage.BLANK
        self.draws = 0
        """How many random numbers this device has used: the counter of `draw`."""
        self._behaviour = behaviour
        self._remembered: Mapping[str, Json] = NOTHING
        self._flow: Flow | None = None

    @property
    def remembered(self) -> Mapping[str, Json]:
        """What survives a power cut."""
        return self._remembered

    @property
    def is_on(self) -> bool:
        return self._flow is not None

    @property
    def behaviour(self) -> Behaviour:
        """Its program."""
        return self._behaviour

    def follow(self, stage: Stage, *, is_on: bool) -> None:
        """Takes over where its twin is, who lives in another process; this one never runs its program."""
        self.stage = stage
        self._flow = elsewhere() if is_on else None

    def reprogram(self, behaviour: Behaviour, tls_credential: TlsCredential | None = None) -> None:
        """Burns another program in, and another certificate or key; both count from the next power-on.

        What is remembered stays.
        """
        self._behaviour, self.tls_credential = behaviour, tls_credential

    def forget(self) -> None:
        """A factory reset: nothing is remembered any more. Raises ModelError when the device is on."""
        if self._flow is not None:
            raise ModelError(f"device {self.identity.serial} cannot forget while it is on")
        self._remembered = NOTHING

    def power_on(self) -> Effect | None:
        """Starts the program from what is remembered; the first effect, or None if it has nothing to do.

        Raises ModelError when the device is on already.
        """
        if self._flow is not None:
            raise ModelError(f"device {self.identity.serial} is already on")
        # A cut can fall anywhere, so a device that restarts is where its storage says, not where the table leads.
        self.stage = Stage(str(self._remembered.get("stage", Stage.BLANK)))
        self._flow = self._behaviour(self.identity, self._remembered)
        return self._send(None)

    def power_cut(self) -> None:
        """Everything not remembered is gone."""
        flow, self._flow = self._flow, None
        if flow is not None:
            flow.close()

    def resume(self, outcome: Outcome) -> Effect | None:
        """The next effect after `outcome`; None when the program has ended.

        Raises ModelError when the device is off.
        """
        return self._send(outcome)

    def settle(self, effect: Remember | Enter) -> Done:
        """Carries out the two effects that concern the device alone. Raises ModelError for an illegal move."""
        if isinstance(effect, Remember):
            self._remembered = remembered_with(self._remembered, effect.what)
        else:
            self._enter(effect.stage)
        return DONE

    def _enter(self, stage: Stage) -> None:
        if not may_move(self.stage, stage):
            raise ModelError(f"device {self.identity.serial}: {self.stage} -> {stage} is not a legal move")
        self.stage = stage

    def _send(self, outcome: Outcome | None) -> Effect | None:
        if self._flow is None:
            raise ModelError(f"device {self.identity.serial} is off")
        try:
            return self._flow.send(outcome)  # type: ignore[arg-type] # None starts a generator
        except StopIteration:
            self._flow = None
            return None


def remembered_with(known: Mapping[str, Json], new: Mapping[str, Json]) -> Mapping[str, Json]:
    """What a device knows and what is new to it, but for what it is to forget."""
    merged = {key: value for key, value in {**known, **new}.items() if value is not None}
    match merged:
        case {"stage": str(stage)} if len(merged) == 1:
            return stage_alone(stage)
        case _:
            return merged


@cache
def stage_alone(stage: str) -> Mapping[str, Json]:
    """One for all devices that remember nothing else, as most of a large fleet do."""
    return {"stage": stage}


def elsewhere() -> Flow:
    """The flow of a device that runs in another process."""
    yield from ()


@dataclass(frozen=True, slots=True)
class CutPoint:
    """Where to cut: parsed from `<effect>#<n>:<where>`."""

    effect: str
    nth: int
    where: str

    @classmethod
    def parse(cls, text: str) -> CutPoint:
        """Raises ValueError with what was expected."""
        head, mark, where = text.rpartition(":")
        effect, hash_, nth = head.rpartition("#")
        counts = nth.isascii() and nth.isdigit() and int(nth) > 0
        if not (mark and hash_ and effect and counts and where in CUT_WHERE):
            raise ValueError(f"a power cut point is written <effect>#<n>:before|sent|answered, got {text!r}")
        return cls(effect, int(nth), where)

    def __str__(self) -> str:
        return f"{self.effect}#{self.nth}:{self.where}"
