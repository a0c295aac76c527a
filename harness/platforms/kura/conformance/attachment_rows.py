"""What is attached to a provision request is delivered (docs/contracts/kura.md §1.5, §1.6, §3.2), by PROV-SIM1.

The configuration is the body of the reply. Bundles are asked for by DEPLOY-V2: before the confirm is answered if the
gateway listens for that at the provision broker, else after its first BIRTH; and the job goes through its states.
"""

from __future__ import annotations

import base64
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.control_requests import ControlRequest, Managed
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    Provisioning,
    bootstrap,
    expect_material,
    on_target,
    reply_of,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession, now_ms
from fleetrig.harness.platforms.kura.conformance.payload_bytes import INT64, Value, metric, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "attachments")
NEEDS: Final = ("mqtt", "provisioning")
DOWNLOAD: Final = "DEPLOY-V2/EXEC/download"
PID: Final = "org.eclipse.kura.data.DataService"
XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<esf:configurations xmlns:esf="http://eurotech.com/esf/2.0" xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0">
<esf:configuration pid="{PID}"><esf:properties>
<esf:property array="false" encrypted="false" name="connect.retry-interval" type="Integer"><esf:value>77</esf:value>
</esf:property></esf:properties></esf:configuration></esf:configurations>"""
BUNDLES: Final = ("first", "second")


def with_attachments(client: RowClient) -> RowRequest:
    """A request with one configuration and two bundles."""
    content = base64.b64encode(XML.encode()).decode()
    configuration = {"type": "CONFIGURATION", "name": "configuration.xml", "content": content}
    bundles = [
        {"type": "BUNDLE", "name": name, "version": "1.0.0", "uri": f"http://127.0.0.1:9/{name}.dp"} for name in BUNDLES
    ]
    return client.request(provisionAttachments=[configuration, *bundles])


def installed(session: GatewaySession, name: str, status: str = "COMPLETED") -> None:
    """A download is asked for, taken, and told to have ended so."""
    gateway = Managed(session, "", "")
    request = gateway.hear(DOWNLOAD)
    said = [request.content.value(one) for one in ("dp.name", "dp.version", "dp.uri")]
    expect("what is to be downloaded", [name, "1.0.0", f"http://127.0.0.1:9/{name}.dp"], said)
    gateway.answer(request)
    session.publish(notify_topic(session, request), notification(request, status))
    session.settle()


def notify_topic(session: GatewaySession, request: ControlRequest) -> str:
    return f"$EDC/{session.account}/{request.requester}/DEPLOY-V2/NOTIFY/{session.client_id}/install"


def notification(request: ControlRequest, status: str) -> bytes:
    """What a gateway tells of an installation."""
    job_id = request.content.value("job.id")
    assert isinstance(job_id, int), "an INT64"
    name = str(request.content.value("dp.name"))
    said: dict[str, Value] = {"dp.install.status": status, "dp.install.progress": 100, "dp.name": name}
    return payload(said, metric("job.id", job_id, INT64), timestamp_ms=now_ms())


def asked_with_attachments(client: RowClient, request: RowRequest) -> tuple[Provisioning, str]:
    """The session, and the job's id: the material is there with the configuration."""
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request())
    expect("prov.apps", len(BUNDLES), reply.content.value("prov.apps"))
    text = reply.content.body.decode("utf-8", "replace")
    for wanted in (PID, "connect.retry-interval", ">77<"):
        expect_that(wanted in text, f"the body has {wanted}, as it was attached", text)
    return provisioning, reply.job_id


@ROWS.row("P09", "before-confirm", "Profile: a gateway that listens for DEPLOY-V2 at the provision broker gets its "
          "configuration, then its bundles one after the other, then the answer to its confirm",
          needs=NEEDS)  # fmt: skip
def before_confirm(client: RowClient) -> None:
    request = with_attachments(client)
    provisioning, job_id = asked_with_attachments(client, request)
    session = provisioning.session
    session.subscribe(session.control("DEPLOY-V2/#"))
    client.expect_job(request, "CONF_UPDATING")
    metrics = provisioning.confirm_metrics(job_id)
    request_id = str(metrics["request.id"])
    provisioning.publish("confirm", payload(metrics))
    installed(session, BUNDLES[0])
    client.expect_job(request, "APPS_INSTALLING")
    installed(session, BUNDLES[1])
    message = session.message("the answer to confirm")
    topic = session.control(f"{provisioning.app_id}/REPLY/{request_id}")
    expect("the topic and code of the answer to confirm", (topic, 200), (message.topic, reply_of(message).code))
    client.expect_job(request, "APPS_INSTALLED")


@ROWS.row("P10", "after-birth", "Profile: one that does not listen for it there gets its bundles after its BIRTH, and "
          "the job is COMPLETED when they are installed", needs=NEEDS)  # fmt: skip
def after_birth(client: RowClient) -> None:
    request = with_attachments(client)
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request())
    expect("the answer to confirm", 200, provisioning.confirm(reply.job_id).code)
    client.expect_job(request, "CONF_UPDATED")
    provisioning.session.disconnect(dc=False)
    session = on_target(client, reply)
    session.birth()
    session.subscribe(session.control("#"))
    client.under_test.let_pass(3)
    for name in BUNDLES:
        client.expect_job(request, "APPS_INSTALLING")
        installed(session, name)
    client.expect_job(request, "COMPLETED")


@ROWS.row("P11", "failed-bundle", "Profile: a bundle that cannot be installed makes the run fail: confirm is refused, "
          "and retryCount is one higher", needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def failed_bundle(client: RowClient) -> None:
    request = with_attachments(client)
    provisioning, job_id = asked_with_attachments(client, request)
    session = provisioning.session
    session.subscribe(session.control("DEPLOY-V2/#"))
    provisioning.publish("confirm", payload(provisioning.confirm_metrics(job_id)))
    installed(session, BUNDLES[0], "FAILED")
    code = reply_of(session.message("the answer to confirm")).code
    expect_that(code in (400, 500), "the answer to confirm is a refusal", code)
    job = client.expect_job(request, "RUNNING")
    expect("retryCount", 1, job["retryCount"])
