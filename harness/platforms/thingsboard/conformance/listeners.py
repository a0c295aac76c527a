"""Where devices connect: which listeners a foreign server has, and why rows on the others say nothing about it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.conformance.exact_coap import GET, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.harness.platforms.thingsboard.conformance.asking import PATH, PROVISION
from fleetrig.harness.platforms.thingsboard.conformance.under_test import LISTENERS
from fleetrig.harness.servers.address import host_of
from fleetrig.simulator.contract.errors import BrokenBench

USUAL_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "coap": 5683}
NONE: Final = "-"
MQTT_WITHIN_S: Final = 20.0
"""As in rows: who accepts a connection may be busy."""
COAP_WITHIN_S: Final = 6.0
"""Time for one repetition of a datagram."""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A listener that may be there."""

    name: str
    place: Place
    is_named: bool
    """By an option or a SERVER.yaml; else it is guessed."""


def wanted_listeners(url: str, named: Mapping[str, Place | None], *, guesses: bool) -> list[Wanted]:
    """Those that were named (None: left out on purpose), and where ThingsBoard usually has the others."""
    found = []
    for name in LISTENERS:
        place = named.get(name)
        if place is not None:
            found.append(Wanted(name, place, is_named=True))
        elif name not in named and guesses:
            found.append(Wanted(name, (host_of(url), USUAL_PORTS[name]), is_named=False))
    return found


def reached(wanted: list[Wanted]) -> tuple[dict[str, Place], dict[str, str]]:
    """Those that answer, and for the others a sentence on why rows say nothing about them, and on what to give."""
    places: dict[str, Place] = {}
    missing: dict[str, str] = {}
    for one in wanted:
        if why := why_silent(one):
            missing[one.name] = why
        else:
            places[one.name] = one.place
    return places, missing


def why_silent(wanted: Wanted) -> str:
    """Empty when somebody speaks the protocol there."""
    host, port = wanted.place
    why = _coap(host, port) if wanted.name == "coap" else _mqtt(host, port, is_tls=wanted.name == "mqtts")
    if not why:
        return ""
    place, protocol = f"{host}:{port}", wanted.name.upper()
    if wanted.is_named:
        return f"{why} at {place}, where {protocol} should be: check --{wanted.name}"
    return f"{why} at {place}, {protocol}'s usual place: give --{wanted.name} HOST:PORT"


def _mqtt(host: str, port: int, *, is_tls: bool) -> str:
    try:
        tls = any_certificate() if is_tls else None
        with contextlib.closing(ExactMqtt(host, port, tls=tls, within_s=MQTT_WITHIN_S)) as connection:
            answer = connection.connect(user_name=PROVISION)
    except BrokenBench:
        return "nobody answers"
    except HandshakeRefused:
        return "no TLS handshake succeeds"
    except Mismatch:
        return "nobody speaks MQTT"
    return "" if answer.startswith("CONNACK") else "connections are closed without a word"


def _coap(host: str, port: int) -> str:
    """Any message of CoAP will do, a reset too: what it should be is for rows."""
    try:
        with contextlib.closing(ExactCoap(host, port, COAP_WITHIN_S)) as endpoint:
            endpoint.ask(GET, PATH)
    except BrokenBench:
        return "nobody answers"
    except Mismatch as mismatch:
        return "nobody answers" if mismatch.finding.got == "nothing" else ""
    return ""
