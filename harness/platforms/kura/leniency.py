"""What real gateways may do otherwise than our model without harm, and what of their messages matters.

What is measured is a gateway's own affair, and so are its times: of payloads only the place matters.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.drivers.oracle_rules import Leniency
from fleetrig.simulator.effects import DrawToken
from fleetrig.simulator.flows.kura.codec import from_wire


def token_in(wanted: DrawToken, said: Envelope) -> str | None:
    """What a gateway has drawn for a message of provisioning: its id, and the nonce of a request."""
    if not isinstance(said, MqttPublish) or "/POST/" not in said.topic:
        return None
    payload = from_wire(said.payload, encoding="kura-protobuf")
    if payload is None:
        return None
    if wanted.name == "nonce":
        return (payload.data("prov.nonce") or b"").decode("latin-1")
    return payload.text("request.id") if wanted.name == "request-id" else None


LENIENCY: Final = Leniency(
    repeats={"subscribe": 3, "provision-subscribe": 3, "birth": 2},
    optional=("ping", "dc", "apps"),
    unsaid=("download",),
    beside=("ping", "hang-up", "subscribe", "unsubscribe", "puback", "apps", "notify"),
    compared={"login": ("user_name", "password", "client_id"), "*": ("topic",)},
    seen_as={
        "provision-connect": "login",
        "provision-leave": "hang-up",
        "leave": "hang-up",
        "provision-confirmed": "provision",
    },
    clauses={
        "login": "kura#G02",
        "provision-subscribe": "kura#G04",
        "provision-request": "kura#G14",
        "provision-confirm": "kura#G34",
        "birth": "kura#G49",
        "reply": "kura#G42",
        "dc": "kura#G40",
        "hang-up": "kura#G40",
        "apps": "kura#G50",
    },
    lost_as=("refused", "timeout"),
    token_in=token_in,
)
