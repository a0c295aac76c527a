"""The one record of a run: every event, wherever it happened, is a `TraceEvent` in one stream.

Three rules for writing one:
1. A lane has one writer: drivers the `device` lane, `reference_server.server` the `server` lane, fronts the `network`
   lane, `hil` the `board` lane, the harness the `bench` lane. `seq` counts within the lane; order is only promised
   there.
2. An event is made only when there is a listener.
3. Secrets are masked when an event is written out (`masking.Secrets`), by value and by place, bodies included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from fleetrig.simulator.contract.envelope import Envelope


class Lane(StrEnum):
    BENCH = "bench"
    DEVICE = "device"
    NETWORK = "network"
    SERVER = "server"
    BOARD = "board"


KINDS: Final[Mapping[Lane, tuple[str, ...]]] = {
    Lane.DEVICE: (
        "power_on", "power_cut", "ended", "connected", "disconnected", "sent", "received", "downloaded", "no_reply",
        "waited", "paused", "applied", "remembered", "entered", "dropped",
    ),
    Lane.SERVER: (
        "received", "step", "fault", "answered", "refused", "delivered", "opened", "closed", "pushed", "advanced",
    ),
    Lane.NETWORK: ("fault", "malformed", "refused", "handed_on", "handing_on_failed"),
    Lane.BOARD: (
        "port_opened", "port_lost", "power_on", "power_off", "reset", "line", "typed", "ran", "identified", "flashing",
        "flashed", "flash_failed", "booted", "panicked", "reset_seen", "line_fault", "bridged",
    ),
    Lane.BENCH: (
        "begun", "plays", "phase", "action", "carried_out", "failed", "over", "asked", "measured", "verdict", "ended",
        "note",
    ),
}  # fmt: skip
"""The kinds of event that each lane has; `TraceEvent` says what they mean."""


class TraceEvent(NamedTuple):
    """One thing that happened. `kind` is a word of its lane:

    device: power_on power_cut ended · connected disconnected · sent received downloaded no_reply · waited paused
    applied · remembered entered · dropped
    server: received (its reason says from where) step (its name: what the platform did on its way to the answer) fault
    answered refused delivered; of sessions that last also opened closed pushed (unasked) advanced (something changed
    by itself)
    network: fault malformed refused (by TLS itself) · handed_on handing_on_failed (to an external system: a webhook)
    board: port_opened port_lost · power_on power_off reset · line (what its console said, in the reason) typed · ran (a
    console command, its exit status in the reason) · identified flashing flashed flash_failed · booted panicked
    reset_seen (it restarted by itself) · line_fault · bridged (a message that went over its line)
    bench: begun plays (which board has which role) phase action · carried_out failed (what a board was to do) · over
    (the wait of a phase) asked measured (what a passed check saw) verdict ended note (a fault is set)

    On the device lane `received` is an answer, or a message that the device awaited and took; `no_reply` says why there
    was none, also when the other side has ended the connection (`closed`, `reset`); `waited`: nothing came in the time
    that the device had for it, as when it idles; `connected` follows an accepted CONNACK; `disconnected` is the
    device's own doing; `dropped` left a full inbox unread.
    """

    at_us: int
    seq: int
    device: str
    lane: Lane
    kind: str
    envelope: Envelope | None = None
    stage: str = ""
    fault: str = ""
    reason: str = ""
    cites: str = ""
    name: str = ""
    """What the sender calls it: `poll`, `configData`, `feedback-closed`; the phase or action on the bench lane."""
    took_us: int = 0
    """Waiting time of an answer, or length of a pause."""
    session: int = 0
    """In the server and network lanes: the session it belongs to, by which an answer finds its question; 0 for none."""


TraceListener = Callable[[TraceEvent], None]
ChoosesDevice = Callable[[str], bool]
"""Whether a listener hears of the device with this serial; the empty one stands for what is of no device."""


HeardBy = tuple[tuple[tuple[TraceListener, ChoosesDevice], ...], tuple[TraceListener, ...]]
"""The listeners that choose devices, and all others."""


class Listening(NamedTuple):
    """A listener, and what it hears; None for all."""

    listener: TraceListener
    kinds: frozenset[str] | None
    chooses: ChoosesDevice | None


class Trace:
    """Numbers the events of each lane and hands them to the listeners."""

    __slots__ = ("_heard", "_listeners", "_seq", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        """False without a listener: then do not even make the event."""
        self._listeners: tuple[Listening, ...] = ()
        self._heard: dict[str, HeardBy] = {}
        """Kind -> its listeners, computed once."""
        self._seq: dict[Lane, int] = dict.fromkeys(Lane, 0)

    def listen(
        self,
        listener: TraceListener,
        kinds: Collection[str] | None = None,
        *,
        chooses: ChoosesDevice | None = None,
    ) -> Callable[[], None]:
        """Adds a listener, of some kinds of event only if they are named, and of the devices that it chooses.

        The returned function takes it away again. Those that choose hear an event before all others.
        """
        entry = Listening(listener, None if kinds is None else frozenset(kinds), chooses)
        self._change((*self._listeners, entry))
        return lambda: self._change(tuple(other for other in self._listeners if other is not entry))

    def _change(self, listeners: tuple[Listening, ...]) -> None:
        self._listeners = listeners
        self._heard = {}
        self.wanted = bool(listeners)

    def _hearing(self, kind: str) -> HeardBy:
        found = [one for one in self._listeners if one.kinds is None or kind in one.kinds]
        choosing = tuple((one.listener, one.chooses) for one in found if one.chooses is not None)
        self._heard[kind] = choosing, tuple(one.listener for one in found if one.chooses is None)
        return self._heard[kind]

    def emit(
        self,
        at_us: int,
        lane: Lane,
        kind: str,
        device: str = "",
        *,
        envelope: Envelope | None = None,
        stage: str = "",
        fault: str = "",
        reason: str = "",
        cites: str = "",
        name: str = "",
        took_us: int = 0,
        session: int = 0,
    ) -> None:
        if not self._listeners:
            return
        seq = self._seq[lane] = self._seq[lane] + 1
        choosing, listeners = self._heard.get(kind) or self._hearing(kind)
        for listener, chooses in choosing:
            if chooses(device):
                listeners = (listener, *listeners)
        if not listeners:
            return
        event = TraceEvent(
            at_us, seq, device, lane, kind, envelope, stage, fault, reason, cites, name, took_us, session
        )
        for listener in listeners:
            listener(event)
