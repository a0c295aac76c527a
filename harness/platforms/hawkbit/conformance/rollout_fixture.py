"""A rollout of a new update to new targets, and how operators and devices see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import (
    AUTOCLOSE,
    CONFIRMATION,
    Deployment,
    admitted,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import ROLLOUTS, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target, Update
from fleetrig.harness.platforms.hawkbit.settings import TARGET_MODE

APPROVAL: Final = "rollout.approval.enabled"
SCHEDULER_WITHIN_S: Final = 20.0
"""The scheduler takes a step every 2 s by default."""


@dataclass(frozen=True, slots=True)
class RolloutUnderTest:
    """One rollout, its update and its targets in the order in which groups take them."""

    client: RowClient
    rollout_id: int
    name: str
    update: Update
    targets: tuple[Target, ...]

    # -- as operators see it

    def mgmt(self, method: str, path: str = "", body: object = None) -> Answer:
        """A call below this rollout."""
        return self.client.mgmt(method, f"/rollouts/{self.rollout_id}{path}", body)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = expect_document(self.mgmt("GET"))
        return found

    def groups(self) -> list[dict[str, Any]]:
        """The groups in the order of their start, with counts."""
        found = expect_document(self.mgmt("GET", "/deploygroups?representation=full"))
        content: list[dict[str, Any]] = found["content"]
        return content

    def members(self) -> list[list[int]]:
        """For each group the numbers of its targets, counted as in `targets`."""
        number = {target.controller_id: at for at, target in enumerate(self.targets)}
        pages = [expect_document(self.mgmt("GET", f"/deploygroups/{one['id']}/targets")) for one in self.groups()]
        return [[number[target["controllerId"]] for target in page["content"]] for page in pages]

    def move(self, word: str) -> None:
        """start, pause, resume, stop, triggerNextGroup, approve, deny: must be accepted."""
        answer = self.mgmt("POST", f"/{word}")
        expect_that(answer.status in (200, 204), f"{answer.request} is accepted", f"{answer.status} {answer.text}")

    # -- as devices see it

    def deployment(self, number: int) -> Deployment:
        """The n-th target's latest action."""
        target = self.targets[number]
        actions = expect_document(self.client.mgmt("GET", f"/targets/{target.controller_id}/actions"))["content"]
        expect_that(actions, f"target {number} has an action", actions)
        return Deployment(self.client, self.update, target, actions[0]["id"])

    def has_work(self, number: int) -> bool:
        """Whether the n-th device is offered the update."""
        document = expect_document(self.client.poll(self.targets[number]))
        return "deploymentBase" in document.get("_links", {})

    def report(self, numbers: Sequence[int], execution: str = "closed", finished: str = "success") -> None:
        for number in numbers:
            self.deployment(number).reported(execution, finished)

    # -- expecting

    def expect_status(self, status: str) -> None:
        """The scheduler brings the rollout there."""

        def reached() -> None:
            expect("status of the rollout", status, self.document()["status"])

        with resting_on(ROLLOUTS):
            self.client.until(SCHEDULER_WITHIN_S, reached)

    def expect_groups(self, *statuses: str) -> None:
        """The scheduler brings the groups there."""

        def reached() -> None:
            expect("status of the groups", list(statuses), [group["status"] for group in self.groups()])

        with resting_on(ROLLOUTS):
            self.client.until(SCHEDULER_WITHIN_S, reached)

    def expect_work(self, *numbers: int) -> None:
        """Just these devices are offered the update."""
        having = [number for number in range(len(self.targets)) if self.has_work(number)]
        expect("devices that are offered the update", list(numbers), having)


def prepare(client: RowClient, count: int) -> tuple[Update, tuple[Target, ...], dict[str, Any]]:
    """A new update, new targets, and the least body of a rollout of the one to the others."""
    client.settings.change({TARGET_MODE: True, CONFIRMATION: False, AUTOCLOSE: False, APPROVAL: False})
    name, update = client.name("r"), client.update()
    targets = tuple(client.target(controllerId=f"{name}-{number}") for number in range(count))
    admitted(client, targets[0])
    return update, targets, {"name": name, "distributionSetId": update.set_id, "targetFilterQuery": f"id=={name}-*"}


def created(client: RowClient, count: int, **more: Any) -> RolloutUnderTest:
    """A rollout that was just created; `more` goes into its body. Removed when the row ends."""
    update, targets, body = prepare(client, count)
    return posted(client, update, targets, {**body, **more})


def posted(client: RowClient, update: Update, targets: tuple[Target, ...], body: dict[str, Any]) -> RolloutUnderTest:
    document = expect_document(client.mgmt("POST", "/rollouts", body), 201)
    client.undo_delete(f"/rollouts/{document['id']}")
    expect("status of the new rollout", "creating", document["status"])
    return RolloutUnderTest(client, document["id"], body["name"], update, targets)


def running(client: RowClient, count: int, **more: Any) -> RolloutUnderTest:
    """A rollout whose first group has begun."""
    one = created(client, count, **more)
    one.expect_status("ready")
    one.move("start")
    one.expect_status("running")
    return one
