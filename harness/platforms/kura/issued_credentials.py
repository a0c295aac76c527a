"""What a server gives to gateways that provision themselves: read where it goes by, and masked from then on."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platforms.kura.payload_view import PROTOBUF
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent, TraceListener
from fleetrig.simulator.flows.kura.codec import from_wire

ANSWER = "provision"
"""What devices call the exchange that brings the material."""
SECRET = "prov.password"


def learning(secrets: Secrets) -> TraceListener:
    """A listener that learns what gateways are given: a server that others run tells nobody else."""

    def look(event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE and event.kind == "received" and event.name == ANSWER:
            for secret in secrets_in(event.envelope):
                secrets.learn("password", secret)

    return look


def secrets_in(envelope: Envelope | None) -> Iterator[str]:
    if isinstance(envelope, MqttPublish):
        payload = from_wire(envelope.payload, encoding=PROTOBUF)
        if payload is not None and (secret := payload.text(SECRET)):
            yield secret
