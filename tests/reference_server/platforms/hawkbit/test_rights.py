"""Which rights a call needs, beyond the one right that most need (§1.1)."""

from __future__ import annotations

import base64

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.permissions import reachable, spelt
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import Answer, Bench

LOCKING = "UPDATE_DISTRIBUTION_SET"
ASSIGNING = "READ_TARGET UPDATE_TARGET READ_DISTRIBUTION_SET"
CREATING = "CREATE_ROLLOUT READ_TARGET READ_DISTRIBUTION_SET"
ROLLOUT = {"name": "r", "targetFilterQuery": "id==dev"}

CASES = [
    # rights, method, path, body, status
    ("READ_TARGET", "GET", "/system/configs/default.ds.type", None, 200),
    ("READ_DISTRIBUTION_SET", "GET", "/system/configs", None, 200),
    ("UPDATE_TENANT_CONFIGURATION", "GET", "/system/configs", None, 403),
    ("READ_TARGET", "GET", "/system/configs/pollingTime", None, 403),
    ("READ_TARGET", "DELETE", "/system/configs/default.ds.type", None, 404),
    ("READ_TARGET", "DELETE", "/system/configs/pollingTime", None, 403),
    ("UPDATE_TARGET", "PUT", "/targets/dev", {"name": "x"}, 403),
    ("READ_TARGET", "PUT", "/targets/nosuch", {"name": "x"}, 404),
    ("READ_TARGET", "DELETE", "/targettags/99", None, 404),
    ("READ_TARGET UPDATE_TARGET", "POST", "/targets/dev/assignedDS", {"id": 1}, 403),
    (ASSIGNING, "POST", "/targets/dev/assignedDS", {"id": 1}, 500),
    (f"{ASSIGNING} {LOCKING}", "POST", "/targets/dev/assignedDS", {"id": 1}, 200),
    ("UPDATE_TARGET", "DELETE", "/targetfilters/1/autoAssignDS", None, 403),
    (ASSIGNING, "POST", "/targetfilters/1/autoAssignDS", {"id": 99}, 404),
    ("READ_TARGET READ_DISTRIBUTION_SET", "POST", "/targetfilters/1/autoAssignDS", {"id": 1}, 403),
    ("READ_AUTO_ASSIGNMENT", "GET", "/distributionsets/1/autoAssignments", None, 403),
    ("READ_TARGET", "GET", "/autoassignments", None, 200),
    ("CREATE_ROLLOUT READ_TARGET", "POST", "/rollouts", {**ROLLOUT, "distributionSetId": 99}, 403),
    (CREATING, "POST", "/rollouts", {**ROLLOUT, "distributionSetId": 99}, 404),
    (CREATING, "POST", "/rollouts", {**ROLLOUT, "distributionSetId": 1, "startAt": 5}, 403),
    (f"{CREATING} {LOCKING}", "POST", "/rollouts", {**ROLLOUT, "distributionSetId": 1}, 201),
    ("UPDATE_ROLLOUT", "POST", "/rollouts/99/start", None, 403),
    ("HANDLE_ROLLOUT", "POST", "/rollouts/99/start", None, 404),
    ("HANDLE_ROLLOUT", "POST", "/rollouts/99/stop", None, 403),
    ("READ_TARGET/controllerId==dev", "GET", "/targets/dev", None, 403),
]


@pytest.mark.parametrize(("rights", "method", "path", "body", "status"), CASES)
def test_a_call_needs_all_its_rights(rights: str, method: str, path: str, body: object, status: int) -> None:
    bench = Bench(Settings(accounts=(Account("admin", "admin"), Account("some", "some", tuple(rights.split())))))
    bench.target()
    bench.release()
    bench.mgmt("POST", "/targetfilters", {"name": "f", "query": "id==dev"})
    assert as_some(bench, method, path, body).status == status


def as_some(bench: Bench, method: str, path: str, body: object) -> Answer:
    credentials = "Basic " + base64.b64encode(b"some:some").decode()
    return bench.send(method, f"/rest/v1{path}", body, Authorization=credentials)


def test_nobody_may_read_automatic_confirmation_without_reading_targets() -> None:
    """The framework refuses here, in its own words."""
    bench = Bench(Settings(accounts=(Account("admin", "admin"), Account("some", "some", ("UPDATE_TARGET",)))))
    bench.target()
    refused = as_some(bench, "GET", "/targets/dev/autoConfirm", None)
    assert (refused.status, refused.body["error"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("TENANT_ADMIN", "ROLE_TENANT_ADMIN"),
        ("ROLE_TENANT_ADMIN", "ROLE_TENANT_ADMIN"),
        ("TARGET_ADMIN", "ROLE_TARGET_ADMIN"),
        ("TENANT_CONFIGURATION", "TENANT_CONFIGURATION"),
        ("READ_TARGET", "READ_TARGET"),
    ],
)
def test_roles_are_known_with_their_prefix_and_without(given: str, known: str) -> None:
    assert spelt(given) == known


def test_the_system_role_reaches_everything() -> None:
    assert reachable(("ROLE_TENANT_ADMIN",)) < reachable(("ROLE_SYSTEM_CODE",))


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ("YWRtaW46YWRtaW4=", 200),
        ("YWRtaW46YWRtaW4", 200),  # without padding
        (" YWRtaW46YWRtaW4=", 401),  # two blanks
        ("REVGQVVMVFxhZG1pbjphZG1pbg==", 401),  # DEFAULT\admin
    ],
)
def test_how_a_login_may_be_written(credentials: str, status: int) -> None:
    assert Bench().send("GET", "/rest/v1/userinfo", Authorization=f"Basic {credentials}").status == status


def test_rights_are_told_in_order_of_their_names() -> None:
    account = Account("admin", "admin", ("ROLE_TENANT_ADMIN", "READ_TARGET", "READ_TARGET", "CREATE_TARGET"))
    told = Bench(Settings(accounts=(account,))).mgmt("GET", "/userinfo").body["permissions"]
    assert told == ["CREATE_TARGET", "READ_TARGET", "ROLE_TENANT_ADMIN"]
