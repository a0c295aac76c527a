"""What happens to a target when one of its actions moves: pure, one function per event (§4).

None of these moves who last modified the target, except an operator's assignment.
"""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action
from fleetrig.reference_server.platforms.hawkbit.state.records import Target, UpdateStatus


def assigned(target: Target, set_id: int, user: str, now_ms: int) -> Target:
    """An operator, or the server, assigned a set."""
    return replace(
        target,
        assigned_set_id=set_id,
        update_status=UpdateStatus.PENDING.value,
        modified_by=user,
        modified_at_ms=now_ms,
    )


def declared(target: Target, set_id: int, now_ms: int) -> Target:
    """A set was recorded as installed without a deployment: offline assignment, `PUT installedBase`."""
    return replace(
        target,
        assigned_set_id=set_id,
        installed_set_id=set_id,
        installed_at_ms=now_ms,
        update_status=UpdateStatus.IN_SYNC.value,
    )


def installed(target: Target, action: Action, timestamp_ms: int) -> Target:
    """A deployment ended well. A device whose clock lags behind the last installation changes nothing (S119)."""
    target = replace(target, request_attributes=True)
    if target.installed_at_ms is not None and target.installed_at_ms >= timestamp_ms:
        return target
    assigned_set_id = action.set_id if action.is_download_only else target.assigned_set_id
    in_sync = assigned_set_id == action.set_id
    return replace(
        target,
        installed_set_id=action.set_id,
        installed_at_ms=timestamp_ms,
        assigned_set_id=assigned_set_id,
        update_status=UpdateStatus.IN_SYNC.value if in_sync else target.update_status,
    )


def failed(target: Target) -> Target:
    """A deployment failed: the assignment is gone, attributes are not asked for."""
    return replace(target, update_status=UpdateStatus.ERROR.value, assigned_set_id=None)


def downloaded(target: Target) -> Target:
    """A download-only deployment has arrived."""
    return replace(target, update_status=UpdateStatus.IN_SYNC.value, request_attributes=True)


def canceled(target: Target, next_action: Action | None) -> Target:
    """A deployment was canceled; `next_action` is the oldest one left. In sync even if nothing was ever installed."""
    if next_action is not None:
        return replace(target, assigned_set_id=next_action.set_id)
    return replace(target, assigned_set_id=target.installed_set_id, update_status=UpdateStatus.IN_SYNC.value)
