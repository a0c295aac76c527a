"""A target with an update under way: what most rows on actions begin with (S90), and how both sides see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document, expect_link
from fleetrig.harness.platforms.hawkbit.conformance.api_client import report, tt
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target, Update
from fleetrig.harness.platforms.hawkbit.settings import TARGET_MODE

CONFIRMATION: Final = "user.confirmation.flow.enabled"
AUTOCLOSE: Final = "repository.actions.autoclose.enabled"
CACHE_WITHIN_S: Final = 12.0
"""A change of a switch is seen by devices within 10 s (docs/contracts/hawkbit.md §1.6)."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One update for one target, and the action that carries it."""

    client: RowClient
    update: Update
    target: Target
    action_id: int

    # -- as the device sees it

    def device(self, method: str, path: str = "", **more: Any) -> Answer:
        """A call of the target's device; `path` is below its root."""
        return self.client.ddi(method, self.target.controller_id, path, auth=tt(self.target), **more)

    def links(self) -> dict[str, str]:
        """What the poll document links to: rel -> href."""
        document = expect_document(self.device("GET"))
        return {rel: link["href"] for rel, link in document.get("_links", {}).items()}

    def read(self, query: str = "") -> Answer:
        return self.device("GET", f"/deploymentBase/{self.action_id}{query}")

    def document(self, query: str = "") -> dict[str, Any]:
        """The deployment document. Raises Mismatch unless it is there and about this action."""
        document: dict[str, Any] = expect_document(self.read(query))
        expect("id of the deployment", str(self.action_id), document.get("id"))
        return document

    def report(self, execution: str, finished: str = "none", **more: Any) -> Answer:
        return self.client.feedback(self.target, self.action_id, execution, finished, **more)

    def reported(self, execution: str, finished: str = "none", **more: Any) -> None:
        """A report that must be accepted."""
        expect_bare(self.report(execution, finished, **more))

    def report_cancel(self, execution: str, finished: str = "none") -> Answer:
        path = f"/cancelAction/{self.action_id}/feedback"
        return self.device("POST", path, body=report(execution, finished))

    def file(self, name: str = "", method: str = "GET", **headers: str) -> Answer:
        """The artifact; names of headers with `_` for dashes."""
        path = f"/softwaremodules/{self.update.module_id}/artifacts/{name or self.update.filename}"
        return self.device(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    # -- as operators see it

    def record(self) -> dict[str, Any]:
        return self.client.record(self.target.controller_id)

    def mgmt(self, method: str, path: str = "", body: object = None) -> Answer:
        """A call of the Management API below this target."""
        return self.client.mgmt(method, f"/targets/{self.target.controller_id}{path}", body)

    def action(self) -> dict[str, Any]:
        found: dict[str, Any] = expect_document(self.mgmt("GET", f"/actions/{self.action_id}"))
        return found

    def history(self) -> list[dict[str, Any]]:
        """The action's status entries, newest first."""
        found: list[dict[str, Any]] = expect_document(self.mgmt("GET", f"/actions/{self.action_id}/status"))["content"]
        return found

    def cancel(self, query: str = "") -> Answer:
        return self.mgmt("DELETE", f"/actions/{self.action_id}{query}")

    def set_id(self, which: str) -> int | None:
        """Of `assignedDS` or `installedDS`; None for the 204 of a target that has none."""
        answer = self.mgmt("GET", f"/{which}")
        if answer.status == 204:
            return None
        set_id: int = expect_document(answer)["id"]
        return set_id

    # -- expecting

    def expect_links(self, rels: Collection[str]) -> None:
        """The poll links to exactly these, each to the right place."""
        links = self.links()
        expect_keys("_links of the poll", rels, links)
        for rel, href in links.items():
            suffix = "" if rel == "configData" else f"/{self.action_id}"
            expect_link(f"the link {rel}", href, f"/{self.target.controller_id}/{rel}{suffix}")

    def expect_action(self, status: str, *, active: bool, **more: object) -> None:
        state = self.client.generation.state_of(status, active=active)
        expect_has("the action", {**state, **more}, self.action())

    def expect_open(self, when: str) -> None:
        """The action is not over, whatever its status."""
        name, value = ("active", True) if self.client.generation.actions_tell_active else ("status", "pending")
        expect(f"{name} of the action {when}", value, self.action().get(name))

    def expect_target(self, update_status: str) -> None:
        expect("updateStatus of the target", update_status, self.record()["updateStatus"])


def unassigned(client: RowClient, *, must_confirm: bool = False) -> tuple[Update, Target]:
    """A new update and a new target that never called, and a tenant that is set up as rows on actions reckon with.

    `must_confirm`: the confirmation flow is on.
    """
    client.settings.change({TARGET_MODE: True, CONFIRMATION: must_confirm, AUTOCLOSE: False})
    update, target = client.update(), client.target()
    admitted(client, target)
    return update, target


def deployed(client: RowClient, *, must_confirm: bool = False, **fields: Any) -> Deployment:
    """A new target that was assigned a new update and never called; `fields` go into the assignment."""
    update, target = unassigned(client, must_confirm=must_confirm)
    return Deployment(client, update, target, client.assign(update, target, **fields))


def canceling(client: RowClient) -> Deployment:
    """A deployment that the device has read and an operator has canceled (S105)."""
    one = deployed(client)
    one.document()
    expect("status of the cancellation", 204, one.cancel().status)
    return one


def admitted(client: RowClient, target: Target) -> None:
    """Waits until the device may come in. Asks for an action that cannot be, since a poll would change the target."""
    let_in(client, target.controller_id, tt(target), "/deploymentBase/0")


def let_in(client: RowClient, controller_id: str, auth: str, path: str = "") -> Answer:
    """The first answer to a device that is no 401, or the last of those."""
    answer = client.ddi("GET", controller_id, path, auth=auth)

    def seen() -> None:
        nonlocal answer
        if answer.status == 401:
            answer = client.ddi("GET", controller_id, path, auth=auth)
        expect_that(answer.status != 401, "a device with valid credentials is let in", answer.status)

    client.until(CACHE_WITHIN_S, seen)
    return answer


def no_content(client: RowClient) -> int:
    """The status of a change or deletion that answers nothing."""
    return client.generation.no_content


def server_now_ms(client: RowClient) -> int:
    """The server's clock, which need not be ours: the moment at which it makes a target."""
    now_ms: int = client.record(client.target().controller_id)["createdAt"]
    return now_ms
