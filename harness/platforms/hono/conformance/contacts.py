"""A device at the adapters, and what each of them answers (docs/contracts/hono.md §2.6, §4).

Answers of all transports are texts: `202`, `CONNACK 4`, `2.04`; `alert bad_certificate` for a handshake that was
refused, `silence` for one that came to nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.exact_coaps import NoSession, exact_coaps
from fleetrig.harness.conformance.exact_https import NO_NAME, ExactHttps
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import MissingCapability, expect
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.harness.platforms.hono.conformance.registry_api import JSON, basic
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential

TELEMETRY: Final = b'{"temp":5}'
JSON_FORMAT: Final = 50
"""Content-Format of CoAP."""
SILENCE: Final = "silence"
REASONS: Final = {"0": "0", "3": "0x88", "4": "0x86", "5": "0x87"}
"""A return code of MQTT 3.1.1, and the reason of MQTT 5 for the same (§4.2)."""
LEVELS: Final = (4, 5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one state of affairs is answered with. CoAP is left out where it is empty."""

    http: str
    connack: str
    """The return code of MQTT 3.1.1."""
    coap: str = ""


BAD_CERTIFICATE: Final = "alert bad_certificate"
ACCEPTED: Final = Outcome("202", "0", "2.04")
REFUSED: Final = Outcome("401", "4", BAD_CERTIFICATE)
NO_TENANT: Final = Outcome("404", "4", BAD_CERTIFICATE)
FORBIDDEN: Final = Outcome("403", "5", "4.03")
DISABLED: Final = Outcome("404", "5", "4.04")


def expect_outcome(client: RowClient, shown: ClientCertificate, outcome: Outcome, server_name: str = NO_NAME) -> None:
    """A contact over each transport that there is: HTTP first, then MQTT 3.1.1 and 5, then CoAP."""
    expect(f"HTTP{_named(server_name)}", outcome.http, post(client, shown, server_name))
    expect_connack(client, shown, outcome.connack, server_name)
    if outcome.coap and "coaps" in client.under_test.addresses:
        expect(f"CoAP{_named(server_name)}", outcome.coap, coap(client, shown, server_name=server_name))


def expect_connack(client: RowClient, shown: ClientCertificate, code: str, server_name: str = NO_NAME) -> None:
    """A CONNECT with this certificate in both versions, if there is MQTT over TLS."""
    for level in levels(client) if "mqtts" in client.under_test.addresses else ():
        wanted = f"CONNACK {code if level == LEVELS[0] else REASONS[code]}" if code in REASONS else code
        expect(f"MQTT {level}{_named(server_name)}", wanted, connack(client, shown, level, server_name))


def _named(server_name: str) -> str:
    return f" (SNI {server_name})" if server_name else ""


# -- HTTP


def post(client: RowClient, shown: ClientCertificate, server_name: str = NO_NAME) -> str:
    """Telemetry over HTTPS with a certificate: the status, or an alert."""
    try:
        return str(https(client, shown, server_name).status)
    except HandshakeRefused as refused:
        return f"alert {refused.alert}"


def https(
    client: RowClient,
    shown: ClientCertificate,
    server_name: str = NO_NAME,
    method: str = "POST",
    path: str = "/telemetry",
) -> Answer:
    """On a connection of its own. Raises HandshakeRefused."""
    place = _place(client, "https")
    with contextlib.closing(ExactHttps(place, any_certificate(shown), server_name)) as http:
        return http.call(method, path, JSON, TELEMETRY)


def with_basic(
    client: RowClient,
    account: str | None,
    method: str = "POST",
    path: str = "/telemetry",
    body: bytes | None = TELEMETRY,
    headers: Mapping[str, str] = JSON,
) -> Answer:
    """A request of `auth-id@tenant:password`; over TLS where there is nothing else."""
    user, _, secret = (account or "").partition(":")
    authorization = {} if account is None else {"Authorization": basic(user, secret)}
    with contextlib.closing(_http(client)) as http:
        return http.call(method, path, {**headers, **authorization}, body)


def _http(client: RowClient) -> ExactClient:
    if "http" in client.under_test.addresses:
        host, port = client.under_test.addresses["http"]
        return ExactClient(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    return ExactHttps(_place(client, "https"), any_certificate())


# -- MQTT


def levels(client: RowClient) -> tuple[int, ...]:
    """Those that its generation speaks."""
    return LEVELS if client.generation.is_current else LEVELS[:1]


def connack(client: RowClient, shown: ClientCertificate, level: int = 4, server_name: str = NO_NAME) -> str:
    """The answer to a CONNECT without a user name, or an alert."""
    try:
        return connected(client, shown, level, server_name)[1]
    except HandshakeRefused as refused:
        return f"alert {refused.alert}"


def connected(
    client: RowClient, shown: ClientCertificate, level: int = 4, server_name: str = NO_NAME
) -> tuple[ExactMqtt, str]:
    """A connection, and the answer to its CONNECT. Raises HandshakeRefused."""
    connection = ExactMqtt(*_place(client, "mqtts"), level, any_certificate(shown), server_name=server_name)
    client.closing(connection.close)
    return connection, connection.connect()


def mqtt(
    client: RowClient, account: str | None = None, level: int = 4, client_id: str = "", *, clean: bool = True
) -> tuple[ExactMqtt, str]:
    """The same with `auth-id@tenant:password`, over TLS where there is nothing else."""
    user, _, secret = (account or "").partition(":")
    tls = None if "mqtt" in client.under_test.addresses else any_certificate()
    place = _place(client, "mqtts" if tls else "mqtt")
    connection = ExactMqtt(*place, level, tls, server_name=NO_NAME)
    client.closing(connection.close)
    named = (user, secret) if account is not None else (None, None)
    return connection, connection.connect(client_id, *named, clean=clean)


# -- CoAP


def coap(
    client: RowClient,
    shown: TlsCredential,
    path: str = "/telemetry",
    payload: bytes = TELEMETRY,
    *,
    kind: int = exact_coap.CON,
    content_format: int | None = JSON_FORMAT,
    server_name: str = NO_NAME,
) -> str:
    """A POST in a session of its own: its code, an alert, or silence."""
    within_s = client.under_test.silence_s
    try:
        endpoint = exact_coaps(_place(client, "coaps"), shown, within_s, server_name)
    except HandshakeRefused as refused:
        return f"alert {refused.alert}"
    except NoSession:
        return SILENCE
    with contextlib.closing(endpoint):
        return endpoint.ask(exact_coap.POST, path, payload, kind, content_format).code


def key_of(tenant: str, key: bytes, auth_id: str) -> PreSharedKey:
    return PreSharedKey(f"{auth_id}@{tenant}", key)


def _place(client: RowClient, listener: str) -> tuple[str, int]:
    """Raises MissingCapability for an adapter that is not known."""
    if listener not in client.under_test.addresses:
        raise MissingCapability(listener)
    return client.under_test.addresses[listener]
