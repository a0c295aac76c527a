"""`installedBase`: what was installed (§2.7), and the device's own word on what is (experimental)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hawkbit.ddi.deployment_document import deployment_document
from fleetrig.reference_server.platforms.hawkbit.ddi.own_action import need_own_action, read_parameters
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state.action_records import SET, joined
from fleetrig.reference_server.platforms.hawkbit.state.assignment import assign_offline
from fleetrig.reference_server.platforms.hawkbit.state.context import Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    bare,
    crash,
    not_readable,
    violations,
)


def read(call: Call, action_id: int) -> Reply:
    """Raises 404 while the action is active, and for a canceled one."""
    messages = read_parameters(call)
    _, action = need_own_action(call, action_id)
    if action.active or action.is_cancel:
        raise bare(404, f"action {action_id} is {action.status}: nothing was installed by it")
    return Reply(body=deployment_document(call, action, messages))


def declare(call: Call) -> Reply:
    """`PUT {"name","version"}`: 201 when newly recorded, 200 when it was so already, 404 for an unknown set (S135)."""
    body = fields.as_object(call.json)
    name, version = _given(body)
    found = call.repo.store.find(SET, call.tenant, "label", joined(name.lower(), version.lower()))
    if not found:
        raise _no_such_set(name, version)
    by = Scheduled(call.repo, call.tenant, "system", call.now_us) if call.traits.system_declares_installed else call
    assigned = assign_offline(by, [(call.device, found[0].id)])
    if not assigned.total:
        raise crash(f"no such target: {call.device}")
    if assigned.already:
        return Reply(200)
    return Reply(201, changed=f"set {found[0].id} declared as installed")


def _given(body: dict[str, Any]) -> tuple[str, str]:
    """Name and version. Raises 400: not readable where one is missing, a violation where one is null or empty."""
    if not {"name", "version"} <= body.keys():
        raise not_readable("name and version are mandatory: which set is installed?")
    name, version = fields.text(body, "name"), fields.text(body, "version")
    if not name or not version:
        empty = [path for path, value in (("distributionName", name), ("version", version)) if not value]
        raise violations(f"findByNameAndVersion.{path} must not be empty." for path in empty)
    return name, version


def _no_such_set(name: str, version: str) -> HawkbitError:
    message = f"DistributionSet with given identifier {{{name}={version}}} does not exist."
    info = {"type": "DistributionSet", "entityId": {name: version}}
    return HawkbitError(404, "repo.entityNotFound", REPOSITORY + "EntityNotFoundException", message, info=info)
