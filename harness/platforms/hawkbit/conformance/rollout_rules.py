"""What rollouts may be, who has to approve them, when they begin by themselves, and whom they take in later (§1.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import MissingCapability, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CONFIRMATION, server_now_ms
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE, VIOLATION
from fleetrig.harness.platforms.hawkbit.conformance.rollout_fixture import APPROVAL, created, posted, prepare, running
from fleetrig.harness.platforms.hawkbit.conformance.rollouts import ILLEGAL_STATE
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import MORE_TARGETS, resting_on

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "rollout-rules")

ONE_GROUP: Final = {"name": "g"}
HALF: Final = {**ONE_GROUP, "targetPercentage": 50}
TAKEN_IN_WITHIN_S: Final = 75.0
"""A dynamic rollout looks for newcomers once a minute by default."""

REFUSED: Final[tuple[tuple[dict[str, Any], str, str], ...]] = (
    ({"targetFilterQuery": "id==nobody-at-all"}, VIOLATION, "Rollout does not match any existing targets"),
    ({"groups": []}, VIOLATION, "The amount of groups cannot be 0"),
    ({"groups": [HALF]}, VIOLATION, "Rollout groups don't match all targets that are targeted by the rollout"),
    ({"groups": [{**ONE_GROUP, "targetPercentage": 101}]}, VIOLATION, "Target percentage has to be between 1 and 100"),
    ({"groups": [ONE_GROUP], "dynamic": True}, VIOLATION, "Dynamic rollouts are not supported with groups"),
    ({"groups": [ONE_GROUP], "amountGroups": 1}, VIOLATION, "If 'group' is set the 'amountGroups' must not be set"),
    ({"groups": [{}]}, VIOLATION, "create.groups[0].name must not be null."),
    ({"amountGroups": -1}, VIOLATION, "The amount of groups cannot be lower than or equal to zero"),
    ({"amountGroups": 0}, VIOLATION, "When amount of groups is 0, the rollouts shall be dynamic"),
    ({"dynamicGroupTemplate": {"targetCount": 1}}, VIOLATION, "Dynamic group template is only allowed"),
    ({"name": None}, VIOLATION, "name must not be null."),
    ({"weight": 1001}, VIOLATION, "{weight} must be less than or equal to 1000."),
    ({"weight": -1}, VIOLATION, "{weight} must be greater than or equal to 0."),
    ({"successCondition": {"condition": "THRESHOLD"}}, VIOLATION, "successConditionExp must not be null."),
    ({"targetFilterQuery": None}, "rest.param.rsqlParamSyntax", "Cannot create a Rollout with an empty target query"),
)
"""What a body says beyond the least, the error, and how its message begins."""
UNREADABLE: Final[tuple[dict[str, Any], ...]] = (
    {"dynamic": None}, {"distributionSetId": None}, {"type": "nope"}, {"amountGroups": 2**40},
    {"successCondition": {"expression": "5"}}, {"errorAction": {"action": "STOP"}}, {"groups": "x"},
    {"groups": [{**ONE_GROUP, "targetPercentage": "half"}]}, {"groups": [{**ONE_GROUP, "targetPercentage": True}]},
)  # fmt: skip


@ROWS.row("S153", "refused", "A rollout without targets, with wrong groups or conditions is a 400 that says why")
def refused(client: RowClient) -> None:
    _, _, body = prepare(client, 2)
    for change, code, beginning in REFUSED:
        message = beginning.format(weight=client.generation.made("weight"))
        error = expect_error(client.mgmt("POST", "/rollouts", {**body, **change}), 400, code)
        expect_that(error["message"].startswith(message), f"a message that begins with {message!r}", error["message"])
    for change in UNREADABLE:
        expect_error(client.mgmt("POST", "/rollouts", {**body, **change}), 400, NOT_READABLE)
    twice = {**body, "groups": [HALF, HALF]}
    expect_error(client.mgmt("POST", "/rollouts", twice), 409, "repo.entityAlreadyExists")
    no_set = {**body, "distributionSetId": 2**31 - 1}
    expect_error(client.mgmt("POST", "/rollouts", no_set), 404, "repo.entityNotFound")
    expect("rollouts made", 0, expect_document(client.mgmt("GET", f"/rollouts?q=name=={body['name']}"))["total"])


@ROWS.row("S154", "approval", "Where rollouts need approval, none starts before somebody with the right decides")
def approval(client: RowClient) -> None:
    update, targets, body = prepare(client, 1)
    client.settings.change({APPROVAL: True})
    one = posted(client, update, targets, body)
    permissions = expect_document(client.mgmt("GET", "/userinfo")).get("permissions", [])
    if "APPROVE_ROLLOUT" in permissions and "ROLE_TENANT_ADMIN" not in permissions:
        raise MissingCapability("an administrator whose own rollouts need approval (APPROVE_ROLLOUT by a role only)")
    one.expect_status("waiting_for_approval")
    expect_error(one.mgmt("POST", "/start"), 400, ILLEGAL_STATE)
    one.move("approve?remark=fine")
    expect_has("the approved rollout", {"status": "ready", "approvalRemark": "fine"}, one.document())
    expect_error(one.mgmt("POST", "/deny"), 400, ILLEGAL_STATE)
    other = posted(client, update, targets, {**body, "name": client.name("denied")})
    other.expect_status("waiting_for_approval")
    other.move("deny")
    expect("status of the denied rollout", "approval_denied", other.document()["status"])


@ROWS.row("S155", "start-at", "A rollout begins by itself at the time that it names")
def start_at(client: RowClient) -> None:
    far_ms = server_now_ms(client) + 3_600_000
    later = created(client, 1, startAt=far_ms)
    later.expect_status("ready")
    sooner = created(client, 1, startAt=server_now_ms(client) + 200)
    sooner.expect_status("running")
    sooner.expect_work(0)
    expect_has("the rollout of the next hour", {"status": "ready", "startAt": far_ms}, later.document())


@ROWS.row("S156", "download-only", "Downloading ends a rollout that installs nothing; who has the set is skipped")
def download_only(client: RowClient) -> None:
    one = running(client, 1, type="downloadonly")
    one.report([0], "downloaded", "none")
    one.expect_status("finished")
    expect("targets counted as finished", 1, one.document()["totalTargetsPerStatus"]["finished"])
    update, targets, body = prepare(client, 1)
    client.assign(update, targets[0])
    again = posted(client, update, targets, body)
    again.expect_status("ready")
    again.move("start")
    again.expect_status("finished")
    again.deployment(0).expect_action("finished", active=False)


@ROWS.row("S157", "confirmation", "Each group says whether its devices must confirm")
def confirmation(client: RowClient) -> None:
    update, targets, body = prepare(client, 2)
    client.settings.change({CONFIRMATION: True})
    groups = [{**HALF, "name": "free", "confirmationRequired": False}, {"name": "asked"}]
    one = posted(client, update, targets, {**body, "groups": groups})
    one.expect_status("ready")
    expect("confirmationRequired", [False, True], [group["confirmationRequired"] for group in one.groups()])
    one.move("start")
    one.expect_status("running")
    one.move("triggerNextGroup")
    one.deployment(0).expect_links(["deploymentBase", "configData"])
    one.deployment(1).expect_links(["confirmationBase", "configData"])


@ROWS.row("S158", "dynamic", "Only a dynamic rollout takes in targets that come later")
def dynamic(client: RowClient) -> None:
    one = running(client, 2, dynamic=True, dynamicGroupTemplate={"nameSuffix": "-more", "targetCount": 1})
    client.target(controllerId=f"{one.name}-late")

    def taken_in() -> None:
        groups = {group["name"]: group["totalTargets"] for group in one.groups()}
        expect("targets of the groups", {"group-1": 2, "group-2-more": 1}, dict(list(groups.items())[:2]))

    with resting_on(MORE_TARGETS):
        client.until(TAKEN_IN_WITHIN_S, taken_in)
    late = one.groups()[1]
    members = expect_document(one.mgmt("GET", f"/deploygroups/{late['id']}/targets"))["content"]
    expect("targets of the dynamic group", [f"{one.name}-late"], [target["controllerId"] for target in members])
    expect_has("the dynamic group", {"dynamic": True, "status": "scheduled"}, late)
    expect_has("the rollout", {"totalTargets": 3, "dynamic": True}, one.document())


@ROWS.row("S159", "overtaken", "A later assignment, a deleted target and an invalid set do not hold a rollout up")
def overtaken(client: RowClient) -> None:
    one = running(client, 3, amountGroups=1)
    waiting = running(client, 2, amountGroups=2)
    client.assign(client.update(), waiting.targets[1])
    path = f"/targets/{waiting.targets[1].controller_id}/actions?q=rollout.id=={waiting.rollout_id}"
    [action] = expect_document(client.mgmt("GET", path))["content"]
    expect_has("the action that waited", client.generation.state_of("canceled", active=False), action)
    one.report([0, 1])
    client.mgmt("DELETE", f"/targets/{one.targets[2].controller_id}")
    one.expect_status("finished")
    expect("targets that are left", 2, one.document()["totalTargets"])
    body = {"actionCancelationType": "soft"}
    answer = client.mgmt("POST", f"/distributionsets/{waiting.update.set_id}/invalidate", body)
    expect("status of the invalidation", client.generation.no_content, answer.status)
    waiting.expect_status("stopped")
