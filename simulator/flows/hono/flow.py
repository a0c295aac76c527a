"""A Hono device.

    device                                          adapter
      | -- TLS handshake with its certificate ------> |   MQTT and HTTP; over CoAP a certificate or a key, in DTLS
      | -- CONNECT, or POST /telemetry -------------> |   with auth-id@tenant and password unless it has one of those
      | <- CONNACK 0, or 202 ------------------------ |   the first time the server may make the device
      |    remembers that it was let in               |
      | -- PUBLISH telemetry, QoS 1 ----------------> |   says it again until it is accepted
      | <- PUBACK, or 202; 200 with a command ------- |
      | -- POST /command/res/{id} ------------------> |

A device asks for nothing and is given nothing: who it is stands in what it shows, so there is no state to lose. What a
refusal means is told apart by its code, as far as the transport has one.

Source: docs/contracts/hono.md, the rows D01 to D16.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity, UserPassword
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow, Outcome, Pause
from fleetrig.simulator.flows.hono.heard import Heard
from fleetrig.simulator.flows.hono.life import HonoLife, switched_on
from fleetrig.simulator.flows.hono.mqtt_session import mqtt_session
from fleetrig.simulator.flows.hono.posting import COAP, HTTP, posting_session
from fleetrig.simulator.flows.hono.settings import COAP_SCHEMES, MQTT_SCHEMES, HonoSettings
from fleetrig.simulator.stages import Stage

DAY_S: Final = 86_400.0
TLS_SCHEMES: Final = ("https", "mqtts", "coaps")

Session = Callable[[HonoLife], Generator[Effect, Outcome, Heard | None]]
"""Ends with trouble, or with None when the device has sent all that it wanted to."""


@dataclass(frozen=True, slots=True)
class HonoDevice:
    """Our make of Hono device: a `Behaviour`. Raises UsageError for what no device could do.

    `login`: `auth-id@tenant` and its password. None for a device that shows a certificate or a key in handshakes: that
    is the agent's `tls_credential`.
    """

    settings: HonoSettings
    login: UserPassword | None = None

    def __post_init__(self) -> None:
        scheme = self.settings.scheme
        if self.login is None and scheme not in TLS_SCHEMES:
            raise UsageError(f"certificates and keys are shown over TLS and DTLS only, not to {self.settings.url}")
        if self.login is not None and scheme in COAP_SCHEMES:
            raise UsageError("over CoAP there are no passwords: a device shows a certificate or a key (psk)")

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return hono(switched_on(self.settings, self.login, device, remembered))


HonoMake = Callable[[HonoSettings, UserPassword | None], Behaviour]
"""A make of device; `HonoDevice` is ours, tests hand in others that misbehave."""


def hono(life: HonoLife) -> Flow:
    """The whole life of a device; ends with the power, or, unless it `stays_on`, when it has nothing more to do."""
    yield from working(life)
    while life.settings.stays_on:
        yield Pause(DAY_S, DAY_S, "nothing to do")


def working(life: HonoLife) -> Flow:
    """To its last message, or until only people can help."""
    if life.settings.start_spread_s > 0:
        yield Pause(0.0, life.settings.start_spread_s, "start spread")
    if not life.is_enrolled:
        yield from life.enter(Stage.ENROLLING, "power on")
    session = session_of(life.settings)
    while (trouble := (yield from session(life))) is not None:
        if not (yield from life.recover(trouble)):
            return


def session_of(settings: HonoSettings) -> Session:
    """By the transport of the URL."""
    if settings.scheme in MQTT_SCHEMES:
        return mqtt_session
    return partial(posting_session, COAP if settings.scheme in COAP_SCHEMES else HTTP)
