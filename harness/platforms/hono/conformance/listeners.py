"""How Hono's adapters are known."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_coaps import NoSession, exact_coaps
from fleetrig.harness.conformance.exact_https import NO_NAME, ExactHttps
from fleetrig.harness.conformance.foreign_listeners import NO_HANDSHAKE, NOBODY, Look, Place, why_no_mqtt
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import PreSharedKey

USUAL_PORTS: Final = {"http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coaps": 5684}
WITHIN_S: Final = 20.0
"""As in rows: who accepts a connection may be busy."""
DTLS_WITHIN_S: Final = 4.0
"""Time for one repetition of a datagram."""


def _http(place: Place) -> str:
    host, port = place
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return _asks_for_credentials(ExactClient(url, within_s=WITHIN_S))


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
        return NO_HANDSHAKE
    is_adapter = answer.status == 401 and answer.header("WWW-Authenticate") is not None
    return "" if is_adapter else f"POST /telemetry without credentials is answered with {answer.status}, not with 401"


def _mqtt(place: Place) -> str:
    return why_no_mqtt(place, WITHIN_S, is_tls=False)


def _mqtts(place: Place) -> str:
    return why_no_mqtt(place, WITHIN_S, is_tls=True)


def _coaps(place: Place) -> str:
    """Not even a wrong key is answered with a word, but the first flights of a handshake are."""
    try:
        exact_coaps(place, PreSharedKey("nobody@nowhere", b"x"), DTLS_WITHIN_S, NO_NAME).close()
    except BrokenBench:
        return NOBODY
    except NoSession as silent:
        return "" if silent.has_answered else NOBODY
    except HandshakeRefused:
        return ""
    return ""


LOOKS: Final[Mapping[str, Look]] = {"http": _http, "https": _https, "mqtt": _mqtt, "mqtts": _mqtts, "coaps": _coaps}
