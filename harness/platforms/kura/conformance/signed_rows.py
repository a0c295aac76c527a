"""Signed messages and certificates (docs/contracts/kura.md §1.6, §3.6), by profiles of this project."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.control_requests import AFTER_BIRTH_S, HeldCall, as_managed
from fleetrig.harness.platforms.kura.conformance.dialogue import bootstrap, expect_error, expect_material, provisioned
from fleetrig.harness.platforms.kura.conformance.management_rows import CONFIGURATIONS, XML
from fleetrig.harness.platforms.kura.conformance.payload_bytes import STRING, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient
from fleetrig.harness.platforms.kura.conformance.signature_check import (
    altered,
    expect_chain,
    expect_signed,
    is_signed_by,
)

ROWS: Final[Resource[RowClient]] = Resource("kura", "signature")
NEEDS: Final = ("mqtt", "provisioning")


@ROWS.row("S43", "signed", "Profile SIG-SIM1: what a provisioned gateway is asked is signed with the certificate that "
          "it got, and the signature covers topic, body, metrics and client id", needs=NEEDS)  # fmt: skip
def signed(client: RowClient) -> None:
    request = client.request()
    reply, session = provisioned(client, request)
    session.subscribe(session.control("#"))
    client.under_test.let_pass(AFTER_BIRTH_S)
    gateway = as_managed(client, request.account, session)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    asked = gateway.hear(CONFIGURATIONS)
    chain = reply.text("prov.cert.chain")
    expect_signed(CONFIGURATIONS, session.client_id, asked.content, chain, reply.text("prov.dm.alias"))
    for topic, client_id, content in altered(CONFIGURATIONS, session.client_id, asked.content):
        expect(f"a signature over {topic} for {client_id}", False, is_signed_by(topic, client_id, content, chain))
    gateway.answer(asked, body=XML)
    call.expect_result()


@ROWS.row("P08", "material", "Profile SIG-SIM1: the reply with the material is signed with the certificate that it "
          "brings, the first of a chain that ends with its root", needs=NEEDS)  # fmt: skip
def signed_material(client: RowClient) -> None:
    reply = expect_material(bootstrap(client, client.request()).request())
    topic = "/".join(reply.topic.split("/")[3:])
    chain, alias = reply.text("prov.cert.chain"), reply.text("prov.dm.alias")
    expect_chain(chain)
    expect_signed(topic, reply.text("prov.client-id"), reply.content, chain, alias)
    expect("the type of sig.alias", STRING, reply.content.metrics["sig.alias"][0])


@ROWS.row("P14", "device-certificate", "Profile: who sends a signing request gets a certificate for its key, who sends "
          "none gets none, and what is no signing request is MALFORMED", needs=NEEDS)  # fmt: skip
def device_certificate(client: RowClient) -> None:
    provisioning = bootstrap(client, client.request())
    metrics = provisioning.request_metrics()
    broken = provisioning.asked("request", payload(metrics, body=b"no request"), str(metrics["request.id"]))
    expect_error(broken, 400, "MALFORMED")
    key, metrics = ec.generate_private_key(ec.SECP256R1()), provisioning.request_metrics()
    body = signing_request(key, provisioning.session.client_id)
    reply = expect_material(provisioning.asked("request", payload(metrics, body=body), str(metrics["request.id"])))
    certificate = x509.load_pem_x509_certificate(reply.text("prov.device.cert").encode())
    expect("the key of prov.device.cert", key.public_key().public_numbers(), _numbers(certificate))
    plain = expect_material(bootstrap(client, client.request()).request())
    expect("prov.device.cert without a request", "", plain.text("prov.device.cert"))


def signing_request(key: ec.EllipticCurvePrivateKey, client_id: str) -> bytes:
    """PKCS#10 as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, client_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def _numbers(certificate: x509.Certificate) -> object:
    key = certificate.public_key()
    return key.public_numbers() if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
