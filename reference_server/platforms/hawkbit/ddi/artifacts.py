"""`softwaremodules/{id}/artifacts`: list, files and their MD5 sums, for devices that are to have them (§2.8)."""

from __future__ import annotations

import contextlib
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.ddi import artifact_files
from fleetrig.reference_server.platforms.hawkbit.ddi.deployment_document import artifact_documents
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.media_types import negotiate
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import deployments, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, Artifact, SoftwareModule
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError, bare
from fleetrig.reference_server.platforms.hawkbit.state.records import Target

MD5SUM: Final = ".MD5SUM"
PLAIN: Final = "text/plain"


def listed(call: Call, module_id: int) -> Reply:
    """A bare array; also of the set that is installed."""
    target = call.repo.need_target(call.tenant, call.device)
    module = software.need_module(call, module_id)
    if _active_action(call, module) is None and not _is_installed(call, target, module):
        raise _not_assigned(call, module_id)
    return Reply(body=artifact_documents(call, module), is_tagged=False)


def download(call: Call, module_id: int, filename: str) -> Reply:
    """The file, or its MD5 sum for a name that ends in `.MD5SUM`. Raises 404, 412, 416, 429.

    A caller that does not accept plain text asks for a file of that name, as on the real server.
    """
    if filename.endswith(MD5SUM) and negotiate(call.accept, (PLAIN,)) is not None:
        return _md5sum(call, module_id, filename.removesuffix(MD5SUM))
    module, file = _need(call, module_id, filename)
    artifact_files.check_if_match(call, file)
    action = _need_action(call, module)
    if call.headers.get("range") is None:
        deployments.note_download(call, action, call.request.path)
    return artifact_files.send(call, file)


def _md5sum(call: Call, module_id: int, filename: str) -> Reply:
    module, file = _need(call, module_id, filename)
    action = _need_action(call, module)
    with contextlib.suppress(HawkbitError):  # a full history does not call back what is on its way
        deployments.note_download(call, action, call.request.path)
    headers = (
        ("Content-Type", PLAIN),
        ("Content-Disposition", f"attachment;filename={filename}{MD5SUM}"),
    )
    return Reply(raw=f"{file.md5}  {filename}".encode("ascii", "replace"), headers=headers)


def _need(call: Call, module_id: int, filename: str) -> tuple[SoftwareModule, Artifact]:
    """Raises 404: with a body for an unknown target or module, without one for an unknown file (S117)."""
    call.repo.need_target(call.tenant, call.device)
    module = software.need_module(call, module_id)
    file = software.artifact_named(call, module_id, filename)
    if file is None or module.deleted:
        raise bare(404, f"module {module_id} has no file {filename[:200]}")
    return module, file


def _need_action(call: Call, module: SoftwareModule) -> Action:
    action = _active_action(call, module)
    if action is None:
        raise _not_assigned(call, module.id)
    return action


def _active_action(call: Call, module: SoftwareModule) -> Action | None:
    """An active action of the device, not being canceled, whose set has the module."""
    for action in deployments.active_actions(call, call.device):
        if not action.is_cancel and module.id in software.need_set(call, action.set_id).module_ids:
            return action
    return None


def _is_installed(call: Call, target: Target, module: SoftwareModule) -> bool:
    action = deployments.installed_action(call, target)
    return action is not None and module.id in software.need_set(call, action.set_id).module_ids


def _not_assigned(call: Call, module_id: int) -> HawkbitError:
    message = f"No assignment found for SoftwareModule with id {{{module_id}}} to Target with id {{{call.device}}}."
    java_class = REPOSITORY + "SoftwareModuleNotAssignedToTargetException"
    reason = f"no active action of {call.device} has module {module_id}"
    return HawkbitError(404, "repo.entityNotFound", java_class, message, reason=reason)
