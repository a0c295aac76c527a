"""Auto-confirmation of a target, switched by an operator or by the device itself (§2.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.ddi.pending import auto_confirm_activated
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, violations

GREATEST_INITIATOR: Final = 64
GREATEST_REMARK: Final = 512


def switch_auto_confirm_on(
    call: Call, controller_id: str, initiator: str | None, remark: str | None, by: str = ""
) -> None:
    """For an operator and (`by`) for the device itself. Actions that wait for confirmation are confirmed.

    Raises 404, 409 when it is on already, 400 for a text that is too long.
    """
    target = call.repo.need_target(call.tenant, controller_id)
    if target.auto_confirm is not None:
        raise HawkbitError(
            409,
            "repo.autoConfAlreadyActive",
            "org.eclipse.hawkbit.repository.exception.AutoConfirmationAlreadyActiveException",
            f"Auto confirmation is already active for device {controller_id}",
        )
    broken = [*rules.broken_size("initiator", initiator, 0, GREATEST_INITIATOR),
              *rules.broken_size("remark", remark, 0, GREATEST_REMARK)]  # fmt: skip
    if broken:
        raise violations(broken)
    status = {"initiator": initiator, "remark": remark, "activated_at_ms": call.now_ms, "created_by": by or call.user}
    target = replace(target, auto_confirm=status)
    call.repo.save(call.tenant, target)
    auto_confirm_activated(call, target)


def switch_auto_confirm_off(call: Call, controller_id: str) -> None:
    target = call.repo.need_target(call.tenant, controller_id)
    if target.auto_confirm is not None:
        call.repo.save(call.tenant, replace(target, auto_confirm=None))
