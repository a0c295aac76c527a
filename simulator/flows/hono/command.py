"""Commands: how they come over each transport, and what this make of device does with them (spec 4.1 to 4.3)."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapReset, CoapResponse
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.flows.hono.life import OWN, HonoLife

LOCATION_PATH: Final = 8
LOCATION_QUERY: Final = 20
RESPONSES: Final = ("command_response", "cr")
TOPIC: Final = re.compile(r"(?:command|c)/[^/]*/([^/]*)/(?:req|q)/([^/]*)/(.+)", re.DOTALL)
SET_INTERVAL: Final = "setInterval"
"""The one command that changes something: `{"seconds": 30}` is the time between two messages from now on."""
LEAST_INTERVAL_S: Final = 1.0
LONGEST_INTERVAL_S: Final = 86_400.0


class Command(NamedTuple):
    name: str
    request_id: str
    """Empty: nobody waits for an answer."""
    device_id: str
    """Of the device behind the gateway; `OWN` for the one that heard it."""
    payload: bytes
    answer_path: str = ""
    """Where the answer goes over CoAP."""


class Result(NamedTuple):
    status: int
    """As HTTP has them."""
    payload: bytes


def from_http(answer: HttpResponse) -> Command | None:
    """A command that came with a 200 (D15)."""
    name = answer.header("hono-command")
    if not name:
        return None
    request_id = answer.header("hono-cmd-req-id") or ""
    return Command(name, request_id, answer.header("hono-cmd-target-device") or OWN, body_bytes(answer.body))


def from_coap(answer: CoapResponse | CoapReset) -> Command | None:
    """`Location-Query: hono-command=…`; the Location-Path names who shall do it, and where the answer goes."""
    if isinstance(answer, CoapReset):
        return None
    query = "&".join(_texts(answer, LOCATION_QUERY))
    name = dict(parse_qsl(query)).get("hono-command")
    if not name:
        return None
    parts = _texts(answer, LOCATION_PATH)
    is_answered = bool(parts) and parts[0] in RESPONSES
    return Command(
        name,
        request_id=parts[-1] if is_answered else "",
        device_id=parts[2] if len(parts) > 2 else OWN,
        payload=answer.payload,
        answer_path="".join(f"/{quote(part, safe='')}" for part in parts) if is_answered else "",
    )


def from_mqtt(publish: MqttPublish) -> Command | None:
    """`command///req/{id}/{name}`; the id is empty in a command that wants no answer."""
    found = TOPIC.fullmatch(publish.topic)
    return None if found is None else Command(found[3], found[2], found[1], publish.payload)


def carry_out(life: HonoLife, command: Command) -> Result:
    """`setInterval` is done; what else comes is said back, so that its sender sees that it arrived."""
    if command.name != SET_INTERVAL or command.device_id != OWN:
        return Result(200, command.payload)
    try:
        seconds = json.loads(command.payload)["seconds"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Result(400, b"")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not LEAST_INTERVAL_S <= seconds <= LONGEST_INTERVAL_S:
        return Result(400, b"")
    life.interval_s = float(seconds)
    return Result(200, command.payload)


def _texts(answer: CoapResponse, wanted: int) -> list[str]:
    return [value.decode("utf-8", "replace") for number, value in answer.options if number == wanted]
