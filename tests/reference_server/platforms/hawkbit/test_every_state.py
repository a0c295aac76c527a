"""Every state of an action against everything a device can ask: the right status, and never an impossible target."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Execution, Finished
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, FAILED, Bench, said

pytestmark = pytest.mark.slow


def running(bench: Bench) -> int:
    return bench.deployed()


def retrieved(bench: Bench) -> int:
    action_id = bench.deployed()
    bench.device("GET", f"/deploymentBase/{action_id}")
    return action_id


def waiting(bench: Bench) -> int:
    bench.configure({"user.confirmation.flow.enabled": True})
    return bench.deployed()


def canceling(bench: Bench) -> int:
    action_id = bench.deployed()
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    return action_id


def canceled(bench: Bench) -> int:
    action_id = canceling(bench)
    bench.report(action_id, CLOSED, "cancelAction")
    return action_id


def finished(bench: Bench) -> int:
    action_id = bench.deployed()
    bench.report(action_id, CLOSED)
    return action_id


def failed(bench: Bench) -> int:
    action_id = bench.deployed()
    bench.report(action_id, FAILED)
    return action_id


def downloaded(bench: Bench) -> int:
    action_id = bench.deployed(type="downloadonly")
    bench.report(action_id, said("downloaded"))
    return action_id


STATES: dict[str, tuple[Callable[[Bench], int], dict[str, int]]] = {
    # state -> how to get there, and what each resource answers:
    #           deploymentBase, its feedback, cancelAction, its feedback, confirmationBase, its feedback, installedBase
    "running": (running, {"d": 200, "df": 200, "c": 404, "cf": 405, "k": 404, "kf": 404, "i": 404}),
    "retrieved": (retrieved, {"d": 200, "df": 200, "c": 404, "cf": 405, "k": 404, "kf": 404, "i": 404}),
    "waiting": (waiting, {"d": 404, "df": 404, "c": 404, "cf": 405, "k": 200, "kf": 200, "i": 404}),
    "canceling": (canceling, {"d": 404, "df": 200, "c": 200, "cf": 200, "k": 404, "kf": 404, "i": 404}),
    "canceled": (canceled, {"d": 404, "df": 410, "c": 200, "cf": 200, "k": 404, "kf": 410, "i": 404}),
    "finished": (finished, {"d": 200, "df": 410, "c": 404, "cf": 405, "k": 404, "kf": 410, "i": 200}),
    "failed": (failed, {"d": 200, "df": 410, "c": 404, "cf": 405, "k": 404, "kf": 410, "i": 200}),
    "downloaded": (downloaded, {"d": 200, "df": 410, "c": 404, "cf": 405, "k": 404, "kf": 410, "i": 200}),
}  # fmt: skip
GETS = {"d": "deploymentBase", "c": "cancelAction", "k": "confirmationBase", "i": "installedBase"}
REPORTS = {"df": "deploymentBase", "cf": "cancelAction"}
WORDS = [(execution, result) for execution in Execution for result in Finished]


def check_target(bench: Bench) -> None:
    """At most one thing to do, and a target that fits its actions."""
    links = set(bench.links())
    assert len(links & {"deploymentBase", "cancelAction", "confirmationBase"}) <= 1
    active = bench.mgmt("GET", "/targets/dev/actions?q=active==true").body["total"]
    assert (active > 0) == bool(links & {"deploymentBase", "cancelAction", "confirmationBase"})
    if active:
        assert bench.state() == "pending"
    if bench.state() == "in_sync":
        assert bench.set_id_of("assignedDS") == bench.set_id_of("installedDS") or "installedBase" not in links


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("resource", GETS)
def test_reading(state, resource):
    bench = Bench()
    arrange, expected = STATES[state]
    action_id = arrange(bench)
    answer = bench.device("GET", f"/{GETS[resource]}/{action_id}")
    assert answer.status == expected[resource], answer.reason
    assert answer.status == 200 or answer.reason
    check_target(bench)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("resource", REPORTS)
@pytest.mark.parametrize(("execution", "result"), WORDS)
def test_reporting(state, resource, execution, result):
    bench = Bench()
    arrange, expected = STATES[state]
    action_id = arrange(bench)
    answer = bench.report(action_id, said(execution.value, result.value), REPORTS[resource])
    assert answer.status == expected[resource], answer.reason
    assert answer.status == 200 or answer.reason
    if state != "canceled":
        check_target(bench)


@pytest.mark.parametrize("state", STATES)
def test_confirming(state):
    bench = Bench()
    arrange, expected = STATES[state]
    action_id = arrange(bench)
    answer = bench.device("POST", f"/confirmationBase/{action_id}/feedback", {"confirmation": "confirmed"})
    assert answer.status == expected["kf"], answer.reason
    check_target(bench)
