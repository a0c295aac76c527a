"""What the provisioning dialogue answers (docs/contracts/kura.md §1.6, §2.4, §2.5). All of it is PROV-SIM1."""

from __future__ import annotations

import json
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.audit import expect_audited
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    UNDER_WAY,
    bootstrap,
    expect_error,
    expect_material,
    new_nonce,
    new_request_id,
    reply_of,
    target_answer,
)
from fleetrig.harness.platforms.kura.conformance.payload_bytes import INT32, compressed, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("kura", "asking")
NEEDS: Final = ("mqtt", "provisioning")
SCHEMES: Final = ("mqtt://", "mqtts://", "ws://", "wss://")
KEY_CHARACTERS: Final = 32


@ROWS.row("S06", "material", "Profile: a valid request is answered with 200 within 5 s at the requester's topic, with "
          "all that a gateway needs in its types; the job goes on", needs=NEEDS)  # fmt: skip
def material(client: RowClient) -> None:
    request, nonce = client.request(), new_nonce()
    reply = expect_material(bootstrap(client, request).request(nonce))
    expect("prov.nonce", nonce, reply.content.value("prov.nonce"))
    expect("prov.account-name", request.account.name, reply.text("prov.account-name"))
    expect("prov.client-id", request.client_id, reply.text("prov.client-id"))
    url, chain = reply.text("prov.broker-url"), reply.text("prov.cert.chain")
    expect_that(url.startswith(SCHEMES), f"prov.broker-url begins with {', '.join(SCHEMES)}", url)
    expect_that(chain.startswith("-----BEGIN CERTIFICATE-----"), "prov.cert.chain is PEM", chain)
    for name in ("prov.job.id", "prov.username", "prov.password", "prov.dm.alias"):
        expect_that(reply.text(name), f"{name} is not empty", "empty")
    client.expect_job(request, *UNDER_WAY)


@ROWS.row("S07", "no-request-id", "Profile: a request without request.id, or with one that is no STRING, is not "
          "answered; it is told, and the session goes on", needs=NEEDS)  # fmt: skip
