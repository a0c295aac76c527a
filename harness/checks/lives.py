"""Could it have happened at all? Which of the devices that a check is about lived while it watched."""

from __future__ import annotations

from collections.abc import Collection

from fleetrig.harness.checks.fold import format_amount, summarize_names
from fleetrig.simulator.contract.trace import Lane, TraceEvent


class Lives:
    """What devices do not do says something only of devices that lived: those that were on; programs, once heard."""

    def __init__(
        self,
        serials: Collection[str],
        alive: Collection[str] = (),
        lane: Lane | None = Lane.DEVICE,
        played: Collection[str] = (),
    ) -> None:
        """`alive`: those that live from the start. `lane`: where events of devices come from; with None from the
        server for those that are `played` by boards, from the devices themselves for all others."""
        self._serials = dict.fromkeys(serials)
        self._lived = {serial for serial in alive if serial in self._serials}
        self._lane = lane or Lane.DEVICE
        self._played = frozenset(played)
        self._sent = 0
        self._unreadable = 0
        self._why_unreadable = ""

    def step(self, event: TraceEvent) -> None:
        if event.lane is Lane.NETWORK and event.kind == "malformed":
            self._unreadable += 1
            self._why_unreadable = event.reason
        if event.device in self._serials and event.lane is self._source_of(event.device):
            self._lived.add(event.device)
            self._sent += event.kind == "sent"

    def _source_of(self, device: str) -> Lane:
        return Lane.SERVER if device in self._played else self._lane

    def __bool__(self) -> bool:
        """True when at least one of them lived."""
        return bool(self._lived)

    def __str__(self) -> str:
        """`2 of 3 devices lived and sent 14 requests`."""
        devices = format_amount(len(self._lived), "device")
        of = "" if len(self._lived) == len(self._serials) else f" of {len(self._serials)}"
        return f"{devices}{of} sent {format_amount(self._sent, 'request')}"

    @property
    def why_not(self) -> str:
        """Why it could not have happened."""
        if not self._serials:
            return "there is no such device, so it could not have happened"
        whom = summarize_names(list(self._serials))
        if any(self._source_of(serial) is Lane.DEVICE for serial in self._serials):
            return f"it could not have happened: {whom} {_were(self._serials)} never on"
        return f"it could not have happened: the server heard nothing of {whom}{self.unreadable}"

    @property
    def unreadable(self) -> str:
        """What nobody knows who has sent, as a device does that speaks another protocol; empty if there was none."""
        if not self._unreadable:
            return ""
        return f"; the server could not read {format_amount(self._unreadable, 'message')}: {self._why_unreadable}"


def _were(serials: Collection[str]) -> str:
    return "was" if len(serials) == 1 else "were"
