"""Credentials that a server gives to devices: read where they go by, so that they are masked from then on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import Body, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent, TraceListener
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, Credentials, MqttBasic, read_credentials
from fleetrig.simulator.flows.thingsboard.messages import read_reply

ANSWER = "provision"
"""What devices call the exchange that brings credentials."""


def learning(secrets: Secrets) -> TraceListener:
    """A listener that learns what devices are given: a server that others run tells nobody else."""

    def look(event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE and event.kind == "received" and event.name == ANSWER:
            for kind, secret in secrets_in(given_in(event.envelope)):
                secrets.learn(kind, secret)

    return look


def given_in(envelope: Envelope | None) -> Credentials | None:
    """The credentials of an answer over any transport, in JSON or protobuf; None where there are none."""
    match envelope:
        case MqttPublish(payload=body) | CoapResponse(payload=body) | HttpResponse(body=body):
            return _read(body)
        case _:
            return None


def _read(body: Body) -> Credentials | None:
    reply = read_reply(body) or read_reply(body, is_protobuf=True)
    return None if reply is None else reply.credentials


def credentials_on_server(stored: Mapping[str, Any]) -> Credentials | None:
    """As the REST API shows those of a device (spec 4); None for a kind that no device of ours can use."""
    kind, value = stored.get("credentialsType"), stored.get("credentialsValue")
    if kind == "ACCESS_TOKEN":
        return read_credentials(kind, stored.get("credentialsId"))
    return read_credentials(kind, json.loads(value) if kind == "MQTT_BASIC" and value else value)


def secrets_in(credentials: Credentials | None) -> Iterator[tuple[str, str]]:
    """(kind, value) of what must not be shown; a certificate is no secret."""
    match credentials:
        case AccessToken(token):
            yield "access-token", token
        case MqttBasic(password=password):
            yield "password", password
        case _:
            return
