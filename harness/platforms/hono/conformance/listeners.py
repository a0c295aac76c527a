"""Where devices connect: which adapters a foreign Hono has, and why rows on the others say nothing about it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_coaps import NoSession, exact_coaps
from fleetrig.harness.conformance.exact_https import NO_NAME, ExactHttps
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS
from fleetrig.harness.servers.address import host_of
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import PreSharedKey

USUAL_PORTS: Final = {"http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coaps": 5684}
NONE: Final = "-"
WITHIN_S: Final = 20.0
"""As in rows: who accepts a connection may be busy."""
DTLS_WITHIN_S: Final = 4.0
"""Time for one repetition of a datagram."""
NOBODY: Final = "nobody answers"

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A listener that may be there."""

    name: str
    place: Place
    is_named: bool
    """By an option or a SERVER.yaml; else it is guessed."""


def wanted_listeners(url: str, named: Mapping[str, Place | None], *, guesses: bool) -> list[Wanted]:
    """Those that were named (None: left out on purpose), and where adapters usually are on the registry's machine.

    Where the registry itself listens no adapter is looked for.
    """
    found = []
    for name in LISTENERS:
        place = named.get(name)
        if place is not None:
            found.append(Wanted(name, place, is_named=True))
        elif name not in named and guesses and USUAL_PORTS[name] != urlsplit(url).port:
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
    """Empty when an adapter is there."""
    why = LOOKS[wanted.name](wanted.place)
    if not why:
        return ""
    place, protocol = "{}:{}".format(*wanted.place), wanted.name.upper()
    if wanted.is_named:
        return f"{why} at {place}, where the {protocol} adapter should be: check --{wanted.name}"
    return f"{why} at {place}, the usual place of the {protocol} adapter: give --{wanted.name} HOST:PORT"


def _http(place: Place) -> str:
    host, port = place
    return _asks_for_credentials(
        ExactClient(f"http://{f'[{host}]' if ':' in host else host}:{port}", within_s=WITHIN_S)
    )


def _https(place: Place) -> str:
    return _asks_for_credentials(ExactHttps(place, any_certificate(), NO_NAME, WITHIN_S))


def _asks_for_credentials(http: ExactClient) -> str:
    """Who gives none is told what to give, by this adapter and no other server (§4.1)."""
    try:
        with contextlib.closing(http):
            answer = http.call("POST", "/telemetry", {"Content-Type": "application/json"}, b"{}")
    except BrokenBench as broken:
        return NOBODY if "nobody listens" in str(broken) else "nobody speaks HTTP as expected"
    except HandshakeRefused:
        return "no TLS handshake succeeds without a certificate"
    is_adapter = answer.status == 401 and answer.header("WWW-Authenticate") is not None
    return "" if is_adapter else f"POST /telemetry without credentials is answered with {answer.status}, not with 401"


def _mqtt(place: Place) -> str:
    return _speaks_mqtt(place, is_tls=False)


def _mqtts(place: Place) -> str:
    return _speaks_mqtt(place, is_tls=True)


def _speaks_mqtt(place: Place, *, is_tls: bool) -> str:
    try:
        tls = any_certificate() if is_tls else None
        with contextlib.closing(ExactMqtt(*place, tls=tls, within_s=WITHIN_S, server_name=NO_NAME)) as connection:
            answer = connection.connect()
    except BrokenBench:
        return NOBODY
    except HandshakeRefused:
        return "no TLS handshake succeeds without a certificate"
    except Mismatch:
        return "nobody speaks MQTT"
    return "" if answer.startswith("CONNACK") else "connections are closed without a word"


def _coaps(place: Place) -> str:
    """Not even a wrong key is answered with a word, but the first flights of a handshake are."""
    shown = PreSharedKey("nobody@nowhere", b"x")
    try:
        exact_coaps(place, shown, DTLS_WITHIN_S, NO_NAME).close()
    except BrokenBench:
        return NOBODY
    except NoSession as silent:
        return "" if silent.has_answered else NOBODY
    except HandshakeRefused:
        return ""
    return ""


LOOKS: Final[Mapping[str, Callable[[Place], str]]] = {
    "http": _http, "https": _https, "mqtt": _mqtt, "mqtts": _mqtts, "coaps": _coaps,
}  # fmt: skip
