"""Attachments: a configuration in the reply, bundles by DEPLOY-V2 before the permission or after the first BIRTH."""

from __future__ import annotations

from base64 import b64encode

import pytest

from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, boolean, int32, int64, string
from fleetrig.reference_server.platforms.kura.state.provision_records import Attachment, JobStatus
from fleetrig.reference_server.platforms.kura.state.provision_requests import delete_request, requests_for
from fleetrig.simulator.contract.envelope import Output
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    BOOTSTRAP,
    GATEWAY,
    PROVISION,
    BrokerRig,
    Told,
    told,
)
from tests.reference_server.platforms.kura.provisioning.attachments import XML, bundle, configuration

DOWNLOAD = f"$EDC/{PROVISION}/{GATEWAY}/DEPLOY-V2/EXEC/download"


def gateway(*attachments: Attachment, retries: int = -1) -> BrokerRig:
    """One that hears all of its control topic, as gateways do, with the material in hand."""
    rig = BrokerRig()
    rig.request(attachments=attachments, retry_max_attempts=retries)
    rig.join(user=BOOTSTRAP, keep_alive_s=0)
    rig.hears(1, f"$EDC/{PROVISION}/{GATEWAY}/#")
    rig.ask()
    rig.events.clear()
    return rig


def confirmed(rig: BrokerRig, request_id: str = "r-2") -> list[Told]:
    """Replies to a confirm; the echo of the confirm itself is left out."""
    return [one for one in rig.confirm(request_id=request_id) if "/REPLY/" in one.topic]


def asked(rig: BrokerRig) -> Told:
    """The one request to download that is on its way now."""
    (found,) = told(rig.later(0))
    return found


def answer(rig: BrokerRig, request: Told, code: int | None = 200, session: int = 1) -> list[Output]:
    account = request.topic.split("/")[1]
    metrics = {} if code is None else {"response.code": int32(code)}
    topic = f"$EDC/{account}/{REQUESTER}/DEPLOY-V2/REPLY/{request.text('request.id')}"
    return rig.publish(session, topic, KuraPayload(metrics=metrics), qos=0)


def notify(
    rig: BrokerRig, request: Told, what: str, status: str, session: int = 1, job_id: int | None = None
) -> list[Told]:
    account = request.topic.split("/")[1]
    number = request.payload.integer("job.id")
    assert number is not None
    metrics = {
        "job.id": int64(number if job_id is None else job_id),
        "client.id": string(GATEWAY),
        f"dp.{what}.status": string(status),
        f"dp.{what}.error.message": string("no room"),
        "dp.name": string("app"),
    }
    topic = f"$EDC/{account}/{REQUESTER}/DEPLOY-V2/NOTIFY/{GATEWAY}/{what}"
    return told(rig.publish(session, topic, KuraPayload(metrics=metrics), qos=0))


def test_an_attached_configuration_is_the_body_of_the_reply() -> None:
    rig = BrokerRig()
    rig.request(attachments=(configuration(), bundle(1), bundle(2)))
    rig.bootstrap()
    (reply,) = rig.ask()
    assert reply.payload.body == XML
    assert reply.payload.metrics["prov.apps"] == int32(2)


def test_a_bundle_is_installed_before_the_permission_to_commit() -> None:
    rig = gateway(bundle())
    assert not confirmed(rig)
    assert rig.job().status is JobStatus.APPS_INSTALLING
    assert rig.steps() == ["job_conf_updated", "job_apps_installing"]
    request = asked(rig)
    assert request.topic == DOWNLOAD
    assert request.text("requester.client.id") == REQUESTER
    assert (request.text("dp.uri"), request.text("dp.name")) == ("https://h/app-1.dp", "app-1")
    assert (request.text("dp.version"), request.text("dp.download.protocol")) == ("1.2.3", "HTTPS")
    assert request.payload.metrics["dp.install"] == boolean(True)
    assert request.payload.metrics["dp.install.system.update"] == boolean(False)
    assert "sig.value" not in request.payload.metrics
    answer(rig, request)
    assert not notify(rig, request, "download", "COMPLETED")
    (permission,) = notify(rig, request, "install", "COMPLETED")
    assert (permission.topic[-4:], permission.code) == ("/r-2", 200)
    assert rig.job().status is JobStatus.APPS_INSTALLED
    assert rig.steps() == ["job_apps_installed"]


def test_one_bundle_after_the_other() -> None:
    rig = gateway(bundle(1), bundle(2))
    confirmed(rig)
    first = asked(rig)
    answer(rig, first)
    assert not notify(rig, first, "install", "COMPLETED")
    second = asked(rig)
    assert second.text("dp.name") == "app-2"
    assert second.payload.integer("job.id") != first.payload.integer("job.id")
    answer(rig, second)
    assert not notify(rig, first, "install", "COMPLETED")
    assert [one.code for one in notify(rig, second, "install", "COMPLETED")] == [200]


