"""Provision jobs and a restart of the server (docs/contracts/kura.md §1.5, §1.6): what is kept, and what goes on.

Jobs rest in eleven of the thirteen states. STARTED and STOPPING are left as soon as they are come to: by the reply to
the gateway, and by the order to abort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.attachment_rows import BUNDLES, installed, with_attachments
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    Reply,
    bootstrap,
    bootstrap_answer,
    expect_error,
    expect_material,
    on_target,
    provisioned,
    staged,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession, expect_refused
from fleetrig.harness.platforms.kura.conformance.job_rows import JOB_TIMEOUT_S, change
from fleetrig.harness.platforms.kura.conformance.payload_bytes import payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest

ROWS: Final[Resource[RowClient]] = Resource("kura", "restart")
NEEDS: Final = ("mqtt", "provisioning", "restart", "clock")
NONCE: Final = b"0123456789abcdef"
SOON_S: Final = 60
AFTER_BIRTH_S: Final = 3
"""By when a server has asked a gateway that was born."""
Story = Iterator[tuple[RowRequest, str]]
"""Brings a job to a state and gives both; told on after the restart."""


def created(client: RowClient) -> Story:
    request = client.request()
    yield request, "CREATED"
    provisioned(client, request)


def running(client: RowClient) -> Story:
    """It has failed once: so it has been asked for, and nothing is given out."""
    request = client.request()
    provisioning = bootstrap(client, request)
    first = expect_material(provisioning.request())
    provisioning.confirm(first.job_id, "FAILED", prov_reason="a row wants it")
    yield request, "RUNNING"
    second = expect_material(bootstrap(client, request).request())
    expect_that(second.text("prov.password") != first.text("prov.password"), "the password is another one", "the same")
    client.inferred("retryCount", 1, client.job(request)["retryCount"])


def configuring(client: RowClient) -> Story:
    """The reply to the same nonce is the same, and can be confirmed."""
    request = client.request()
    first = expect_material(bootstrap(client, request).request(NONCE))
    yield request, "CONF_UPDATING"
    provisioning = bootstrap(client, request)
    expect_same_material(first, expect_material(provisioning.request(NONCE)))
    expect("the answer to confirm", 200, provisioning.confirm(first.job_id).code)
    on_target(client, first).birth()
    client.expect_job(request, "COMPLETED")


def configured(client: RowClient) -> Story:
    """Nobody who has confirmed asks again: it goes to its account."""
    request = client.request()
    reply = staged(client, request)
    yield request, "CONF_UPDATED"
    on_target(client, reply).birth()
    client.expect_job(request, "COMPLETED")


def installing(client: RowClient) -> Story:
    """One of two bundles is there. The gateway comes again, and is asked again."""
    request = with_attachments(client)
    reply = staged(client, request)
    installed(born(client, reply), BUNDLES[0])
    yield request, "APPS_INSTALLING"
    session = born(client, reply)
    for name in BUNDLES:
        installed(session, name)
    client.expect_job(request, "COMPLETED")


def apps_installed(client: RowClient) -> Story:
    """Before the confirm, at the provision broker."""
    request = with_attachments(client)
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request())
    provisioning.session.subscribe(provisioning.session.control("DEPLOY-V2/#"))
    provisioning.publish("confirm", payload(provisioning.confirm_metrics(reply.job_id)))
    for name in BUNDLES:
        installed(provisioning.session, name)
    yield request, "APPS_INSTALLED"
    on_target(client, reply).birth()
    client.expect_job(request, "COMPLETED")


def completed(client: RowClient) -> Story:
    request = client.request()
    reply, _ = provisioned(client, request)
    yield request, "COMPLETED"
    on_target(client, reply)
    expect_refused("CONNECT with bootstrap credentials", bootstrap_answer(client, request))


def failed(client: RowClient) -> Story:
    request = client.request(retryMaxAttempts=0)
    provisioning = bootstrap(client, request)
    provisioning.confirm(expect_material(provisioning.request()).job_id, "FAILED", prov_reason="a row wants it")
    yield request, "FAILED"
    expect_error(bootstrap(client, request).request(), 400, "ATTEMPTS_EXHAUSTED")


def skipped(client: RowClient) -> Story:
    request = client.request()
    change(client, request, status="DISABLED")
    yield request, "SKIPPED"
    if bootstrap_answer(client, request) == "CONNACK 0":
        expect_error(bootstrap(client, request).request(), 404, "DISABLED")


def stopped(client: RowClient) -> Story:
    request = client.request()
    expect_material(bootstrap(client, request).request())
    change(client, request, provisionJob={**client.job(request), "status": "STOPPING"})
    client.expect_job(request, "STOPPED")
    yield request, "STOPPED"
    expect_error(bootstrap(client, request).request(), 400, "STOPPED")


def abandoned(client: RowClient) -> Story:
    """It has expired, by a clock that was moved."""
    now_ms = client.under_test.now_ms()
    request = client.request(activatesOn=now_ms - 1, expiresOn=now_ms + SOON_S * 1000)
    client.under_test.let_pass(SOON_S + 1)
    yield request, "ABANDONED"
    if bootstrap_answer(client, request) == "CONNACK 0":
        expect_error(bootstrap(client, request).request(), 404, "EXPIRED")


def silent(client: RowClient) -> Story:
    """Its time runs out all the same."""
    request = client.request()
    expect_material(bootstrap(client, request).request())
    yield request, "CONF_UPDATING"
    client.under_test.let_pass(JOB_TIMEOUT_S + 1)
    client.expect_job(request, "ABANDONED")


STORIES: Final[tuple[Callable[[RowClient], Story], ...]] = (
    created, running, configuring, configured, installing, apps_installed, completed, failed, skipped, stopped,
    abandoned, silent,
)  # fmt: skip
"""Those that move the clock stand last: what others wait for would be over."""


@ROWS.row("S40", "job-states", "Profile: a job in any state in which jobs rest survives a restart of the server, with "
          "the reply to a request that comes again; then it goes on from there", needs=NEEDS)  # fmt: skip
def job_states(client: RowClient) -> None:
    stories = [story(client) for story in STORIES]
    begun = [next(story) for story in stories]
    for request, status in begun:
        client.expect_job(request, status)
    jobs = [client.job(request) for request, _ in begun]
    restart(client.under_test)
    for (request, status), job in zip(begun, jobs, strict=True):
        expect(f"the job of {request.client_id}, which was {status}", job, client.job(request))
    for story in stories:
        next(story, None)


def restart(server: ServerUnderTest) -> None:
    """A clock that was moved is where it was before: the restart has set it back."""
    assert server.restart is not None, "needs says so"
    was_ms = server.now_ms()
    server.restart()
    if (behind_ms := was_ms - server.now_ms()) > 0:
        server.let_pass(behind_ms / 1000)


def born(client: RowClient, reply: Reply) -> GatewaySession:
    """At its account, where it listens and has had the time to be asked."""
    session = on_target(client, reply)
    session.birth()
    session.subscribe(session.control("#"))
    client.under_test.let_pass(AFTER_BIRTH_S)
    return session


def expect_same_material(first: Reply, again: Reply) -> None:
    for name in ("prov.job.id", "prov.username", "prov.password"):
        expect(f"{name} after the restart", first.text(name), again.text(name))
