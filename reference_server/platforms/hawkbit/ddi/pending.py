"""The seam between provisioning and deployment: what a target has to do now, and what its deletion takes along.

Provisioning asks, the deployment half of this folder answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import forget_target
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Entry
from fleetrig.reference_server.platforms.hawkbit.state.assignment import auto_confirm_message
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.simulator.contract.clock import US_PER_MS


@dataclass(frozen=True, slots=True)
class Pending:
    """What a poll shows of a target's work (§2.1)."""

    links: Mapping[str, Any] = field(default_factory=dict)
    """`confirmationBase`, `cancelAction` or `deploymentBase` (at most one of them), then `installedBase`."""
    window_starts_at_ms: int | None = None
    """Start of the current action's maintenance window, if it lies in the future: the device polls more often then."""


NOTHING: Final = Pending()


def pending_work(call: Call, target: Target) -> Pending:
    """What the target has to do now. A lapsed window cancels its action here, as on the real server."""
    current = deployments.current_action(call, target.controller_id)
    installed = deployments.installed_action(call, target)
    if current is None and installed is None:
        return NOTHING
    links: dict[str, Any] = {}
    starts_at_ms = None
    if current is not None:
        current = deployments.cancel_if_lapsed(call, current)
        links.update(_link_of(call, current))
        now_us = deployments.moment_us(call, current)
        start_us = action_rules.window_start_us(current, now_us)
        starts_at_ms = None if start_us is None or start_us <= now_us else start_us // US_PER_MS
    if installed is not None and not installed.active:
        links["installedBase"] = {"href": f"{call.device_base}/installedBase/{installed.id}"}
    return Pending(links, starts_at_ms)


def confirmation_link(call: Call, action: Action) -> dict[str, str]:
    return {"href": f"{call.device_base}/confirmationBase/{action.id}{_cache_breaker(call, action)}"}


def target_deleted(repo: Repository, tenant: str, target: Target) -> None:
    """Removes the actions of a target that is being deleted, and their history; groups of rollouts lose it."""
    forget_target(repo, tenant, target.controller_id)
    for action in repo.store.find(ACTION, tenant, "target", target.controller_id):
        deployments.remove(repo, tenant, action)


def auto_confirm_activated(call: Call, target: Target) -> None:
    """Confirms the actions of a target that wait for it; a full history does not stop that."""
    for action in deployments.active_actions(call, target.controller_id):
        if action.waits_for_confirmation:
            entry = Entry(Status.RUNNING, (auto_confirm_message(target),))
            deployments.write_entry(call, action_rules.changed(action, status=Status.RUNNING), entry)


def _link_of(call: Call, action: Action) -> dict[str, Any]:
    """Only one of the three, and only deployment and confirmation carry `?c=` (real clients insist, §7.5)."""
    if action.waits_for_confirmation:
        return {"confirmationBase": confirmation_link(call, action)}
    base = call.device_base
    if action.is_cancel:
        return {"cancelAction": {"href": f"{base}/cancelAction/{action.id}"}}
    return {"deploymentBase": {"href": f"{base}/deploymentBase/{action.id}{_cache_breaker(call, action)}"}}


def _cache_breaker(call: Call, action: Action) -> str:
    return f"?c={action_rules.cache_breaker(action, deployments.moment_us(call, action))}"