def test_a_bundle_that_is_there_already_is_installed_all_the_same() -> None:
    """Both spellings of the status (section 6, row 18)."""
    for status in ("ALREADY DONE", "ALREADY_DONE"):
        rig = gateway(bundle())
        confirmed(rig)
        request = asked(rig)
        answer(rig, request)
        assert not notify(rig, request, "download", status)
        assert [one.code for one in notify(rig, request, "install", "COMPLETED")] == [200]


@pytest.mark.parametrize("status", ["ALREADY DONE", "ALREADY_DONE"])
def test_a_bundle_that_is_installed_already_counts(status: str) -> None:
    rig = gateway(bundle())
    confirmed(rig)
    request = asked(rig)
    answer(rig, request)
    assert [one.code for one in notify(rig, request, "install", status)] == [200]


def test_a_job_lasts_as_long_as_its_device_tells_how_far_it_is() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    request = asked(rig)
    answer(rig, request)
    for _ in range(3):
        rig.later(299)
        assert not notify(rig, request, "download", "IN_PROGRESS")
    assert rig.job().status is JobStatus.APPS_INSTALLING
    assert [one.code for one in notify(rig, request, "install", "COMPLETED")] == [200]


def test_a_device_that_falls_silent_while_it_installs_may_try_again() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    answer(rig, asked(rig))
    said = [one for one in told(rig.later(300)) if "/REPLY/" in one.topic]
    assert [one.text("prov.error") for one in said] == ["INTERNAL"]
    assert (rig.job().status, rig.job().retry_count) == (JobStatus.RUNNING, 1)


def test_a_confirm_that_is_repeated_is_answered_by_the_last_id() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    request = asked(rig)
    assert not confirmed(rig, "r-3")
    assert not told(rig.later(0))
    answer(rig, request)
    (permission,) = notify(rig, request, "install", "COMPLETED")
    assert permission.topic.endswith("/r-3")
    assert [one.data for one in confirmed(rig, "r-4")] == [permission.data]


def test_an_uploaded_bundle_is_fetched_from_this_server() -> None:
    rig = gateway(bundle(uri="", content_base64=b64encode(b"zip").decode()))
    rig.platform.listens_at({"http": "http://h:3"})
    confirmed(rig)
    uri = asked(rig).text("dp.uri") or ""
    assert uri.startswith("http://h:3/attachments/")
    assert len(uri.removeprefix("http://h:3/attachments/")) == 32


@pytest.mark.parametrize("code", [400, 404, 500, 202, None])
def test_a_download_that_is_not_accepted_fails_the_run(code: int | None) -> None:
    """An unknown code is no success either (S-41)."""
    rig = gateway(bundle())
    confirmed(rig)
    (refusal,) = [one for one in told(answer(rig, asked(rig), code)) if one.session == 1]
    assert (refusal.topic[-4:], refusal.code, refusal.text("prov.error")) == ("/r-2", 500, "INTERNAL")
    assert (rig.job().status, rig.job().retry_count) == (JobStatus.RUNNING, 1)
    assert rig.job().issued is None


@pytest.mark.parametrize(("what", "status"), [("download", "FAILED"), ("download", "CANCELLED"), ("install", "FAILED")])
def test_a_bundle_that_fails_fails_the_run_and_at_last_the_job(what: str, status: str) -> None:
    rig = gateway(bundle(), retries=0)
    confirmed(rig)
    request = asked(rig)
    answer(rig, request)
    (refusal,) = notify(rig, request, what, status)
    assert (refusal.code, refusal.text("prov.error")) == (400, "ATTEMPTS_EXHAUSTED")
    assert rig.job().status is JobStatus.FAILED
    assert [stage for stage, _, reason in rig.audited() if "no room" in reason] == ["confirm"]


def test_a_device_that_does_not_answer_the_download_fails_the_run() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    asked(rig)
    said = [one for one in told(rig.later(30)) if "/REPLY/" in one.topic]
    assert [one.text("prov.error") for one in said] == ["INTERNAL"]
    assert rig.job().retry_count == 1


def test_a_forged_notification_installs_nothing() -> None:
    rig = gateway(bundle())
    rig.request("gw-2")
    rig.bootstrap(2, "gw-2")
    confirmed(rig)
    request = asked(rig)
    answer(rig, request)
    assert not notify(rig, request, "install", "COMPLETED", job_id=1)
    assert not notify(rig, request, "install", "COMPLETED", session=2)
    metrics = {"job.id": int64(request.payload.integer("job.id") or 0), "dp.install.status": string("COMPLETED")}
    topic = f"$EDC/{PROVISION}/{REQUESTER}/DEPLOY-V2/NOTIFY/gw-2/install"
    rig.publish(2, topic, KuraPayload(metrics=metrics))
    assert rig.job().status is JobStatus.APPS_INSTALLING


