"""Where devices connect: which listeners a foreign server has, and why rows on the others say nothing about it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.harness.servers.address import host_of, place_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

NONE: Final = "-"
"""What an option says of a listener that is left out on purpose."""
NOBODY: Final = "nobody answers"
NO_HANDSHAKE: Final = "no TLS handshake succeeds"

Place = tuple[str, int]
Look = Callable[[Place], str]
"""Why nobody speaks a protocol at a place; empty when somebody does."""


@dataclass(frozen=True, slots=True)
class WantedListener:
    """A listener that may be there."""

    name: str
    place: Place
    is_named: bool
    """By an option or a SERVER.yaml; else it is guessed."""


def places_of(named: Mapping[str, str]) -> dict[str, Place | None]:
    """The options: None for what is left out on purpose. Raises UsageError."""
    places: dict[str, Place | None] = {}
    for name, place in named.items():
        try:
            places[name] = None if place == NONE else place_of(place)
        except UsageError as wrong:
            raise UsageError(f"--{name}: {wrong}") from None
    return places


def wanted_listeners(
    usual_ports: Mapping[str, int], url: str, named: Mapping[str, Place | None], *, guesses: bool
) -> list[WantedListener]:
    """Those that were named (None: left out on purpose), and where the others usually are beside the server at `url`.

    Nothing is looked for where that one itself listens.
    """
    found = []
    for name, port in usual_ports.items():
        place = named.get(name)
        if place is not None:
            found.append(WantedListener(name, place, is_named=True))
        elif name not in named and guesses and port != urlsplit(url).port:
            found.append(WantedListener(name, (host_of(url), port), is_named=False))
    return found


def reached(wanted: list[WantedListener], looks: Mapping[str, Look]) -> tuple[dict[str, Place], dict[str, str]]:
    """Those that answer, and for the others a sentence on why rows say nothing about them, and on what to give."""
    places: dict[str, Place] = {}
    missing: dict[str, str] = {}
    for one in wanted:
        if why := looks[one.name](one.place):
            missing[one.name] = _sentence(one, why)
        else:
            places[one.name] = one.place
    return places, missing


def _sentence(wanted: WantedListener, why: str) -> str:
    place, protocol = "{}:{}".format(*wanted.place), wanted.name.upper()
    if wanted.is_named:
        return f"{why} at {place}, where {protocol} should be: check --{wanted.name}"
    return f"{why} at {place}, {protocol}'s usual place: give --{wanted.name} HOST:PORT"


def why_no_mqtt(place: Place, within_s: float, *, is_tls: bool, **connect: Any) -> str:
    """A `Look` for MQTT: any CONNACK will do."""
    try:
        tls = any_certificate() if is_tls else None
        with contextlib.closing(ExactMqtt(*place, tls=tls, within_s=within_s)) as connection:
            answer = connection.connect(**connect)
    except BrokenBench:
        return NOBODY
    except HandshakeRefused:
        return NO_HANDSHAKE
    except Mismatch:
        return "nobody speaks MQTT"
    return "" if answer.startswith("CONNACK") else "connections are closed without a word"
