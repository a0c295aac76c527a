"""The gateways of a simulation: who they are, what they present, and how to read what they are told."""

from __future__ import annotations

import secrets as chance
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fleetrig.harness.platforms.kura.gateway_names import names_of
from fleetrig.harness.report.fleet_readings import NOTHING, Readings
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublishAck, MqttSuback
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings

SECRET_BYTES: Final = 12
PASSWORD_SALT: Final = "aA1!"
"""A password has a small and a capital letter, a digit and a symbol (spec 5.4)."""
FAILED_FROM: Final = 0x80
"""Return codes that refuse."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a gateway presents to the provision broker."""

    password: str = field(repr=False)
    activation_key: str = field(default="", repr=False)


def build_agents(units: Sequence[Unit], settings: KuraSettings) -> tuple[Agent, ...]:
    """Raises UsageError for what no gateway could do."""
    return tuple(Agent(DeviceIdentity(unit.serial), gateway(settings, unit.serial)) for unit in units)


def gateway(settings: KuraSettings, serial: str, bootstrap: Bootstrap | None = None) -> KuraGateway:
    """One of a fleet: names of its own, and what its request says if it has one."""
    names = names_of(serial)
    own = replace(
        settings,
        hardware=GatewayHardware(mac=names.mac, serial_number=serial),
        transport=replace(settings.transport, client_id=names.client_id),
        provisioning=replace(settings.provisioning, client_id=names.client_id),
    )
    if bootstrap is not None:
        presented = replace(own.provisioning, password=bootstrap.password, activation_key=bootstrap.activation_key)
        own = replace(own, provisioning=presented)
    return KuraGateway(own)


def fresh_password(secrets: Secrets) -> str:
    """Random characters that Kapua's rules take, masked from now on."""
    password = PASSWORD_SALT + chance.token_hex(SECRET_BYTES)
    secrets.learn("password", password)
    return password


# What devices are told

PROVISIONING: Final = "provisioning itself"
ACTIVITIES: Final = {
    "provision-connect": PROVISIONING,
    "provision-subscribe": PROVISIONING,
    "provision-request": PROVISIONING,
    "provision": PROVISIONING,
    "provision-confirm": PROVISIONING,
    "provision-confirmed": PROVISIONING,
    "provision-leave": "has its material",
    "download": "installing a bundle",
    "login": "connecting",
    "birth": "announcing itself",
    "subscribe": "announcing itself",
    "telemetry": "sending telemetry",
    "reply": "answering a control message",
}


def readings_of(settings: KuraSettings) -> Readings:
    """What is sent at most once has no answer."""
    return Readings(
        poll="telemetry",
        activities=ACTIVITIES,
        otherwise="leaving",
        is_good=_is_good,
        read=lambda *_: NOTHING,
        noun="message",
        judged=frozenset({*ACTIVITIES, "ping"}) - {"telemetry", "reply"},
        openings=frozenset({"provision-connect", "provision-subscribe", "provision-request", "provision-leave"}),
        waits=frozenset({"provision", "provision-confirmed"}),
        asides=frozenset({"ping", "reply", "notify"}),
        is_told=settings.telemetry_qos == 0,
        has_updates=False,
    )


def _is_good(_: str, answer: Envelope) -> bool:
    match answer:
        case MqttConnack(code=code):
            return code == 0
        case MqttPublishAck(code=code):
            return code < FAILED_FROM
        case MqttSuback(codes=codes):
            return all(code < FAILED_FROM for code in codes)
        case _:
            return True
