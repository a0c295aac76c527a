"""The Hono devices of a simulation: who they are, what they show, and how to read what they are told."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fleetrig.harness.report.fleet_readings import NOTHING, Readings
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity, PreSharedKey, UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPublish, MqttPublishAck, MqttSuback
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import MQTT_SCHEMES, Endpoint, HonoSettings

SECRET_BYTES: Final = 16
FAILED_FROM: Final = 0x80
"""Reason codes of MQTT 5 that refuse."""


@dataclass(frozen=True, slots=True)
class FleetMake:
    """What all devices of a simulation share."""

    settings: HonoSettings
    tenant: str
    certificates: Mapping[str, ClientCertificate] = field(default_factory=dict)
    """Serial -> what it shows in handshakes; empty for devices with passwords and keys."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Serial -> its password, or its key as text; the serial is the auth-id."""
    edge_devices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Serial of a gateway -> the devices behind it."""


def build_agents(units: Sequence[Unit], make: FleetMake, *, is_psk: bool) -> tuple[Agent, ...]:
    """Raises UsageError for what no device could do."""
    return tuple(_agent(unit.serial, make, is_psk=is_psk) for unit in units)


def _agent(serial: str, make: FleetMake, *, is_psk: bool) -> Agent:
    settings = make.settings
    if edge := make.edge_devices.get(serial):
        settings = replace(settings, edge_devices=edge)
    if serial in make.certificates:
        return Agent(DeviceIdentity(serial), HonoDevice(settings), make.certificates[serial])
    user, secret = f"{serial}@{make.tenant}", make.secrets[serial]
    if is_psk:
        return Agent(DeviceIdentity(serial), HonoDevice(settings), PreSharedKey(user, secret.encode()))
    return Agent(DeviceIdentity(serial), HonoDevice(settings, UserPassword(user, secret)))


def fresh_secret(kind: str, secrets: Secrets) -> str:
    """Random characters, masked from now on."""
    secret = chance.token_hex(SECRET_BYTES)
    secrets.learn(kind, secret)
    return secret


def edge_of(units: Sequence[Unit], count: int) -> dict[str, tuple[str, ...]]:
    """Serial of each gateway -> `SERIAL-1`, `SERIAL-2` …"""
    return {unit.serial: tuple(f"{unit.serial}-{n}" for n in range(1, count + 1)) for unit in units} if count else {}


# What devices are told

SENDING: Final = {
    "login": "logging in",
    "subscribe": "subscribing",
    "telemetry": "sending telemetry",
    "event": "sending an event",
    "gateway-telemetry": "sending for others",
    "gateway-event": "sending for others",
    "command-response": "answering a command",
}


def readings_of(settings: HonoSettings) -> Readings:
    """Over MQTT what is sent at most once has no answer."""
    endpoint = settings.endpoint
    return Readings(
        poll=endpoint.value,
        activities=SENDING,
        otherwise="leaving",
        is_good=_is_good,
        read=lambda *_: NOTHING,
        noun="message" if endpoint is Endpoint.TELEMETRY else "event",
        judged=frozenset({*SENDING, "ping", "idle"}) - {endpoint.value},
        openings=frozenset({"subscribe"}),
        waits=frozenset({endpoint.value, f"gateway-{endpoint}"}),
        is_told=settings.scheme in MQTT_SCHEMES and not settings.at_least_once,
        asides=frozenset({"ping"}),
        has_updates=False,
    )


def _is_good(_: str, answer: Envelope) -> bool:
    match answer:
        case HttpResponse(status=status):
            return 200 <= status < 300
        case CoapResponse(code):
            return code.startswith("2.")
        case MqttConnack(code=code):
            return code == 0
        case MqttPublishAck(code=code):
            return code < FAILED_FROM
        case MqttSuback(codes=codes):
            return all(code < FAILED_FROM for code in codes)
        case MqttPublish(topic=topic):
            return not topic.startswith("error/")
        case _:
            return not isinstance(answer, MqttDisconnect)