def no_request_id(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    for changes in ({"request_id": None}, {"request_id": 7}):
        data = payload(provisioning.request_metrics(**changes))
        provisioning.unanswered(f"after a request with {changes}", "request", data)
    expect_audited(client, request.client_id, request.password)
    client.expect_job(request, "CREATED")
    expect_material(provisioning.request())


@ROWS.row("S08", "literal", "Profile: the requester #client-id stands for the client id of the topic", needs=NEEDS)
def literal(client: RowClient) -> None:
    provisioning = bootstrap(client, client.request())
    expect_material(provisioning.request(requester_client_id="#client-id"))


@ROWS.row("S09", "somebody-else", "Profile: who gives another client id as requester is told CLIENT_ID_MISMATCH, and "
          "nothing is published to that one", needs=NEEDS)  # fmt: skip
def somebody_else(client: RowClient) -> None:
    other = bootstrap(client, client.request())
    request = client.request()
    provisioning = bootstrap(client, request)
    reply = provisioning.request(requester_client_id=other.session.client_id)
    expect("prov.retry", False, expect_error(reply, 400, "CLIENT_ID_MISMATCH").content.value("prov.retry"))
    other.session.expect_nothing("after a request in its name")
    client.expect_job(request, "CREATED")


@ROWS.row("S10", "activation-key", "Profile: a request with an activation key is answered when the key is right, and "
          "with BAD_ACTIVATION_KEY when it is wrong or not there", needs=NEEDS)  # fmt: skip
def activation_key(client: RowClient) -> None:
    request = client.request(generateActivationKey=True)
    key = request.activation_key
    provisioning = bootstrap(client, request)
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    for given in (None, wrong, key.swapcase(), key[:-1], f"{key} ", ""):
        expect_error(provisioning.request(activation_key=given), 400, "BAD_ACTIVATION_KEY")
    client.expect_job(request, "CREATED")
    expect_audited(client, request.client_id, key, request.password)
    expect_material(provisioning.request(activation_key=key))


@ROWS.row("S11", "needless-key", "Profile: a key that nobody asked for is ignored", needs=NEEDS)
def needless_key(client: RowClient) -> None:
    expect_material(bootstrap(client, client.request()).request(activation_key="A" * KEY_CHARACTERS))


@ROWS.row("S15", "same-nonce", "Profile: while the job runs the same request gets the same bytes, and no second "
          "credential comes to be", needs=NEEDS)  # fmt: skip
def same_nonce(client: RowClient) -> None:
    provisioning = bootstrap(client, client.request())
    metrics = provisioning.request_metrics()
    request_id = str(metrics["request.id"])
    first = expect_material(provisioning.asked("request", payload(metrics), request_id))
    again = expect_material(provisioning.asked("request", payload(metrics), request_id))
    expect("the bytes of the second reply", first.data.hex(), again.data.hex())
    other_id = new_request_id()
    third = provisioning.asked("request", payload({**metrics, "request.id": other_id}), other_id)
    for name in ("prov.job.id", "prov.username", "prov.password"):
        expect(f"{name} at another request id", first.text(name), third.text(name))
    expect("CONNECT at the target with it", "CONNACK 0", target_answer(client, first))


@ROWS.row("S16", "busy", "Profile: another nonce in the same session while the job runs is BUSY, with the time after "
          "which to come again; what was given stays good", needs=NEEDS)  # fmt: skip
def busy(client: RowClient) -> None:
    provisioning = bootstrap(client, client.request())
    first = expect_material(provisioning.request())
    content = expect_error(provisioning.request(), 500, "BUSY").content
    expect("prov.retry", True, content.value("prov.retry"))
    kind, after_s = content.metrics.get("prov.retry-after", (None, None))
    expect_that(
        kind == INT32 and isinstance(after_s, int) and after_s > 0, "prov.retry-after is an INT32 above 0", after_s
    )
    expect("the answer to confirm", 200, provisioning.confirm(first.job_id).code)


@ROWS.row("S34", "encodings", "Profile: requests in gzip and plain are answered, one in JSON is refused with 400 or "
          "not answered", needs=NEEDS)  # fmt: skip
def encodings(client: RowClient) -> None:
    for pack in (bytes, compressed):
        provisioning = bootstrap(client, client.request())
        metrics = provisioning.request_metrics()
        expect_material(provisioning.asked("request", pack(payload(metrics)), str(metrics["request.id"])))
    request = client.request()
    provisioning = bootstrap(client, request)
    texts = {k: v for k, v in provisioning.request_metrics().items() if not isinstance(v, bytes)}
    provisioning.publish("request", json.dumps({"metrics": {**texts, "prov.nonce": "A" * 24}}).encode())
    provisioning.session.settle()
    for message in provisioning.session.waiting:
        expect_error(reply_of(message), 400, "MALFORMED")
    client.expect_job(request, "CREATED")


@ROWS.row("P01", "malformed", "Profile: what lacks a metric, or has one in another type or size, is MALFORMED, and the "
          "job stays as it is", needs=NEEDS)  # fmt: skip
def malformed(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    for changes in (
        {"prov_profile": None}, {"prov_profile": "PROV-V9"}, {"prov_nonce": None}, {"prov_nonce": b"short"},
        {"prov_nonce": b"x" * 65}, {"prov_nonce": "text of sixteen!!"}, {"prov_attempt": None}, {"prov_attempt": "1"},
        {"prov_attempt": 0}, {"requester_client_id": None}, {"requester_client_id": 7},
    ):  # fmt: skip
        expect_error(provisioning.request(**changes), 400, "MALFORMED")
    client.expect_job(request, "CREATED")
    expect_material(provisioning.request())