def test_a_device_that_is_lost_while_it_installs_begins_anew_or_goes_on() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    asked(rig)
    rig.vanishes()
    rig.later(0)
    assert (rig.job().status, rig.job().retry_count) == (JobStatus.APPS_INSTALLING, 0)
    rig.join(2, user=BOOTSTRAP)
    rig.hears(2, f"$EDC/{PROVISION}/{GATEWAY}/#")
    assert not [one for one in rig.confirm(2) if "/REPLY/" in one.topic]
    request = asked(rig)
    assert request.session == 2
    answer(rig, request, session=2)
    assert [one.code for one in notify(rig, request, "install", "COMPLETED", 2)] == [200]


def test_a_device_that_gives_up_while_it_installs_is_asked_again_in_its_next_run() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    first = asked(rig)
    answer(rig, first)
    rig.confirm(result="FAILED")
    rig.ask()
    assert not confirmed(rig, "r-5")
    second = asked(rig)
    assert second.payload.integer("job.id") != first.payload.integer("job.id")
    answer(rig, second)
    assert [one.topic[-4:] for one in notify(rig, second, "install", "COMPLETED")] == ["/r-5"]


def test_a_restart_while_it_installs_is_got_over_by_the_confirm() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    asked(rig)
    rig.start()
    rig.join(2, user=BOOTSTRAP)
    rig.hears(2, f"$EDC/{PROVISION}/{GATEWAY}/#")
    rig.confirm(2)
    request = asked(rig)
    answer(rig, request, session=2)
    assert [one.code for one in notify(rig, request, "install", "COMPLETED", 2)] == [200]
    assert rig.job().status is JobStatus.APPS_INSTALLED


def test_a_request_that_is_deleted_is_installed_no_longer() -> None:
    rig = gateway(bundle())
    confirmed(rig)
    request = asked(rig)
    with rig.store.transaction():
        delete_request(rig.registry, requests_for(rig.registry, GATEWAY)[0])
    assert not told(rig.later(0))
    assert not told(answer(rig, request))
    assert not notify(rig, request, "install", "COMPLETED")


# A device that hears nothing of DEPLOY-V2 in provisioning


def moved(*bundles: Attachment, retries: int = -1) -> tuple[BrokerRig, Told]:
    """One that is in its account, and the request to download that it has got there."""
    rig = BrokerRig()
    rig.request(attachments=bundles, retry_max_attempts=retries)
    material = rig.provision()
    assert rig.job().status is JobStatus.CONF_UPDATED
    rig.events.clear()
    rig.go_to_account(material, 2)
    assert rig.job().status is JobStatus.APPS_INSTALLING
    assert not told(rig.later(1.9))
    (request,) = told(rig.later(0.1))
    assert request.topic == f"$EDC/{ACCOUNT}/{GATEWAY}/DEPLOY-V2/EXEC/download"
    return rig, request


def test_its_bundles_follow_two_seconds_after_its_first_birth() -> None:
    rig, request = moved(bundle())
    assert rig.bootstrap(3) == ["3 CONNACK 0"]
    answer(rig, request, session=2)
    notify(rig, request, "install", "COMPLETED", 2)
    assert rig.job().status is JobStatus.COMPLETED
    assert rig.steps()[-2:] == ["job_apps_installed", "job_completed"]
    assert rig.resources() == ["BIRTH", "PROVISIONED"]


def test_a_second_birth_does_not_begin_again() -> None:
    rig, _ = moved(bundle())
    assert not [one for one in told(rig.birth(2)) if "DEPLOY-V2" in one.topic]
    assert not told(rig.later(5))


def test_a_bundle_that_fails_there_is_tried_again_and_the_device_keeps_its_user() -> None:
    rig, request = moved(bundle(), retries=1)
    answer(rig, request, session=2)
    notify(rig, request, "install", "FAILED", 2)
    assert (rig.job().status, rig.job().retry_count) == (JobStatus.APPS_INSTALLING, 1)
    assert not told(rig.later(9.9))  # not as fast as a device refuses
    (again,) = told(rig.later(0.1))
    answer(rig, again, session=2)
    notify(rig, again, "install", "FAILED", 2)
    assert rig.job().status is JobStatus.FAILED
    assert rig.connection().status == "CONNECTED"
    assert rig.job().issued is not None


def test_a_device_that_comes_back_is_asked_again() -> None:
    rig, _ = moved(bundle())
    rig.vanishes(2)
    rig.later(600)
    assert rig.job().status is JobStatus.APPS_INSTALLING
    issued = rig.job().issued
    assert issued is not None
