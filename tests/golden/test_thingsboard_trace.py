"""What our server's trace says of the recordings: no key, secret, token or password (S83), and why it refused."""

from __future__ import annotations

import re

import pytest

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line
from tests.golden.test_thingsboard_recordings import FILES, played
from tests.golden.thingsboard_player.player import Player

TOKEN = re.compile(r"[A-Za-z0-9]{20}|[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}")
"""Access tokens and those of operators, among the values that answers have bound."""
GIVEN = (
    "SA{run}",
    "SC{run}",
    "SN{run}",
    "tok-{run}-http",
    "tok-{run}-mqtt",
    "tok18-{run}",
    "tk-phttp-{run}",
    "Secret-123",
)
"""What devices and operators bring themselves, in one recording or another."""


def secrets_of(player: Player) -> set[str]:
    bound = {value for value in player.names.values() if isinstance(value, str) and TOKEN.fullmatch(value)}
    return bound | {text.format(run=player.run) for text in GIVEN}


@pytest.mark.parametrize("name", FILES)
def test_nothing_secret_is_told(name: str) -> None:
    player = played(name)
    told = "\n".join(player.served.told)
    assert {secret for secret in secrets_of(player) if secret in told} == set()


def test_some_of_it_would_be_told_if_the_platform_kept_quiet() -> None:
    """All else is masked by the place where it stands."""
    player = played("1-allow-create")
    told = "\n".join(to_line(event, Secrets()) for event in player.served.raw)
    assert any(secret in told for secret in secrets_of(player))


@pytest.mark.parametrize("name", FILES)
def test_every_refusal_has_a_reason(name: str) -> None:
    """Of an MQTT request it stands at the first packet of the answer."""
    answers = [event for event in played(name).served.raw if event.kind in ("answered", "refused")]
    silent = [event.envelope.line for event in answers if event.envelope and refuses(event) and not event.reason]
    assert silent == []
    assert any(event.reason for event in answers)


def refuses(event: TraceEvent) -> bool:
    match event.envelope:
        case HttpResponse():
            return event.envelope.status >= 400 or says_no(body_bytes(event.envelope.body))
        case CoapResponse():
            return event.envelope.code >= "4"
        case MqttConnack():
            return event.envelope.code > 0
        case _:
            return event.kind == "refused"


def says_no(body: bytes) -> bool:
    return b'"FAILURE"' in body or b'"NOT_FOUND"' in body
