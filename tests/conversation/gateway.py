"""A device for the echo platform: connects, subscribes, publishes, hears its echo and a reminder, pings, and leaves.

    device                          server
      | -- CONNECT, SUBSCRIBE -------> |
      | -- PUBLISH up, QoS 1 --------> |   PUBACK, and PUBLISH echo/up
      | -- PUBLISH remind, QoS 1 ----> |   PUBACK, and PUBLISH reminder some time later, which nobody has asked for
      | -- PINGREQ ------------------> |   twice, and an idle time before each, in which its echo may come again
      | -- DISCONNECT ---------------> |

When something fails it disconnects, waits and begins anew; what the server has acknowledged is not said again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.effects import (
    Await,
    Connect,
    Disconnect,
    Effect,
    Enter,
    Flow,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    ask,
    connect,
    tell,
    wait_for,
)
from fleetrig.simulator.stages import Stage
from tests.conversation.echo_platform import PASSWORD

Part = Generator[Effect, Outcome, bool]
"""A part of its work. False when it has failed."""

PINGS = 2
REMIND_AFTER_MS = b"40"


@dataclass(frozen=True)
class Gateway:
    """A `Behaviour`. `patience_s` is how long it waits for answers and pushes."""

    where: str
    patience_s: float = 20.0

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        is_up = bool(remembered.get("up"))
        yield Enter(Stage.ENROLLING, "power on")
        while True:
            if (yield from self._accepted(device)):
                yield Enter(Stage.ENROLLED, "accepted")
                is_up = is_up or (yield from self._published())
                if is_up and (yield from self._reminded()) and (yield from self._kept_alive()):
                    break
            yield Disconnect()
            yield Enter(Stage.BACKING_OFF)
            yield Pause(0.02, 0.04, "backoff")
            yield Enter(Stage.ENROLLING, "try again")
        yield Enter(Stage.ONLINE)
        yield from tell("goodbye", MqttDisconnect())
        yield Disconnect()

    def _accepted(self, device: DeviceIdentity) -> Part:
        first = MqttConnect(device.serial, "gateway", PASSWORD.encode())
        answer = yield from connect(Connect("connect", self.where, first, self.patience_s))
        match answer:
            case Reply(MqttConnack(code=0)):
                subscribe = MqttSubscribe((Subscription("echo/#"),))
                return isinstance((yield from ask("subscribe", subscribe, self.patience_s)), Reply)
            case _:
                return False

    def _published(self) -> Part:
        answer = yield from ask("publish", MqttPublish("up", b"1", qos=1), self.patience_s)
        if isinstance(answer, NoReply) or (yield from self._awaited("echo", "PUBLISH echo/up")) is None:
            return False
        yield Remember({"up": True})
        return True

    def _reminded(self) -> Part:
        answer = yield from ask("remind", MqttPublish("remind", REMIND_AFTER_MS, qos=1), self.patience_s)
        return isinstance(answer, Reply) and (yield from self._awaited("push", "PUBLISH reminder")) is not None

    def _kept_alive(self) -> Part:
        for _ in range(PINGS):
            yield from wait_for(Await("idle", ("PUBLISH echo/up",), 0.01, 0.03))
            if isinstance((yield from ask("ping", MqttPingreq(), self.patience_s)), NoReply):
                return False
        return True

    def _awaited(self, name: str, pattern: str) -> Generator[Effect, Outcome, Envelope | None]:
        came = yield from wait_for(Await(name, (pattern,), self.patience_s, self.patience_s))
        return came.envelope if isinstance(came, Reply) else None
