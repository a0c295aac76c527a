"""A device for the CoAP echo platform: asks, transfers large bodies, observes, reports, is refused, and leaves.

    device                              server
      | -- POST /echo ------------------> |   2.04
      | -- GET /large, PUT /echo -------> |   in blocks, where there are any
      | -- GET /counter, observed ------> |   2.05, and 2.05 whenever it counts
      | -- POST /counter ---------------> |   2.04, and 2.05, which nobody has asked for
      | -- POST /echo, not confirmable -> |   2.04, which nobody waits for at first
      | -- GET /no ---------------------> |   4.03
      | -- GET /counter, taken back ----> |   2.05

When something fails it hangs up, waits and begins anew, with another port; what it has reported is not said again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import (
    Await,
    Disconnect,
    Effect,
    Enter,
    Flow,
    Outcome,
    Pause,
    Remember,
    Reply,
    ask,
    tell,
    wait_for,
)
from fleetrig.simulator.stages import Stage

Done = Generator[Effect, Outcome, bool]
"""A part of its work. False when it has failed."""

CONTENT_FORMAT = 12
LARGE_BYTES = 3_000
WATCH = b"watch"


@dataclass(frozen=True)
class Sensor:
    """A `Behaviour`. `patience_s` is how long it waits for answers and notifications."""

    where: str
    patience_s: float = 20.0

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        has_reported = bool(remembered.get("reported"))
        yield Enter(Stage.ENROLLING, "power on")
        while True:
            if (yield from self._accepted()):
                yield Enter(Stage.ENROLLED, "accepted")
                has_reported = has_reported or (yield from self._reported())
                if has_reported and (yield from self._observed()) and (yield from self._refused()):
                    break
            yield Disconnect()
            yield Enter(Stage.BACKING_OFF)
            yield Pause(0.02, 0.04, "backoff")
            yield Enter(Stage.ENROLLING, "try again")
        yield Enter(Stage.ONLINE)
        yield Disconnect()

    def _accepted(self) -> Done:
        hello = self._request("POST", "/echo", b"hello", options=((CONTENT_FORMAT, b"\x32"),))
        return (
            (yield from self._answered("hello", hello, "2.04"))
            and (yield from self._answered("download", self._request("GET", f"/large?{LARGE_BYTES}"), "2.05"))
            and (yield from self._answered("upload", self._request("PUT", "/echo", b"x" * LARGE_BYTES), "2.04"))
        )

    def _reported(self) -> Done:
        yield from tell("report", self._request("POST", "/echo", b"21.5", confirmable=False))
        if not isinstance((yield from wait_for(self._await("reported", "2.04"))), Reply):
            return False
        yield Remember({"reported": True})
        return True

    def _observed(self) -> Done:
        watching = self._request("GET", "/counter?con", observe=0, token=WATCH)
        if not (yield from self._answered("watch", watching, "2.05")):
            return False
        if not (yield from self._answered("count", self._request("POST", "/counter"), "2.04")):
            return False
        if not isinstance((yield from wait_for(self._await("counted", "2.05"))), Reply):
            return False
        taken_back = self._request("GET", "/counter?con", observe=1, token=WATCH)
        return (yield from self._answered("unwatch", taken_back, "2.05"))

    def _refused(self) -> Done:
        yield from wait_for(Await("idle", ("2.05",), 0.01, 0.03))
        return (yield from self._answered("refused", self._request("GET", "/no"), "4.03"))

    def _answered(self, name: str, request: CoapRequest, line: str) -> Done:
        answer = yield from ask(name, request, self.patience_s)
        return isinstance(answer, Reply) and answer.envelope.line == line

    def _await(self, name: str, line: str) -> Await:
        return Await(name, (line,), self.patience_s, self.patience_s)

    def _request(self, method: str, target: str, payload: bytes = b"", **more: object) -> CoapRequest:
        return CoapRequest(method, self.where, target, payload, **more)  # type: ignore[arg-type]
