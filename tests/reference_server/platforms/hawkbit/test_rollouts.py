"""Rollouts: a set on its way to many targets, group by group (§1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Quotas, Settings
from fleetrig.reference_server.stores.sqlite import SqliteStore
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, FAILED, Bench

ROUND_S = 2
"""The scheduler's pace; every step of a rollout takes one round."""


@pytest.fixture
def bench() -> Bench:
    return Bench()


def targets(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.target(f"dev{number}")


def create(bench: Bench, **more: Any) -> int:
    body = {"name": "r", "targetFilterQuery": "id==dev*", **more}
    if "distributionSetId" not in body:
        body["distributionSetId"] = bench.release(body["name"])
    answer = bench.mgmt("POST", "/rollouts", body)
    assert answer.status == 201, answer.body
    rollout_id: int = answer.body["id"]
    return rollout_id


def running(bench: Bench, **more: Any) -> int:
    rollout_id = create(bench, **more)
    bench.wait(ROUND_S)
    assert move(bench, rollout_id, "start") == 204
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "running"
    return rollout_id


def move(bench: Bench, rollout_id: int, what: str) -> int:
    return bench.mgmt("POST", f"/rollouts/{rollout_id}/{what}").status


def rollout(bench: Bench, rollout_id: int) -> dict[str, Any]:
    body: dict[str, Any] = bench.mgmt("GET", f"/rollouts/{rollout_id}").body
    return body


def status(bench: Bench, rollout_id: int) -> str:
    return str(rollout(bench, rollout_id)["status"])


def groups(bench: Bench, rollout_id: int) -> list[dict[str, Any]]:
    answer = bench.mgmt("GET", f"/rollouts/{rollout_id}/deploygroups?representation=full")
    content: list[dict[str, Any]] = answer.body["content"]
    return content


def members(bench: Bench, rollout_id: int) -> list[list[str]]:
    return [members_of_group(bench, rollout_id, group["id"]) for group in groups(bench, rollout_id)]


def members_of_group(bench: Bench, rollout_id: int, group_id: int) -> list[str]:
    answer = bench.mgmt("GET", f"/rollouts/{rollout_id}/deploygroups/{group_id}/targets")
    return [target["controllerId"] for target in answer.body["content"]]


def states(bench: Bench, rollout_id: int) -> list[str]:
    return [group["status"] for group in groups(bench, rollout_id)]


def has_work(bench: Bench, device: str) -> bool:
    return "deploymentBase" in bench.links(device)


def report(bench: Bench, device: str, result: dict[str, Any]) -> None:
    action = bench.mgmt("GET", f"/targets/{device}/actions").body["content"][0]
    answer = bench.device("POST", f"/deploymentBase/{action['id']}/feedback", {"status": result}, device=device)
    assert answer.status == 200, answer.body


def test_only_targets_of_begun_groups_have_work(bench):
    targets(bench, 4)
    rollout_id = create(bench, amountGroups=2)
    assert status(bench, rollout_id) == "creating"
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "ready"
    assert members(bench, rollout_id) == [["dev0", "dev1"], ["dev2", "dev3"]]
    assert not has_work(bench, "dev0")
    move(bench, rollout_id, "start")
    assert status(bench, rollout_id) == "starting"
    bench.wait(ROUND_S)
    assert [has_work(bench, f"dev{number}") for number in range(4)] == [True, True, False, False]
    assert states(bench, rollout_id) == ["running", "scheduled"]
    scheduled = bench.mgmt("GET", "/targets/dev2/actions").body["content"][0]
    assert (scheduled["status"], scheduled["active"], scheduled["rollout"]) == ("scheduled", False, rollout_id)


def test_a_change_shows_no_target_as_begun(bench):
    targets(bench, 2)
    rollout_id = running(bench)
    assert rollout(bench, rollout_id)["totalTargetsPerStatus"]["running"] == 2
    changed = bench.mgmt("PUT", f"/rollouts/{rollout_id}", {"description": "x"}).body["totalTargetsPerStatus"]
    assert (changed["running"], changed["notstarted"]) == (0, 2)


def test_success_begins_the_next_group_and_ends_the_rollout(bench):
    targets(bench, 4)
    rollout_id = running(bench, amountGroups=2)
    report(bench, "dev0", CLOSED)
    bench.wait(ROUND_S)
    assert states(bench, rollout_id) == ["running", "running"]
    for number in (1, 2, 3):
        report(bench, f"dev{number}", CLOSED)
    bench.wait(2 * ROUND_S)
    assert states(bench, rollout_id) == ["finished", "finished"]
    assert status(bench, rollout_id) == "finished"
    counts = rollout(bench, rollout_id)["totalTargetsPerStatus"]
    assert counts == {"scheduled": 0, "running": 0, "error": 0, "finished": 4, "cancelled": 0, "notstarted": 0}
    assert bench.server.next_due_us() is None


def test_too_many_errors_pause_and_resuming_begins_the_next_group(bench):
    targets(bench, 4)
    rollout_id = running(bench, amountGroups=2, errorCondition={"condition": "THRESHOLD", "expression": "40"})
    report(bench, "dev0", FAILED)
    bench.wait(ROUND_S)
    assert (status(bench, rollout_id), states(bench, rollout_id)) == ("paused", ["error", "scheduled"])
    assert move(bench, rollout_id, "pause") == 400
    assert move(bench, rollout_id, "resume") == 204
    assert states(bench, rollout_id) == ["error", "running"]


def test_half_of_the_errors_do_not_reach_a_threshold_of_half(bench):
    targets(bench, 2)
    rollout_id = running(bench)
    report(bench, "dev0", FAILED)
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "running"


def test_success_can_pause_before_the_next_group(bench):
    targets(bench, 2)
    rollout_id = running(bench, amountGroups=2, successAction={"action": "PAUSE"})
    report(bench, "dev0", CLOSED)
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "paused"
    move(bench, rollout_id, "resume")
    assert states(bench, rollout_id) == ["finished", "running"]


def test_the_next_group_can_be_triggered(bench):
    targets(bench, 2)
    rollout_id = running(bench, amountGroups=2)
    assert move(bench, rollout_id, "triggerNextGroup") == 204
    assert has_work(bench, "dev1")
    assert move(bench, rollout_id, "triggerNextGroup") == 400


def test_download_only_succeeds_by_downloading(bench):
    targets(bench, 1)
    rollout_id = running(bench, type="downloadonly")
    report(bench, "dev0", {"execution": "downloaded", "result": {"finished": "none"}})
    bench.wait(2 * ROUND_S)
    assert status(bench, rollout_id) == "finished"
    assert rollout(bench, rollout_id)["totalTargetsPerStatus"]["finished"] == 1


def test_it_starts_by_itself_when_its_time_has_come(bench):
    targets(bench, 1)
    start_at_ms = bench.now_us // 1000 + 60_000
    rollout_id = create(bench, startAt=start_at_ms)
    bench.wait(30)
    assert status(bench, rollout_id) == "ready"
    bench.wait(34)
    assert status(bench, rollout_id) == "running"


def test_stopping_cancels_what_runs_and_drops_what_waits(bench):
    targets(bench, 2)
    rollout_id = running(bench, amountGroups=2)
    assert move(bench, rollout_id, "stop") == 204
    bench.wait(ROUND_S)
    assert (status(bench, rollout_id), states(bench, rollout_id)) == ("stopped", ["finished", "finished"])
    assert "cancelAction" in bench.links("dev0")
    assert bench.mgmt("GET", "/targets/dev1/actions").body["total"] == 0
    assert move(bench, rollout_id, "stop") == 400


def test_deleting_before_the_start_leaves_nothing(bench):
    targets(bench, 1)
    rollout_id = create(bench)
    bench.wait(ROUND_S)
    assert bench.mgmt("DELETE", f"/rollouts/{rollout_id}").status == 204
    bench.wait(ROUND_S)
    assert bench.mgmt("GET", f"/rollouts/{rollout_id}").status == 404
    assert bench.mgmt("GET", "/rollouts").body["total"] == 0


def test_deleting_after_the_start_is_soft_and_keeps_the_name(bench):
    targets(bench, 1)
    rollout_id = running(bench)
    bench.mgmt("DELETE", f"/rollouts/{rollout_id}")
    bench.wait(ROUND_S)
    assert rollout(bench, rollout_id)["deleted"] is True
    assert bench.mgmt("GET", "/rollouts").body["total"] == 0
    assert bench.mgmt("GET", "/rollouts?soft_deleted_mode=ONLY_SOFT_DELETED").body["total"] == 1
    assert bench.mgmt("PUT", f"/rollouts/{rollout_id}", {"name": "other"}).status == 403
    again = {"name": "r", "distributionSetId": bench.release("other"), "targetFilterQuery": "id==dev*"}
    assert bench.mgmt("POST", "/rollouts", again).status == 409
    assert not has_work(bench, "dev0")
    assert bench.state("dev0") == "in_sync"


def test_a_retry_is_for_whom_it_failed(bench):
    targets(bench, 2)
    rollout_id = running(bench)
    assert move(bench, rollout_id, "retry") == 400
    report(bench, "dev0", CLOSED)
    report(bench, "dev1", FAILED)
    bench.wait(2 * ROUND_S)
    again = bench.mgmt("POST", f"/rollouts/{rollout_id}/retry")
    assert (again.status, again.body["name"]) == (201, "r_retry")
    assert again.body["targetFilterQuery"] == f"failedrollout=={rollout_id}"
    bench.wait(ROUND_S)
    assert members(bench, again.body["id"]) == [["dev1"]]


def test_who_has_the_set_already_is_skipped(bench):
    targets(bench, 1)
    set_id = bench.release()
    bench.assign(set_id, "dev0")
    rollout_id = running(bench, distributionSetId=set_id)
    latest = bench.mgmt("GET", "/targets/dev0/actions").body["content"][0]
    assert (latest["status"], latest["active"]) == ("finished", False)
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "finished"


def test_another_assignment_takes_the_place_of_a_scheduled_action(bench):
    targets(bench, 2)
    running(bench, amountGroups=2)
    bench.assign(bench.release("newer"), "dev1")
    assert [one["status"] for one in bench.mgmt("GET", "/targets/dev1/actions").body["content"]] == [
        "running",
        "canceled",
    ]


def test_deleted_targets_do_not_hold_a_rollout_up(bench):
    targets(bench, 2)
    rollout_id = running(bench)
    report(bench, "dev0", CLOSED)
    bench.mgmt("DELETE", "/targets/dev1")
    bench.wait(2 * ROUND_S)
    assert (status(bench, rollout_id), rollout(bench, rollout_id)["totalTargets"]) == ("finished", 1)


def test_targets_that_come_later_belong_to_dynamic_rollouts_only(bench):
    targets(bench, 2)
    template = {"nameSuffix": "-more", "targetCount": 2}
    dynamic = running(bench, dynamic=True, dynamicGroupTemplate=template)
    bench.target("dev2")
    bench.wait(70)
    assert [group["name"] for group in groups(bench, dynamic)] == ["group-1", "group-2-more"]
    assert members(bench, dynamic) == [["dev0", "dev1"], ["dev2"]]
    assert not has_work(bench, "dev2")
    for device in ("dev0", "dev1"):
        report(bench, device, CLOSED)
    bench.wait(ROUND_S)
    assert has_work(bench, "dev2")
    assert status(bench, dynamic) == "running"


GROUPS = [
    ([20, 30, 50], [2, 3, 5]),
    ([33.3, 33.3, 33.4], [3, 3, 4]),
]


@pytest.mark.parametrize(("percentages", "sizes"), GROUPS)
def test_groups_share_the_targets(bench, percentages, sizes):
    targets(bench, 10)
    given = [{"name": f"g{number}", "targetPercentage": share} for number, share in enumerate(percentages)]
    rollout_id = create(bench, groups=given)
    bench.wait(ROUND_S)
    assert [group["totalTargets"] for group in groups(bench, rollout_id)] == sizes


def test_a_group_may_have_a_query_of_its_own(bench):
    targets(bench, 4)
    rollout_id = create(bench, groups=[{"name": "first", "targetFilterQuery": "id==dev3"}, {"name": "rest"}])
    bench.wait(ROUND_S)
    assert members(bench, rollout_id) == [["dev3"], ["dev0", "dev1", "dev2"]]


INVALID = [
    ({"targetFilterQuery": "id==nobody"}, "Rollout does not match any existing targets"),
    ({"groups": []}, "The amount of groups cannot be 0"),
    ({"groups": [{"name": "g", "targetPercentage": 50}]}, "Rollout groups don't match all targets"),
    ({"groups": [{"name": "g", "targetPercentage": 101}]}, "Target percentage has to be between 1 and 100"),
    ({"groups": [{"name": "g"}], "dynamic": True}, "Dynamic rollouts are not supported with groups"),
    ({"groups": [{"name": "g"}], "amountGroups": 1}, "If 'group' is set"),
    ({"amountGroups": -1}, "The amount of groups cannot be lower"),
    ({"amountGroups": 0}, "When amount of groups is 0"),
    ({"dynamicGroupTemplate": {"targetCount": 1}}, "Dynamic group template is only allowed"),
    ({"name": None}, "name must not be null."),
    ({"weight": 1001}, "create.create.weight must be less than or equal to 1000."),
    ({"successCondition": {"condition": "THRESHOLD"}}, "successConditionExp must not be null."),
    ({"targetFilterQuery": None}, "Cannot create a Rollout with an empty target query filter!"),
]


@pytest.mark.parametrize(("change", "message"), INVALID)
def test_what_a_rollout_cannot_be(bench, change, message):
    targets(bench, 2)
    body = {"name": "r", "distributionSetId": bench.release(), "targetFilterQuery": "id==dev*", **change}
    answer = bench.mgmt("POST", "/rollouts", body)
    assert answer.status == 400
    assert answer.body["message"].startswith(message)
    assert bench.mgmt("GET", "/rollouts").body["total"] == 0


UNREADABLE = [
    {"dynamic": None}, {"distributionSetId": None}, {"type": "nope"}, {"amountGroups": 2**40},
    {"successCondition": {"expression": "5"}}, {"errorAction": {"action": "STOP"}}, {"groups": "x"},
]  # fmt: skip


@pytest.mark.parametrize("change", UNREADABLE)
def test_what_cannot_be_read(bench, change):
    body = {"name": "r", "distributionSetId": bench.release(), "targetFilterQuery": "id==dev*", **change}
    answer = bench.mgmt("POST", "/rollouts", body)
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.rest.body.notReadable")


def test_quotas_of_groups():
    bench = Bench(Settings(quotas=Quotas(groups_per_rollout=2, targets_per_rollout_group=1)))
    targets(bench, 4)
    body = {"name": "r", "distributionSetId": bench.release(), "targetFilterQuery": "id==dev*"}
    assert bench.mgmt("POST", "/rollouts", {**body, "amountGroups": 3}).status == 429
    answer = bench.mgmt("POST", "/rollouts", {**body, "amountGroups": 2})
    assert answer.body["message"] == (
        "Quota exceeded: Cannot assign 2 more Target entities to RolloutGroup '<new>'. The maximum is 1."
    )


@pytest.mark.parametrize("rights", [(), ("APPROVE_ROLLOUT",)])
def test_approval_is_spared_whoever_was_given_the_right_by_name(rights):
    bench = Bench(Settings(accounts=(Account("admin", "admin", ("ROLE_TENANT_ADMIN", *rights)),)))
    bench.configure({"rollout.approval.enabled": True})
    targets(bench, 1)
    rollout_id = create(bench)
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == ("ready" if rights else "waiting_for_approval")
    if not rights:
        assert bench.mgmt("POST", f"/rollouts/{rollout_id}/approve?remark=fine").status == 204
        decided = rollout(bench, rollout_id)
        assert (decided["status"], decided["approvalRemark"]) == ("ready", "fine")


def test_groups_wait_for_confirmation_as_they_say(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    targets(bench, 2)
    given = [{"name": "a", "targetPercentage": 50, "confirmationRequired": False}, {"name": "b"}]
    rollout_id = running(bench, groups=given)
    move(bench, rollout_id, "triggerNextGroup")
    assert has_work(bench, "dev0")
    assert "confirmationBase" in bench.links("dev1")


def test_an_invalid_set_stops_its_rollouts(bench):
    targets(bench, 1)
    set_id = bench.release()
    rollout_id = running(bench, distributionSetId=set_id)
    bench.mgmt("POST", f"/distributionsets/{set_id}/invalidate", {"actionCancelationType": "soft"})
    bench.wait(ROUND_S)
    assert status(bench, rollout_id) == "stopped"


def test_older_releases_have_rollouts_too():
    bench = Bench(Settings(profile=Profile.OLD))
    targets(bench, 1)
    assert status(bench, running(bench)) == "running"


def test_a_server_that_comes_back_goes_on_with_its_rollouts(tmp_path):
    bench = Bench()
    bench.open(SqliteStore(tmp_path / "hawkbit.db"))
    targets(bench, 2)
    rollout_id = running(bench, amountGroups=2)
    report(bench, "dev0", CLOSED)
    bench.store.close()
    bench.open(SqliteStore(tmp_path / "hawkbit.db"))
    bench.wait(ROUND_S)
    assert states(bench, rollout_id) == ["finished", "running"]
    assert members(bench, rollout_id) == [["dev0"], ["dev1"]]
    assert has_work(bench, "dev1")
    bench.store.close()
