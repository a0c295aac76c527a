"""Keystores of gateways over REST (docs/contracts/kura.md §3.4, §5.5)."""

from __future__ import annotations

import json
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.control_requests import ControlRequest, HeldCall, Managed, managed
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("kura", "keystore")
NEEDS: Final = ("mqtt",)
VERSIONS: Final = ("KEYS-V1", "KEYS-V2")
PEM: Final = "-----BEGIN CERTIFICATE REQUEST-----\nMIIBAA==\n-----END CERTIFICATE REQUEST-----\n"
STORE: Final = "SSLKeystore"
ENTRY: Final = {
    "keystoreServicePid": STORE,
    "alias": "a",
    "type": "TRUSTED_CERTIFICATE",
    "size": 2048,
    "algorithm": "RSA",
}
PLACE: Final = {"keystoreServicePid": STORE, "alias": "a"}


def asked(gateway: Managed, rest: str) -> ControlRequest:
    """A request for keystores of either version comes next."""
    message = gateway.session.message(f"a request {rest}")
    topics = [gateway.session.control(f"{version}/{rest}") for version in VERSIONS]
    expect_that(message.topic in topics, f"the topic of the request: {' or '.join(topics)}", message.topic)
    return gateway.read(message)


def body_of(request: ControlRequest) -> Any:
    return json.loads(request.content.body or b"null")


def answer_json(gateway: Managed, request: ControlRequest, document: Any) -> None:
    gateway.answer(request, body=json.dumps(document).encode())


@ROWS.row("S42", "csr", "A signing request is read from a bare JSON string and from an object", needs=NEEDS)
def csr(client: RowClient) -> None:
    gateway = managed(client)
    wanted = {"keystoreId": STORE, "alias": "a", "signatureAlgorithm": "SHA256withRSA", "attributes": "CN=x"}
    for document in (PEM, {"signingRequest": PEM}):
        sent = {**wanted, "singnatureAlgorithm": wanted["signatureAlgorithm"]}
        call = HeldCall(client, "POST", f"{gateway.device}/keystore/items/csr", sent)
        request = asked(gateway, "POST/keystores/entries/csr")
        told = body_of(request)
        expect("keystore and alias", PLACE, {name: told.get(name) for name in PLACE})
        answer_json(gateway, request, document)
        expect_that(PEM in call.expect_result().values(), "the signing request as PEM", document)


@ROWS.row("M13", "read", "The keystores of a gateway, what is in them and one entry are asked for and shown",
          needs=NEEDS)  # fmt: skip
def read(client: RowClient) -> None:
    gateway = managed(client)
    for path, rest, body, document in (
        ("", "GET/keystores", None, [{"keystoreServicePid": STORE, "type": "jks", "size": 1}]),
        ("/items", "GET/keystores/entries", None, [ENTRY]),
        (f"/item?keystoreId={STORE}&alias=a", "GET/keystores/entries/entry", PLACE, ENTRY),
    ):
        call = HeldCall(client, "GET", f"{gateway.device}/keystore{path}")
        request = asked(gateway, rest)
        expect(f"the body of {rest}", body, body_of(request) or None)
        answer_json(gateway, request, document)
        expect_that(STORE in json.dumps(shown := call.expect_result()), f"{STORE} in the answer", shown)


@ROWS.row("M14", "write", "A certificate is loaded, and an entry deleted, where the operator said", needs=NEEDS)
def write(client: RowClient) -> None:
    gateway = managed(client)
    pem = PEM.replace(" REQUEST", "")
    document = {"keystoreId": STORE, "alias": "a", "certificate": pem}
    call = HeldCall(client, "POST", f"{gateway.device}/keystore/items/certificateRaw", document)
    request = asked(gateway, "POST/keystores/entries/certificate")
    expect("what is to be loaded", {**PLACE, "certificate": pem}, body_of(request))
    gateway.answer(request)
    call.expect_result(200, 204)
    call = HeldCall(client, "DELETE", f"{gateway.device}/keystore/item?keystoreId={STORE}&alias=a")
    request = asked(gateway, "DEL/keystores/entries")
    expect("what is to be deleted", PLACE, body_of(request))
    gateway.answer(request)
    call.expect_result(200, 204)
