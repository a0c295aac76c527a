"""Messages that have to be signed (docs/contracts/kura.md §3.6), by SIG-SIM1, a profile of this project."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.control_requests import AFTER_BIRTH_S, HeldCall, as_managed
from fleetrig.harness.platforms.kura.conformance.dialogue import bootstrap, expect_material, provisioned
from fleetrig.harness.platforms.kura.conformance.management_rows import CONFIGURATIONS, XML
from fleetrig.harness.platforms.kura.conformance.payload_bytes import STRING
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient
from fleetrig.harness.platforms.kura.conformance.signature_check import altered, expect_signed, is_signed_by

ROWS: Final[Resource[RowClient]] = Resource("kura", "signature")
NEEDS: Final = ("mqtt", "provisioning")


@ROWS.row("S43", "signed", "Profile SIG-SIM1: what a provisioned gateway is asked is signed with the certificate that "
          "it got, and the signature covers topic, body, metrics and client id",
          needs=NEEDS)  # fmt: skip
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


@ROWS.row("P08", "signed-material", "Profile SIG-SIM1: the reply with the material is signed with the certificate that "
          "it brings", needs=NEEDS)  # fmt: skip
def signed_material(client: RowClient) -> None:
    reply = expect_material(bootstrap(client, client.request()).request())
    topic = "/".join(reply.topic.split("/")[3:])
    chain, alias = reply.text("prov.cert.chain"), reply.text("prov.dm.alias")
    expect_signed(topic, reply.text("prov.client-id"), reply.content, chain, alias)
    expect("the type of sig.alias", STRING, reply.content.metrics["sig.alias"][0])
