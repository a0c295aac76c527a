"""What becomes of the job of a provision request (docs/contracts/kura.md §1.5, §1.6), by PROV-SIM1.

The arrows between the states are inferred: another server that has them otherwise is warned.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    UNDER_WAY,
    bootstrap,
    bootstrap_answer,
    expect_error,
    expect_material,
    on_target,
    staged,
    target_answer,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import REFUSALS, expect_refused
from fleetrig.harness.platforms.kura.conformance.kapua_api import REQUESTS
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "job")
NEEDS: Final = ("mqtt", "provisioning")
WITH_CLOCK: Final = (*NEEDS, "clock")
JOB_TIMEOUT_S: Final = 300
"""Of our own server; that of others is not public."""
HOUR_MS: Final = 3_600_000


@ROWS.row("S12", "not-yet", "Profile: before activatesOn a request is NOT_ACTIVE_YET, later it is answered",
          needs=NEEDS)  # fmt: skip
def not_yet(client: RowClient) -> None:
    now_ms, soon_s = client.under_test.now_ms(), client.under_test.soon_s
    request = client.request(activatesOn=now_ms + soon_s * 1000, expiresOn=now_ms + HOUR_MS)
    provisioning = bootstrap(client, request)
    reply = expect_error(provisioning.request(), 404, "NOT_ACTIVE_YET")
    expect("prov.retry", True, reply.content.value("prov.retry"))
    client.under_test.let_pass(soon_s + 1)
    expect_material(bootstrap(client, request).request())


@ROWS.row("S13", "expired", "Profile: after expiresOn CONNECT is refused, or the request is EXPIRED; the job is "
          "ABANDONED", needs=NEEDS)  # fmt: skip
def expired(client: RowClient) -> None:
    now_ms = client.under_test.now_ms()
    request = client.request(expiresOn=now_ms + client.under_test.soon_s * 1000, activatesOn=now_ms - 1)
    provisioning = bootstrap(client, request)
    client.under_test.let_pass(client.under_test.soon_s + 1)
    expect_error(provisioning.request(), 404, "EXPIRED")
    answer = bootstrap_answer(client, request)
    expect_that(answer in (*REFUSALS, "CONNACK 0"), "CONNECT is refused, or the request EXPIRED", answer)
    if answer == "CONNACK 0":
        expect_error(bootstrap(client, request).request(), 404, "EXPIRED")
    client.expect_job(request, "ABANDONED")


def change(client: RowClient, request: RowRequest, **members: object) -> None:
    """Changes members of a request, with the optlock that was read last."""
    now = client.request_document(request)
    path = f"{REQUESTS}/{request.id}?accountId={request.account.scope_id}"
    client.asked("PUT", path, {**now, **members}, 200, 204)


@ROWS.row("S14", "disabled", "Profile: a request that was disabled while the session was open is DISABLED, and nothing "
          "of the material is given", needs=NEEDS)  # fmt: skip
def disabled(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    change(client, request, status="DISABLED")
    reply = expect_error(provisioning.request(), 404, "DISABLED")
    expect("prov.retry", True, reply.content.value("prov.retry"))
    client.expect_job(request, "SKIPPED", "CREATED")


@ROWS.row("S17", "session-lost", "Profile: who lost the session and comes with a new nonce starts the job anew, with "
          "retryCount one higher; the credential of before is void", needs=NEEDS)  # fmt: skip
def session_lost(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    first = expect_material(provisioning.request())
    before = client.job(request)["retryCount"]
    provisioning.session.drop()
    second = expect_material(bootstrap(client, request).request())
    client.inferred("retryCount", before + 1, client.job(request)["retryCount"])
    expect_that(second.text("prov.password") != first.text("prov.password"), "the password is another one", "the same")
    expect_refused("CONNECT at the target with the first credential", target_answer(client, first))
    expect("CONNECT at the target with the second", "CONNACK 0", target_answer(client, second))


@ROWS.row("S18", "attempts", "Profile: with retryMaxAttempts 2 the third failing run makes the job FAILED, and then it "
          "is ATTEMPTS_EXHAUSTED", needs=NEEDS)  # fmt: skip
def attempts(client: RowClient) -> None:
    request = client.request(retryMaxAttempts=2)
    provisioning = bootstrap(client, request)
    for run in (1, 2, 3):
        reply = expect_material(provisioning.request())
        client.expect_job(request, *UNDER_WAY)
        provisioning.confirm(reply.job_id, "FAILED", prov_reason="a row wants it")
        client.inferred(f"retryCount after {run} failing runs", min(run, 2), client.job(request)["retryCount"])
    client.expect_job(request, "FAILED")
    refused = expect_error(provisioning.request(), 400, "ATTEMPTS_EXHAUSTED")
    expect("prov.retry", False, refused.content.value("prov.retry"))


@ROWS.row("S19", "completed", "Profile: the job is COMPLETED at the BIRTH on the target account and not before; the "
          "device has the event PROVISIONED, and the bootstrap user is no good any more", needs=NEEDS)  # fmt: skip
def completed(client: RowClient) -> None:
    request = client.request()
    reply = staged(client, request)
    session = on_target(client, reply)
    session.settle()
    client.expect_job(request, *UNDER_WAY)
    session.birth()
    client.expect_job(request, "COMPLETED")
    device = client.existing_device(request.account, request.client_id)
    resources = [one["resource"] for one in client.events(request.account.scope_id, device["id"])]
    expect_that("PROVISIONED" in resources, "an event PROVISIONED", resources)
    expect_refused("CONNECT with bootstrap credentials", bootstrap_answer(client, request))


@ROWS.row("S20", "no-birth", "Profile: without a BIRTH within the job's time it is FAILED, and the bootstrap user is "
          "good again", needs=WITH_CLOCK)  # fmt: skip
def no_birth(client: RowClient) -> None:
    request = client.request()
    reply = staged(client, request)
    client.under_test.let_pass(JOB_TIMEOUT_S - 5)
    client.expect_job(request, *UNDER_WAY)
    client.under_test.let_pass(10)
    client.expect_job(request, "FAILED")
    expect("CONNECT with bootstrap credentials", "CONNACK 0", bootstrap_answer(client, request))
    expect_refused("CONNECT with what the gateway never used", target_answer(client, reply))


@ROWS.row("P02", "confirm-again", "Profile: a confirm that is repeated is answered alike; one for another job is "
          "refused, and one without a result is MALFORMED", needs=NEEDS)  # fmt: skip
def confirm_again(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request())
    expect_error(provisioning.confirm(reply.job_id, prov_result=None), 400, "MALFORMED")
    expect_error(provisioning.confirm(reply.job_id, "PERHAPS"), 400, "MALFORMED")
    other = provisioning.confirm(f"{reply.job_id}0")
    expect_that(other.code in (400, 404), "a confirm for another job is refused", other.code)
    for _ in range(2):
        expect("the answer to confirm", 200, provisioning.confirm(reply.job_id).code)
    client.expect_job(request, *UNDER_WAY)


@ROWS.row("P12", "stopped", "Profile: a job that an operator stops is told to the gateway by EXEC/abort, and STOPPED; "
          "one that is reset begins anew", needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def stopped(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request())
    job = client.job(request)
    change(client, request, provisionJob={**job, "status": "STOPPING"})
    told = provisioning.session.message("an abort").topic
    expect("the topic of what comes", provisioning.session.control(f"{provisioning.app_id}/EXEC/abort"), told)
    client.expect_job(request, "STOPPED")
    expect_error(provisioning.request(), 400, "STOPPED")
    expect_refused("CONNECT at the target with what was given", target_answer(client, reply))
    change(client, request, provisionJob={**client.job(request), "status": "CREATED"})
    client.expect_job(request, "CREATED")
    expect_material(bootstrap(client, request).request())
