"""Asks a broker as the gateway, by a CONNECT and nothing more: no message is published, so nothing is provisioned.

Even that leaves a mark: the registry notes the connection, a wrong password counts towards a lock, a gateway that is
connected is thrown out by its own name, and a permit to change users is used up. So it is asked for (`--connect`), and
not done where it would harm.
"""

from __future__ import annotations

import ssl
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.mqtt_bytes import DISCONNECT, packet
from fleetrig.harness.doctor.diagnosis import printable
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Heard, Purpose, Said
from fleetrig.harness.platforms.kura.doctor.records import RUNNING
from fleetrig.simulator.contract.errors import BrokenBench

V3_1_1: Final = 4
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
WITHIN_S: Final = 15.0
MOST_FAILURES: Final = 2
"""One more, and the user may be locked for hours."""
HOW: Final = "a CONNECT leaves a mark in the registry; --connect does it"


def place_of(url: str) -> tuple[str, int]:
    """Host and port; empty for an address that has none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        return "", 0


def why_not(facts: Facts, *, is_wanted: bool) -> str:
    """Why the broker is not asked; empty when it may be."""
    gateway, server = facts.gateway, facts.server
    if not gateway.secret or not gateway.login or not gateway.client_id:
        return "the broker was not asked: that needs a user name, a client id and --secret env:NAME"
    if not is_wanted:
        return f"the broker was not asked: {HOW}"
    connection = server.connection
    if connection is not None and connection.status == "CONNECTED":
        return f"the broker was not asked: {gateway.client_id} is connected now, and would be thrown out"
    if connection is not None and connection.allows_change:
        return "the broker was not asked: that would use up the permit to change users (allowUserChange)"
    if server.user is not None and any(one.failures >= MOST_FAILURES for one in server.user.credentials or ()):
        return "the broker was not asked: one more wrong password could lock the user"
    request = facts.request
    if facts.purpose is Purpose.PROVISIONING and request is not None and request.job_status in RUNNING:
        return f"the broker was not asked: the gateway's job is {request.job_status}"
    return ""


def ask(facts: Facts, tls: ssl.SSLContext | None, within_s: float) -> Heard:
    """Never raises for what a server does."""
    gateway = facts.gateway
    host, port = place_of(gateway.broker_url)
    context = tls if gateway.broker_url.lower().startswith("mqtts:") else None
    try:
        with closing(ExactMqtt(host, port, V3_1_1, context, within_s)) as connection:
            line = connection.connect(gateway.client_id, gateway.login, gateway.secret)
            if line == "CONNACK 0":
                connection.send(packet(DISCONNECT, b""))
                return Heard(Said.LET_IN, line)
    except HandshakeRefused as refused:
        return Heard(Said.REFUSED, f"TLS handshake refused: {refused}")
    except BrokenBench as error:
        return Heard(Said.SILENCE, printable(str(error), 160))
    except Mismatch as mismatch:
        is_silent = mismatch.finding.got == "nothing"
        return Heard(Said.SILENCE if is_silent else Said.NOT_UNDERSTOOD, printable(str(mismatch), 160))
    if line.startswith("CONNACK "):
        return Heard(Said.REFUSED, line)
    return Heard(Said.CLOSED if line == "closed" else Said.NOT_UNDERSTOOD, printable(line))
