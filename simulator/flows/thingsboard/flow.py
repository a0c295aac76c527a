"""A ThingsBoard device.

    device                                          server
      | -- CONNECT user name `provision` -----------> |
      | -- SUBSCRIBE /provision/response -----------> |   it does not wait for the SUBACK: older servers send none
      |    remembers that it has asked                |
      | -- PUBLISH /provision/request --------------> |   or POST /api/v1/provision, over HTTP or CoAP
      | <- PUBLISH /provision/response -------------- |
      |    remembers its credentials, and only then   |
      | -- PUBACK, DISCONNECT ----------------------> |
      | -- CONNECT with what it was given ----------> |
      | -- PUBLISH v1/devices/me/telemetry ---------> |   or POST …/telemetry

The server commits before it answers, and never answers a second time: FAILURE after a request whose answer was lost is
the platform's dead end. A device that remembers that it has asked tells it from a name that was never its own.

Source: docs/contracts/thingsboard.md, the rows D01 to D34.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow, Outcome, Pause
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, OwnCertificate, ProvisionKey
from fleetrig.simulator.flows.thingsboard.life import UNFIT, Fault, Life, switched_on
from fleetrig.simulator.flows.thingsboard.provisioning import provision
from fleetrig.simulator.flows.thingsboard.sessions import Refused, Session, session_of
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings, scheme_of
from fleetrig.simulator.stages import Stage


@dataclass(frozen=True, slots=True)
class ThingsBoardDevice:
    """Our make of ThingsBoard device: a `Behaviour`. Raises UsageError for what no device could do.

    `own`: the credentials that it brings along; None for a token that the server makes. Without `key` it asks for
    nothing: its certificate, with a chain that the server knows, is all it has (X509_CERTIFICATE_CHAIN). The
    certificate itself is the agent's `tls_credential`.
    """

    settings: ThingsBoardSettings
    key: ProvisionKey | None
    own: Credentials | None = None

    def __post_init__(self) -> None:
        if self.key is None and scheme_of(self.settings.telemetry_place) != "mqtts":
            raise UsageError(f"a chain is shown over mqtts only, not to {self.settings.telemetry_place}")
        if self.own is not None and session_of(self.settings, self.own) is None:
            raise UsageError(f"{type(self.own).__name__} cannot be used at {self.settings.telemetry_place}")

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return thingsboard(switched_on(self.settings, self.key, self.own, device, remembered))


DAY_S: Final = 86_400.0

ThingsBoardMake = Callable[[ThingsBoardSettings, ProvisionKey | None, Credentials | None], Behaviour]
"""A make of device; `ThingsBoardDevice` is ours, tests hand in others that misbehave."""


def thingsboard(life: Life) -> Flow:
    """The whole life of a device; ends with the power, or, unless it `stays_on`, when it has nothing more to do."""
    yield from working(life)
    while life.settings.stays_on:
        yield Pause(DAY_S, DAY_S, "nothing to do")


def working(life: Life) -> Flow:
    """To its last telemetry, or until only people can help."""
    if life.settings.start_spread_s > 0:
        yield Pause(0.0, life.settings.start_spread_s, "start spread")
    if life.credentials is None:
        yield from life.enter(Stage.ENROLLING, "power on")
    while life.key is None or life.credentials is not None or (yield from enrolled(life)):
        session = session_of(life.settings, life.credentials or OwnCertificate())
        if session is None:
            yield from life.give_up(Fault.CREDENTIALS_UNFIT, UNFIT)
            return
        if (yield from is_over(life, session)):
            return


def enrolled(life: Life) -> Generator[Effect, Outcome, bool]:
    """Asks until there are credentials. False when only people can help."""
    assert life.key is not None
    if not (yield from provision(life, life.key)):
        return False
    yield from life.enter(Stage.ENROLLED, "provisioned")
    return True


def is_over(life: Life, session: Session) -> Generator[Effect, Outcome, bool]:
    """One session with what the device has, and the wait after it. True when it has nothing more to do."""
    trouble = yield from session(life)
    if trouble is None:
        return True
    if not isinstance(trouble, Refused):
        yield from life.back_off(Stage.BACKING_OFF, trouble)
        return False
    life.refused_logins += 1
    if life.refused_logins < life.settings.login_tries:
        yield from life.back_off(Stage.REFUSED, trouble.why)
        return False
    if life.key is None or life.provisions_left < 1:
        yield from life.give_up(Fault.CREDENTIALS_REFUSED, f"{trouble.why}: its credentials are refused")
        return True
    yield from life.back_off(Stage.REFUSED, trouble.why)
    life.provisions_left, life.refused_logins, life.credentials = life.provisions_left - 1, 0, None
    yield from life.enter(Stage.ENROLLING, "its credentials are refused: it asks for new ones")
    return False
