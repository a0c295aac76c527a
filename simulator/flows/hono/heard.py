"""What a server's answer means to a device, whatever carried it: a status as HTTP has them (spec 2.6, 4.1 to 4.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from fleetrig.simulator.backoff import parse_retry_after
from fleetrig.simulator.contract.coap import CoapReset, CoapResponse
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack
from fleetrig.simulator.effects import NoReply

NOTHING: Final = 0
"""The status of what brought no answer at all."""
OF_CONNACK: Final = {
    1: 400, 2: 400, 3: 503, 4: 401, 5: 403,
    0x84: 400, 0x85: 400, 0x86: 401, 0x87: 403, 0x88: 503, 0x89: 503, 0x8A: 403, 0x97: 429, 0x9C: 503,
}  # fmt: skip
"""Others speak of the server: 500."""
MAX_AGE: Final = 14
"""The option in which a CoAP server says when to come again (RFC 7252 §5.9.3.4)."""


class Heard(NamedTuple):
    status: int
    """`NOTHING`, or as HTTP has them."""
    why: str
    """The answer in the words of its own protocol: `HTTP 403`, `CONNACK 5`, `CoAP 4.03`, `timeout`."""
    retry_after_s: float | None = None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


ACCEPTED: Final = Heard(202, "accepted")


def from_http(answer: HttpResponse) -> Heard:
    """`Retry-After` counts with any status that refuses."""
    asked_s = parse_retry_after(answer.header("Retry-After"), answer.header("Date"))
    return Heard(answer.status, f"HTTP {answer.status}", asked_s)


def from_coap(answer: CoapResponse | CoapReset) -> Heard:
    """Class and detail make up the status; Max-Age counts with 5.03 alone."""
    if isinstance(answer, CoapReset):
        return Heard(NOTHING, "CoAP RST")
    kind, _, detail = answer.code.partition(".")
    status = int(kind) * 100 + int(detail)
    max_age = next((value for number, value in answer.options if number == MAX_AGE), None)
    asked_s = float(int.from_bytes(max_age, "big")) if max_age is not None and status == 503 else None
    return Heard(status, f"CoAP {answer.code}", asked_s)


def from_connack(answer: MqttConnack) -> Heard:
    """The code of 3.1.1 or 5; the three that Hono's devices have to keep apart are 3, 4 and 5."""
    return ACCEPTED if answer.code == 0 else Heard(OF_CONNACK.get(answer.code, 500), answer.line)


def from_silence(answer: NoReply) -> Heard:
    return Heard(NOTHING, answer.why)
