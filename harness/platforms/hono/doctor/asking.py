"""Asks an adapter as the device, by what changes nothing: a CONNECT, or an upload that is refused once one is let in.

An empty message without a content type is refused with 400 (4.00) by the adapters after who sends it was accepted.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_coap import CoapAnswer, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.mqtt_bytes import DISCONNECT, packet
from fleetrig.harness.doctor.diagnosis import printable
from fleetrig.harness.platforms.hono.doctor.facts import Facts, Heard, Kind, Said
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from fleetrig.simulator.transports.dtls import open_dtls

PORTS: Final = {"http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coaps": 5684}
WITHIN_S: Final = 15.0
OF_DEVICE: Final = frozenset({"device-disabled"})
OF_TENANT: Final = frozenset({"tenant-disabled", "adapter-disabled", "adapter-not-listed"})
"""What is looked at later than an empty message is refused."""
EMPTY_REFUSED: Final = ("content-type", "content type", "empty")
"""What the 400 to an empty message speaks of; others are about who sends it."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """How the device does TLS: whom it trusts, and what it shows."""

    bench: ClientTls
    certificate: ClientCertificate | None = None

    @property
    def context(self) -> ssl.SSLContext:
        return self.bench.of(self.certificate).context


def place_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS[parts.scheme]


def ask(facts: Facts, device: DeviceView, within_s: float) -> Heard:
    """Never raises for what a server does."""
    try:
        match facts.over:
            case "http" | "https":
                return _http(facts, device, within_s)
            case "mqtt" | "mqtts":
                return _mqtt(facts, device, within_s)
            case _:
                return _coap(facts, device, within_s)
    except HandshakeRefused as refused:
        return Heard(Said.REFUSED, f"TLS handshake refused: {refused}")
    except BrokenBench as error:
        is_refused = "alert" in str(error).lower()
        return Heard(Said.REFUSED if is_refused else Said.SILENCE, printable(str(error), 160))
    except Mismatch as mismatch:
        silent = mismatch.finding.got == "nothing"
        return Heard(Said.SILENCE if silent else Said.NOT_UNDERSTOOD, printable(str(mismatch), 160))


def _http(facts: Facts, device: DeviceView, within_s: float) -> Heard:
    presented = facts.presented
    headers = {"Accept": "application/json"}
    if presented.kind is Kind.PASSWORD:
        pair = f"{presented.login}:{presented.secret}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode('ascii')}"
    context = device.context if facts.over == "https" else None
    with closing(ExactClient(facts.url, context, within_s=within_s)) as client:
        answer = client.call("POST", "/telemetry", headers, b"")
    said = _error_of(answer.body)
    line = f"HTTP {answer.status}" + (f": {printable(said, 80)}" if said else "")
    if answer.status == 400 and any(word in said.lower() for word in EMPTY_REFUSED):
        return Heard(Said.LET_IN, line, OF_DEVICE)
    if answer.status in (200, 202):
        return Heard(Said.LET_IN, line)
    refused = answer.status in (400, 401, 403, 404, 409, 429, 500, 503)
    return Heard(Said.REFUSED if refused else Said.NOT_UNDERSTOOD, line)


def _error_of(body: bytes) -> str:
    """The `error` of a document, or plain text (Hono 1); nothing of a page for browsers."""
    try:
        found = read_json(body)
    except NotJson:
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    return str(found.get("error", "")) if isinstance(found, dict) else ""


def _mqtt(facts: Facts, device: DeviceView, within_s: float) -> Heard:
    presented, (host, port) = facts.presented, place_of(facts.url)
    user, password = (presented.login, presented.secret) if presented.kind is Kind.PASSWORD else (None, None)
    context = device.context if facts.over == "mqtts" else None
    with closing(ExactMqtt(host, port, 4, context, within_s)) as connection:
        line = connection.connect(presented.client_id, user, password)
        if line == "CONNACK 0":
            connection.send(packet(DISCONNECT, b""))
            return Heard(Said.LET_IN, line)
        if line == "closed" and connection.alert:
            return Heard(Said.REFUSED, f"TLS handshake refused: {connection.alert}")
    if line.startswith("CONNACK "):
        return Heard(Said.REFUSED, line)
    return Heard(Said.CLOSED if line == "closed" else Said.NOT_UNDERSTOOD, printable(line))


def _coap(facts: Facts, device: DeviceView, within_s: float) -> Heard:
    presented = facts.presented
    shown = device.certificate
    if presented.kind is Kind.KEY:
        tls = device.bench.of(PreSharedKey(presented.login, presented.secret.encode()))
    else:
        tls = device.bench.of(shown)
    host, port = place_of(facts.url)
    try:
        answer = asyncio.run(_over_dtls(host, port, tls, within_s))
    except TimeoutError:
        return Heard(Said.SILENCE, f"no DTLS session within {within_s:g} s")
    except (OSError, EOFError) as error:
        return Heard(Said.REFUSED, f"DTLS: {getattr(error, 'reason', None) or error}")
    if answer.code == "4.00":
        return Heard(Said.LET_IN, "CoAP 4.00", OF_DEVICE | OF_TENANT)
    return Heard(Said.REFUSED if answer.code[0] in "45" else Said.NOT_UNDERSTOOD, f"CoAP {answer.code}")


async def _over_dtls(host: str, port: int, tls: DeviceTls, within_s: float) -> CoapAnswer:
    """An empty message through an association; a separate answer is waited for."""
    with closing(ExactCoap(host, port, within_s)) as maker:
        request = maker.request(exact_coap.POST, "/telemetry")
    async with asyncio.timeout(within_s):
        channel = await open_dtls(host, port, tls)
        try:
            channel.send(request)
            while True:
                answer = exact_coap.read(await channel.receive())
                if answer.token == request[4:8]:
                    return answer
        finally:
            channel.close()
