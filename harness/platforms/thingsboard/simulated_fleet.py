"""The ThingsBoard devices of a simulation: who they are, what they bring along, and how to read what they are told."""

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
from fleetrig.simulator.contract.http import Body, HttpResponse
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPublish, MqttPublishAck
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.messages import ProvisionReply, read_reply
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings

TOKEN_BYTES: Final = 10
"""In hex 20 characters, as many as the server's own tokens have."""
FAILED_FROM: Final = 0x80
"""Reason codes of MQTT 5 that refuse."""


@dataclass(frozen=True, slots=True)
class FleetMake:
    """What all devices of a simulation share."""

    settings: ThingsBoardSettings
    kind: str
    """The word of scenario files for their credentials: `server_token`, `own_token` …"""
    key: ProvisionKey | None
    """None for devices that show a chain."""
    certificates: Mapping[str, ClientCertificate] = field(default_factory=dict)
    """Serial -> what it shows in handshakes."""
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Serial of a gateway -> the devices behind it."""


def build_agents(units: Sequence[Unit], make: FleetMake, secrets: Secrets) -> tuple[Agent, ...]:
    """Raises UsageError for what no device could do. `secrets` learns what devices bring along."""
    return tuple(_agent(unit.serial, make, secrets) for unit in units)


def _agent(serial: str, make: FleetMake, secrets: Secrets) -> Agent:
    shown = make.certificates.get(serial)
    settings = make.settings
    if children := make.children.get(serial):
        settings = replace(settings, children=children)
    own = _own(serial, make.kind, shown, secrets)
    return Agent(DeviceIdentity(serial), ThingsBoardDevice(settings, make.key, own), shown)


def _own(serial: str, kind: str, shown: ClientCertificate | None, secrets: Secrets) -> Credentials | None:
    match kind:
        case "own_token":
            return AccessToken(fresh_secret("access-token", secrets))
        case "mqtt_basic":
            return MqttBasic(f"{serial}-client", f"{serial}-user", fresh_secret("password", secrets))
        case "certificate" if shown is not None:
            return OwnCertificate.of(shown)
        case _:
            return None


def fresh_secret(kind: str, secrets: Secrets) -> str:
    """20 random characters, masked from now on."""
    secret = chance.token_hex(TOKEN_BYTES)
    secrets.learn(kind, secret)
    return secret


def children_of(units: Sequence[Unit], count: int) -> dict[str, tuple[str, ...]]:
    """Serial of each gateway -> `SERIAL-1`, `SERIAL-2` …"""
    return {unit.serial: tuple(f"{unit.serial}-{n}" for n in range(1, count + 1)) for unit in units} if count else {}


# What devices are told

ASKING: Final = "asking for credentials"
ACTIVITIES: Final = {
    "provision-connect": ASKING,
    "provision-subscribe": ASKING,
    "provision-request": ASKING,
    "provision": ASKING,
    "provision-leave": "has its credentials",
    "login": "logging in",
    "gateway-connect": "connecting a child",
    "telemetry": "sending telemetry",
    "gateway-telemetry": "sending telemetry",
}
NO_REPLY: Final = "unusable"
"""A reply with which no device can do anything."""


def reply_in(name: str, answer: Envelope) -> ProvisionReply | None:
    """The reply to a provision request; None for other answers, and for a reply that is of no use."""
    body = _body_of_reply(answer) if name == "provision" else None
    return None if body is None else read_reply(body)


def _body_of_reply(answer: Envelope) -> Body | None:
    match answer:
        case MqttPublish(payload=payload) | CoapResponse("2.01" | "4.00", payload) if payload:
            return payload
        case HttpResponse(status=200, body=body):
            return body
        case _:
            return None


def _word(name: str, answer: Envelope) -> str:
    """ThingsBoard's own word for a reply, the line of any other answer."""
    if name != "provision" or _body_of_reply(answer) is None:
        return answer.line
    reply = reply_in(name, answer)
    return NO_REPLY if reply is None else reply.status


def _is_good(name: str, answer: Envelope) -> bool:
    match answer:
        case _ if name == "provision":
            reply = reply_in(name, answer)
            return reply is not None and reply.credentials is not None
        case HttpResponse(status=status):
            return status == 200
        case CoapResponse(code):
            return code.startswith("2.")
        case MqttConnack(code=code):
            return code == 0
        case MqttPublishAck(code=code):
            return code < FAILED_FROM
        case _:
            return not isinstance(answer, MqttDisconnect)


READINGS: Final = Readings(
    poll="telemetry",
    activities=ACTIVITIES,
    otherwise="leaving",
    is_good=_is_good,
    read=lambda *_: NOTHING,
    word=_word,
    noun="message",
    judged=frozenset({*ACTIVITIES, "ping", "idle"}) - {"telemetry"},
    openings=frozenset({"provision-connect", "provision-subscribe", "provision-request", "provision-leave"}),
    waits=frozenset({"provision"}),
    asides=frozenset({"ping"}),
    has_updates=False,
)


class TokenWatch:
    """Learns the credentials that devices are given, so that no trace shows them. A trace listener."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __call__(self, event: TraceEvent) -> None:
        if event.kind != "received" or event.envelope is None:
            return
        match reply_in(event.name, event.envelope):
            case ProvisionReply(credentials=AccessToken(token)):
                self._secrets.learn("access-token", token)
            case ProvisionReply(credentials=MqttBasic(password=password)):
                self._secrets.learn("password", password)
            case _:
                pass
