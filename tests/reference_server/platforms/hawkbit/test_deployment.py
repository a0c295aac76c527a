"""A deployment as the device sees it: documents, feedback, cancel, confirmation, windows (§2.4-2.7)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, FAILED, ORIGIN, Bench, said


@pytest.fixture
def bench() -> Bench:
    return Bench()


def document(bench: Bench, action_id: int, query: str = "", what: str = "deploymentBase"):
    answer = bench.device("GET", f"/{what}/{action_id}{query}")
    assert answer.status == 200, answer.reason
    return answer.body


def test_links_of_a_file(bench):  # S95
    action_id = bench.deployed()
    artifact = document(bench, action_id)["deployment"]["chunks"][0]["artifacts"][0]
    href = artifact["_links"]["download-http"]["href"]
    assert set(artifact["_links"]) == {"download-http", "md5sum-http"}
    assert set(artifact["hashes"]) == {"sha1", "md5", "sha256"}
    assert bench.device("GET", href.removeprefix(f"{ORIGIN}/DEFAULT/controller/v1/dev")).raw == b"hello fleetrig"


def test_ids_are_encoded_in_links_and_followed(bench):
    bench.target("a:b@c")
    action_id = bench.assign(bench.release(), "a:b@c")
    polled = bench.device("GET", "", device="a:b@c").body["_links"]["deploymentBase"]["href"]
    assert polled.startswith(f"{ORIGIN}/DEFAULT/controller/v1/a%3Ab%40c/deploymentBase/{action_id}?c=")
    assert bench.device("GET", f"/deploymentBase/{action_id}", device="a%3Ab%40c").status == 200


def test_several_modules_and_their_metadata(bench):
    os, app = bench.module("base"), bench.module("app", "application", None)
    pairs = [{"key": "seen", "value": "v", "targetVisible": True}, {"key": "hidden", "value": "w"}]
    assert bench.mgmt("POST", f"/softwaremodules/{app}/metadata", pairs).status == 201
    bench.target()
    action_id = bench.assign(bench.set_of(os, app, kind="os_app"))
    chunks = {chunk["part"]: chunk for chunk in document(bench, action_id)["deployment"]["chunks"]}
    assert set(chunks) == {"os", "bApp"}
    assert chunks["bApp"]["metadata"] == [{"key": "seen", "value": "v"}]
    assert chunks["bApp"]["artifacts"] == []
    assert "metadata" not in chunks["os"]


def test_failure(bench):  # S98
    action_id = bench.deployed()
    bench.device("PUT", "/configData", {"data": {"a": "b"}})
    assert bench.report(action_id, FAILED).status == 200
    assert (bench.state(), bench.set_id_of("assignedDS")) == ("error", None)
    assert bench.links() == {}
    assert bench.action(action_id)["status"] == "error"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"status": None}, {"status": {"execution": "closed"}}, {"status": {"result": {"finished": "none"}}},
        {"status": {"execution": "closed", "result": {}}},
        {"status": {"execution": "x", "result": {"finished": "none"}}},
        {"status": {"execution": "CLOSED", "result": {"finished": "none"}}},
        {"status": {"execution": "closed", "result": {"finished": "maybe"}}},
        {"status": {"execution": "closed", "result": {"finished": "none"}, "details": {"a": 1}}},
        {"status": {"execution": "closed", "result": {"finished": "none"}, "code": 2**40}},
        {"status": {"execution": "closed", "result": {"finished": "none"}}, "timestamp": "yesterday"},
        "text", b"{", [1],
    ],
)  # fmt: skip
def test_feedback_that_is_no_feedback(bench, body):  # S101
    action_id = bench.deployed()
    for what in ("deploymentBase", "cancelAction"):
        answer = bench.device("POST", f"/{what}/{action_id}/feedback", body)
        assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.rest.body.notReadable")
    assert len(bench.history(action_id)) == 1


def test_feedback_of_old_clients(bench):
    action_id = bench.deployed()
    result = {"progress": {"cnt": 0, "of": 1}, "finished": "none"}
    status = {"execution": "proceeding", "result": result, "details": "one text", "code": "7"}
    body = {"id": 1, "time": "20261121T013408", "status": status}
    assert bench.device("POST", f"/deploymentBase/{action_id}/feedback", body).status == 200
    assert bench.history(action_id)[0] == ("running", ["one text", "Device reported status code: 7"])
    assert bench.action(action_id)["lastStatusCode"] == 7


def test_feedback_with_hal_json_is_refused(bench):
    action_id = bench.deployed()
    answer = bench.device(
        "POST", f"/deploymentBase/{action_id}/feedback", {"status": CLOSED}, Content_Type="application/hal+json"
    )
    assert answer.status == 415


def test_another_targets_action(bench):  # S104
    action_id = bench.deployed()
    bench.target("other")
    for method, path, body in [
        ("GET", f"/deploymentBase/{action_id}", None),
        ("POST", f"/deploymentBase/{action_id}/feedback", {"status": CLOSED}),
        ("GET", f"/cancelAction/{action_id}", None),
        ("POST", f"/cancelAction/{action_id}/feedback", {"status": CLOSED}),
        ("GET", f"/confirmationBase/{action_id}", None),
        ("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "confirmed"}),
        ("GET", f"/installedBase/{action_id}", None),
    ]:
        answer = bench.device(method, path, body, device="other")
        assert (answer.status, answer.body["errorCode"]) == (404, "hawkbit.server.error.repo.entityNotFound"), path
        assert answer.body["message"] == f"Not a valid action ({action_id}) for target: other"
        assert "info" not in answer.body
        assert "belongs to target dev" in answer.reason


def test_an_unknown_target_gets_404_and_is_not_created(bench):
    action_id = bench.deployed()
    answer = bench.device("GET", f"/deploymentBase/{action_id}", device="nobody")
    assert (answer.status, answer.body["info"]["type"]) == (404, "Target")
    assert bench.mgmt("GET", "/targets/nobody").status == 404


def test_an_unknown_device_declares_nothing(bench):
    set_id = bench.release()
    answer = bench.device("PUT", "/installedBase", {"name": "release", "version": "1"}, device="nobody")
    assert (answer.status, answer.body["error"], set_id > 0) == (500, "Internal Server Error", True)
    assert bench.mgmt("GET", "/targets/nobody").status == 404


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"name": "release"}, "rest.body.notReadable", "The given request body is not well formed"),
        ({"name": "release", "version": None}, "repo.constraintViolation",
         "findByNameAndVersion.version must not be empty."),
        ({"name": "", "version": "1"}, "repo.constraintViolation",
         "findByNameAndVersion.distributionName must not be empty."),
    ],
)  # fmt: skip
def test_a_declaration_names_a_set(bench, body, code, message):
    bench.target()
    bench.release()
    answer = bench.device("PUT", "/installedBase", body)
    assert (answer.status, answer.body["errorCode"], answer.body["message"]) == (
        400, f"hawkbit.server.error.{code}", message
    )  # fmt: skip


def test_a_device_need_not_get_the_case_right(bench):
    bench.target()
    set_id = bench.release("Release")
    assert bench.device("PUT", "/installedBase", {"name": "RELEASE", "version": "1"}).status == 201
    target = bench.mgmt("GET", "/targets/dev").body
    assert (bench.set_id_of("installedDS"), target["lastModifiedBy"]) == (set_id, "dev")
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["lastModifiedBy"] == "dev"  # who locked it
    assert bench.history(bench.mgmt("GET", "/targets/dev/actions").body["content"][0]["id"])[0][1][0] == (
        "Assignment initiated by user 'dev'"
    )


def test_cancel_rejected(bench):  # S107
    action_id = bench.deployed()
    assert bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}").status == 204
    assert bench.report(action_id, said("rejected", "success"), "cancelAction").status == 200
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{action_id}?c=")
    assert (bench.state(), bench.action(action_id)["type"]) == ("pending", "update")


def test_a_cancel_that_failed_lets_the_update_go_on(bench):
    action_id = bench.deployed()
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    bench.report(action_id, FAILED, "cancelAction")
    assert "deploymentBase" in bench.links()


def test_force_quit_and_its_history(bench):
    action_id = bench.deployed()
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}?force=true")
    assert bench.history(action_id)[:2] == [
        ("canceled", ["Update Server: A force quit has been performed."]),
        ("canceling", ["Update Server: manual cancelation requested"]),
    ]
    again = bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}?force=true")
    assert (again.status, again.body["message"]) == (405, f"{action_id} is not active and cannot be force quit")


def test_a_finished_action_cannot_be_canceled(bench):
    action_id = bench.deployed()
    bench.report(action_id, CLOSED)
    answer = bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    assert (answer.status, answer.body["message"]) == (405, f"{action_id} is not active and cannot be canceled")


def test_after_a_cancel_the_installed_set_counts_again(bench):
    bench.target()
    first = bench.release("first")
    bench.report(bench.assign(first), CLOSED)
    action_id = bench.assign(bench.release("second"))
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    bench.report(action_id, CLOSED, "cancelAction")
    assert (bench.set_id_of("assignedDS"), bench.state()) == (first, "in_sync")


def test_a_device_with_a_slow_clock_stays_pending(bench):  # S119
    bench.target()
    first = bench.release("first")
    bench.report(bench.assign(first), CLOSED)
    installed_at_ms = bench.now_us // 1000
    second = bench.assign(bench.release("second"))
    answer = bench.report(second, CLOSED, timestamp=installed_at_ms - 3_600_000)
    assert (answer.status, bench.state(), bench.set_id_of("installedDS")) == (200, "pending", first)
    assert bench.action(second)["status"] == "finished"


def test_the_devices_timestamp_is_when_it_was_installed(bench):
    action_id = bench.deployed()
    bench.report(action_id, CLOSED, timestamp=1_700_000_000_000)
    assert bench.mgmt("GET", "/targets/dev").body["installedAt"] == 1_700_000_000_000
    line = bench.mgmt("GET", f"/targets/dev/actions/{action_id}/status").body["content"][0]
    assert (line["timestamp"], line["reportedAt"]) == (1_700_000_000_000, bench.now_us // 1000)


def test_installed_while_another_set_is_assigned(bench):  # §4
    action_id = bench.deployed()
    bench.assign(bench.release("newer"))
    bench.report(action_id, CLOSED)
    assert bench.state() == "pending"


def test_download_only_that_is_installed_after_all(bench):
    bench.target()
    set_id = bench.release()
    action_id = bench.assign(set_id, type="downloadonly")
    assert bench.report(action_id, CLOSED).status == 200
    assert (bench.state(), bench.set_id_of("installedDS"), bench.set_id_of("assignedDS")) == ("in_sync", set_id, set_id)


def test_forcing(bench):  # S134
    action_id = bench.deployed(type="soft")
    before = bench.links()["deploymentBase"]
    assert document(bench, action_id)["deployment"]["update"] == "attempt"
    forced = bench.mgmt("PUT", f"/targets/dev/actions/{action_id}", {"forceType": "forced"})
    assert (forced.status, forced.body["forceType"]) == (200, "forced")
    assert bench.links()["deploymentBase"] != before
    assert document(bench, action_id)["deployment"]["download"] == "forced"


@pytest.mark.parametrize("body", [{"forceType": "soft"}, {}])
def test_an_action_can_only_be_forced(bench, body):
    action_id = bench.deployed()
    answer = bench.mgmt("PUT", f"/targets/dev/actions/{action_id}", body)
    assert (answer.status, answer.body["message"]) == (400, "Resource supports only switch to FORCED.")
    assert answer.body["exceptionClass"] == "jakarta.validation.ValidationException"


def test_time_forced(bench):  # S134
    action_id = bench.deployed(type="timeforced", forcetime=bench.now_us // 1000 + 3_600_000)
    assert document(bench, action_id)["deployment"] | {"chunks": []} == {
        "download": "attempt",
        "update": "attempt",
        "chunks": [],
    }
    before = bench.links()["deploymentBase"]
    assert bench.action(action_id)["forceTime"] == bench.now_us // 1000 + 3_600_000
    bench.wait(3600)
    assert bench.links()["deploymentBase"] != before
    assert document(bench, action_id)["deployment"]["update"] == "forced"


def test_history(bench):  # S134, §2.4
    action_id = bench.deployed()
    assert document(bench, action_id, "?actionHistory=10")["actionHistory"] == {
        "status": "RUNNING",
        "messages": ["Assignment initiated by user 'admin'"],
    }
    bench.wait(1)
    bench.report(action_id, said("proceeding", details=["one", "Update Server: mine", "two"]))
    assert "actionHistory" not in document(bench, action_id)
    assert "actionHistory" not in document(bench, action_id, "?actionHistory=0")
    assert document(bench, action_id, "?actionHistory=-1")["actionHistory"] == {
        "status": "RETRIEVED",
        "messages": ["one", "two", "Assignment initiated by user 'admin'"],
    }
    assert document(bench, action_id, "?actionHistory=1")["actionHistory"]["messages"] == ["one"]


def test_history_is_cut_at_a_hundred(bench):
    action_id = bench.deployed()
    for n in range(3):
        bench.report(action_id, said("proceeding", details=[f"{n}-{m}" for m in range(50)]))
    assert len(document(bench, action_id, "?actionHistory=-1")["actionHistory"]["messages"]) == 100


def test_an_open_window(bench):  # S113
    bench.target()
    window = {"schedule": "0 0 0 1 1 ? 2026", "duration": "00:10:00", "timezone": "+00:00"}
    bench.wait(1)
    action_id = bench.assign(bench.release(), maintenanceWindow=window)
    deployment = document(bench, action_id)["deployment"]
    assert (deployment["maintenanceWindow"], deployment["update"]) == ("available", "forced")
    assert bench.device("GET", "").body["config"]["polling"]["sleep"] == "00:05:00"


def test_a_window_opens_and_lapses(bench):  # §2.2
    bench.target()
    window = {"schedule": "0 10 0 1 1 ? 2026", "duration": "00:10:00", "timezone": "+00:00"}
    action_id = bench.assign(bench.release(), maintenanceWindow=window)
    closed = bench.links()["deploymentBase"]
    assert bench.device("GET", "").body["config"]["polling"]["sleep"] == "00:03:20"
    bench.wait(601)
    assert bench.links()["deploymentBase"] != closed
    assert document(bench, action_id)["deployment"]["maintenanceWindow"] == "available"
    bench.wait(600)
    assert bench.links() == {"cancelAction": f"cancelAction/{action_id}", "configData": "configData"}
    assert bench.history(action_id)[0] == ("canceling", ["manual cancelation requested"])
    assert "nextStartAt" not in bench.action(action_id)["maintenanceWindow"]


def test_a_lapsed_window_is_noticed_without_a_poll_too(bench):
    bench.target()
    window = {"schedule": "0 10 0 1 1 ? 2026", "duration": "00:10:00", "timezone": "+00:00"}
    action_id = bench.assign(bench.release(), maintenanceWindow=window)
    bench.wait(3600)
    assert bench.device("GET", f"/deploymentBase/{action_id}").status == 404
    assert bench.action(action_id)["status"] == "canceling"


def test_confirmation_by_an_operator_and_revoked_by_the_device(bench):  # §2.7
    bench.configure({"user.confirmation.flow.enabled": True})
    action_id = bench.deployed()
    path = f"/targets/dev/actions/{action_id}/confirmation"
    assert bench.mgmt("PUT", path, {"confirmation": "confirmed"}).status == 204
    assert "deploymentBase" in bench.links()
    assert bench.mgmt("PUT", path, {"confirmation": "confirmed"}).status == 404
    answer = bench.device("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "denied"})
    assert answer.status == 200
    assert "confirmationBase" in bench.links()
    assert bench.report(action_id, CLOSED).status == 404
    bench.device("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "confirmed"})
    bench.report(action_id, CLOSED)
    assert bench.mgmt("PUT", path, {"confirmation": "denied"}).status == 410
    gone = bench.device("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "confirmed"})
    assert (gone.status, gone.raw) == (410, b"")


def test_a_confirmation_must_say_which(bench):
    action_id = bench.deployed()
    for body in ({}, {"confirmation": "perhaps"}):
        assert bench.device("POST", f"/confirmationBase/{action_id}/feedback", body).status == 400


def test_no_confirmation_where_the_flow_is_off(bench):
    action_id = bench.deployed(confirmationRequired=True)
    assert "deploymentBase" in bench.links()
    assert bench.device("GET", f"/confirmationBase/{action_id}").status == 404
    denied = bench.device("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "denied"})
    assert denied.status == 404


def test_an_assignment_can_do_without_confirmation(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    action_id = bench.deployed(confirmationRequired=False)
    assert "deploymentBase" in bench.links()
    assert bench.history(action_id) == [
        (
            "wait_for_confirmation",
            ["Assignment initiated by user 'admin'", "Assignment confirmed by initiator [admin]."],
        )
    ]


def test_auto_confirmation_confirms_what_waits_and_what_comes(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    waiting = bench.deployed()
    assert "confirmationBase" in bench.links()
    bench.device("POST", "/confirmationBase/activateAutoConfirm", {"initiator": "dev", "remark": "fine"})
    assert "deploymentBase" in bench.links()
    status, messages = bench.history(waiting)[0]
    assert status == "running"
    assert messages[0].startswith("Assignment automatically confirmed by initiator 'dev'. \n\n")
    assert messages[0].endswith("\n\nRemark: fine")
    bench.report(waiting, CLOSED)
    bench.assign(bench.release("newer"))
    assert "deploymentBase" in bench.links()


def test_auto_confirmation_without_a_body(bench):
    bench.target()
    assert bench.device("POST", "/confirmationBase/activateAutoConfirm").status == 200
    assert bench.device("GET", "/confirmationBase").body["autoConfirm"]["active"] is True
    assert bench.device("POST", "/confirmationBase/deactivateAutoConfirm").status == 200
    assert bench.device("GET", "/confirmationBase").body["autoConfirm"] == {"active": False, "activatedAt": 0}


def test_cbor_both_ways(bench):
    import cbor2

    action_id = bench.deployed()
    answer = bench.device("GET", f"/deploymentBase/{action_id}", Accept="application/cbor")
    artifact = cbor2.loads(answer.raw)["deployment"]["chunks"][0]["artifacts"][0]
    assert {link["rel"] for link in artifact["links"]} == {"download-http", "md5sum-http"}
    body = cbor2.dumps({"status": CLOSED})
    reported = bench.device("POST", f"/deploymentBase/{action_id}/feedback", body, Content_Type="application/cbor")
    assert (reported.status, bench.state()) == (200, "in_sync")


def test_the_full_life_of_an_update_as_rauc_sees_it(bench):  # §7.5
    action_id = bench.deployed()
    assert bench.links()["deploymentBase"].split("?c=")[1].lstrip("-").isdigit()
    body = document(bench, action_id)
    assert body["id"] == str(action_id)
    path = f"/softwaremodules/{1}/artifacts/fw.bin"
    assert bench.device("HEAD", path).headers["Content-Length"] == "14"
    assert bench.device("GET", path, Range="bytes=14-").status == 416
    for status in (said("proceeding"), said("download"), said("downloaded"), CLOSED):
        assert bench.report(action_id, status).status == 200
    assert bench.state() == "in_sync"
    assert set(bench.links()) == {"installedBase", "configData"}
