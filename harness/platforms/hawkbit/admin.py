"""hawkBit's Management API as the harness uses it: each call a generator of Asks, so it runs in virtual and real time.

Only what is public (§1). Raises `BrokenBench` with the first cause when the server cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from fleetrig.harness.servers.file_form import file_form
from fleetrig.harness.servers.first_answer import Sought
from fleetrig.harness.servers.http_admin import FIRST_ANSWER_WITHIN_S, HttpAdmin, upload_within_s
from fleetrig.harness.servers.lacking import LeaveMissing
from fleetrig.simulator.contract.http import BodyPart, HttpRequest
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

CREATE_BATCH: Final = 1_000
PAGE: Final = 500
SET_TYPES_PER_TARGET_TYPE: Final = 50
"""A quota of the server."""

SOUGHT: Final = Sought(
    "hawkBit server",
    "hawkBit",
    "is there a path before /rest that belongs to the address (a proxy's, or server.servlet.context-path)?",
)

JsonDict = dict[str, Any]
GONE_OK: Final = (200, 204, 404)


class UploadedFile(NamedTuple):
    """A file of a software module."""

    name: str
    content: BodyPart


class HawkbitAdmin(HttpAdmin):
    """An operator's account on one server. `url` may hold a path, as behind a reverse proxy."""

    def __init__(
        self, url: str, account: UserPassword, tenant: str = "DEFAULT", *, may_change_settings: bool = True
    ) -> None:
        super().__init__(url, account, tenant, sought=SOUGHT, api="/rest/v1")
        self.may_change_settings = may_change_settings

    def greet(self) -> AdminCall[None]:
        """Finds out at once whether there is a hawkBit server that accepts the account. Raises BrokenBench."""
        request = self.request("GET", "/targets?limit=1")
        self.part((yield from self.first(request, FIRST_ANSWER_WITHIN_S, "total")), int, "total")

    # -- tenant configuration (§1.6)

    def read_config(self) -> AdminCall[JsonDict]:
        """Every key with `value` and `global`."""
        answer = self.part((yield from self.call("GET", "/system/configs")), dict)
        return {key: self.part(answer, dict, key) for key in answer}

    def configure(self, settings: Mapping[str, object]) -> AdminCall[None]:
        """Sets several keys, all or nothing."""
        if settings and not self.may_change_settings:
            raise LeaveMissing(f"this would change {', '.join(sorted(settings))} for everybody on {self.url}")
        if settings:
            yield from self.call("PUT", "/system/configs", dict(settings))

    def reset_config(self, key: str) -> AdminCall[None]:
        """Resets a setting to the server's default."""
        yield from self.call("DELETE", f"/system/configs/{quote(key, safe='')}")

    # -- targets (§1.3)

    def create_targets(self, targets: Sequence[JsonDict]) -> AdminCall[list[JsonDict]]:
        """In arrays of `CREATE_BATCH`; gives the created targets, tokens included if the account may see them."""
        created: list[JsonDict] = []
        for start in range(0, len(targets), CREATE_BATCH):
            answer = yield from self.call("POST", "/targets", list(targets[start : start + CREATE_BATCH]))
            created += self.part(answer, list)
        return created

    def target(self, controller_id: str) -> AdminCall[JsonDict | None]:
        """None when there is no such target."""
        response = yield from self.send(request := self.request("GET", _target(controller_id)))
        if response.status == 404:
            return None
        found: JsonDict = self.read(request, response, (200,))
        self.part(found, str, "controllerId")
        return found

    def targets(self, query: str = "") -> AdminCall[list[JsonDict]]:
        """All targets, or those that match an RSQL query."""
        return (yield from self.search("/targets", query))

    def update_target(self, controller_id: str, change: JsonDict) -> AdminCall[JsonDict]:
        return self.part((yield from self.call("PUT", _target(controller_id), change)), dict)

    def delete_target(self, controller_id: str) -> AdminCall[None]:
        yield from self.delete(_target(controller_id))

    def attributes(self, controller_id: str) -> AdminCall[dict[str, str]]:
        """Empty when the device has sent none."""
        found = yield from self.call("GET", f"{_target(controller_id)}/attributes")
        return {} if found is None else self.part(found, dict)

    # -- target types (§1.5)

    def target_types(self) -> AdminCall[dict[str, int]]:
        """Name -> id of each."""
        found = yield from self.search("/targettypes")
        return {self.part(one, str, "name"): self.part(one, int, "id") for one in found}

    def create_target_type(self, name: str) -> AdminCall[int]:
        """A type of which every kind of distribution set can be assigned; gives its id."""
        kinds = yield from self.search("/distributionsettypes")
        fitting = [{"id": self.part(kind, int, "id")} for kind in kinds[:SET_TYPES_PER_TARGET_TYPE]]
        body = {"name": name, "compatibledistributionsettypes": fitting}
        return self.part((yield from self.call("POST", "/targettypes", [body])), int, 0, "id")

    # -- updates (§1.4)

    def create_update(self, name: str, version: str, image: BodyPart, filename: str) -> AdminCall[int]:
        """A module with one artifact in a distribution set of type `os`; gives the set's id."""
        module_id = yield from self.create_module(name, version, "os", (UploadedFile(filename, image),))
        return (yield from self.create_set(name, version, "os", (module_id,)))

    def create_module(self, name: str, version: str, kind: str, files: Sequence[UploadedFile]) -> AdminCall[int]:
        """A software module of a type (`os`, `application`) with its artifacts; gives its id."""
        module_id = yield from self.create_bare_module(name, version, kind)
        for file in files:
            yield from self.upload_artifact(module_id, file)
        return module_id

    def create_bare_module(self, name: str, version: str, kind: str) -> AdminCall[int]:
        """One without artifacts; gives its id."""
        module = {"name": name, "version": version, "type": kind}
        return self.part((yield from self.call("POST", "/softwaremodules", [module])), int, 0, "id")

    def upload_artifact(self, module_id: int, file: UploadedFile) -> AdminCall[None]:
        upload = self._upload(module_id, file.name, file.content)
        yield from self.json_of(upload, within_s=upload_within_s(file.content))

    def create_set(self, name: str, version: str, kind: str, module_ids: Sequence[int]) -> AdminCall[int]:
        """A distribution set of a type (`os`, `os_app`, `app`); gives its id."""
        modules = [{"id": module_id} for module_id in module_ids]
        update = {"name": name, "version": version, "type": kind, "modules": modules}
        return self.part((yield from self.call("POST", "/distributionsets", [update])), int, 0, "id")

    def assign(
        self, set_id: int, controller_ids: Sequence[str], action_type: str = "forced", **more: object
    ) -> AdminCall[JsonDict]:
        """Assigns a set to targets; `more` are further fields (§1.4). Gives the server's summary."""
        body = [{"id": controller_id, "type": action_type, **more} for controller_id in controller_ids]
        return self.part((yield from self.call("POST", f"/distributionsets/{set_id}/assignedTargets", body)), dict)

    def actions(self, controller_id: str) -> AdminCall[list[JsonDict]]:
        """Newest first, with `status` and `active` as current releases tell them; empty for an unknown target."""
        found = yield from self._pages(f"{_target(controller_id)}/actions", missing_ok=True)
        return [_of_current_release(action) for action in found]

    def action(self, controller_id: str, action_id: int) -> AdminCall[JsonDict]:
        """With `status` and `active` as current releases tell them."""
        found = yield from self.call("GET", f"{_target(controller_id)}/actions/{action_id}")
        return _of_current_release(self.part(found, dict))

    def action_history(self, controller_id: str, action_id: int) -> AdminCall[list[JsonDict]]:
        """What was reported of an action, oldest first."""
        return (yield from self._pages(f"{_target(controller_id)}/actions/{action_id}/status", "&sort=id:ASC"))

    def action_set(self, controller_id: str, action_id: int) -> AdminCall[int]:
        """The id of the distribution set that an action assigned."""
        action = yield from self.call("GET", f"{_target(controller_id)}/actions/{action_id}")
        href = self.part(action, str, "_links", "distributionset", "href")
        return int(href.rpartition("/")[2])

    def cancel_action(self, controller_id: str, action_id: int) -> AdminCall[None]:
        """A soft cancel: the device is asked."""
        yield from self.call("DELETE", f"{_target(controller_id)}/actions/{action_id}")

    def set_version(self, controller_id: str, which: str) -> AdminCall[str | None]:
        """Version of the `assignedDS` or `installedDS`; None when there is none."""
        answer = yield from self.call("GET", f"{_target(controller_id)}/{which}")
        return None if answer is None else self.part(answer, str, "version")

    # -- rollouts (§1.5)

    def create_rollout(self, body: JsonDict) -> AdminCall[int]:
        """Gives its id; the server fills its groups by itself."""
        return self.part((yield from self.call("POST", "/rollouts", body)), int, "id")

    def rollout_status(self, rollout_id: int) -> AdminCall[str]:
        return self.part((yield from self.call("GET", f"/rollouts/{rollout_id}")), str, "status")

    def move_rollout(self, rollout_id: int, move: str) -> AdminCall[None]:
        """start, pause, resume, stop, triggerNextGroup."""
        yield from self.call("POST", f"/rollouts/{rollout_id}/{move}")

    # -- anything

    def search(self, path: str, query: str = "") -> AdminCall[list[JsonDict]]:
        """Everything in a list that matches an RSQL query."""
        return (yield from self._pages(path, f"&q={quote(query, safe='')}" if query else ""))

    def delete(self, path: str) -> AdminCall[None]:
        """Deletes an entity; one that does not exist is ignored."""
        yield from self.call("DELETE", path, expect=GONE_OK)

    def _pages(self, path: str, more: str = "", *, missing_ok: bool = False) -> AdminCall[list[JsonDict]]:
        found: list[JsonDict] = []
        while True:
            request = self.request("GET", f"{path}?offset={len(found)}&limit={PAGE}{more}")
            response = yield from self.send(request)
            if missing_ok and response.status == 404:
                return found
            page = self.read(request, response, (200,))
            content = self.part(page, list, "content")
            found += [self.part(content, dict, position) for position in range(len(content))]
            if not content or len(found) >= self.part(page, int, "total"):
                return found

    def _upload(self, module_id: int, filename: str, image: BodyPart) -> HttpRequest:
        form = file_form(filename, image)
        # What a part's header cannot hold goes beside it, where it wins (§1.4).
        is_plain = filename.isascii() and form.shown_name == filename and not set(filename) & {"%", "\\"}
        named = "" if is_plain else f"?filename={quote(filename, safe='')}"
        return self.upload(f"/softwaremodules/{module_id}/artifacts{named}", form.content_type, form.body)


def _of_current_release(action: JsonDict) -> JsonDict:
    """Up to 0.9 `status` told whether an action was over, and `detailStatus` its own."""
    if "detailStatus" not in action:
        return action
    return {**action, "status": action["detailStatus"], "active": action.get("status") == "pending"}


def _target(controller_id: str) -> str:
    return f"/targets/{quote(controller_id, safe='')}"
