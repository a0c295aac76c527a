"""Every path of what goes to many targets by itself: rollouts and automatic assignments, in one table."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.mgmt import auto_assignment_api as mgmt_auto_assignment_api
from fleetrig.reference_server.platforms.hawkbit.mgmt import rollout_lists as mgmt_rollout_lists
from fleetrig.reference_server.platforms.hawkbit.mgmt import rollouts as mgmt_rollouts
from fleetrig.reference_server.platforms.hawkbit.request.replies import HAL, JSON
from fleetrig.reference_server.platforms.hawkbit.request.routing import Route, mgmt, mgmt_body

R: Final = "/rollouts"
ONE: Final = "/rollouts/{id:long}"
A: Final = "/autoassignments"
SET: Final = "/distributionsets/{id:long}"
AUTO: Final = "/autoassignments/{id:long}"

CAMPAIGNS: Final[tuple[Route, ...]] = (
    # rollouts (§1.5)
    mgmt("GET", R, mgmt_rollout_lists.read_rollouts, "READ_ROLLOUT"),
    mgmt_body("POST", R, mgmt_rollouts.create),
    mgmt("GET", ONE, mgmt_rollout_lists.read_rollout, "READ_ROLLOUT"),
    mgmt_body("PUT", ONE, mgmt_rollouts.update, "UPDATE_ROLLOUT", (JSON, HAL)),
    mgmt("DELETE", ONE, mgmt_rollouts.delete, "DELETE_ROLLOUT"),
    mgmt("POST", f"{ONE}/approve", mgmt_rollouts.approve, "APPROVE_ROLLOUT"),
    mgmt("POST", f"{ONE}/deny", mgmt_rollouts.deny, "APPROVE_ROLLOUT"),
    mgmt("POST", f"{ONE}/start", mgmt_rollouts.start, "HANDLE_ROLLOUT"),
    mgmt("POST", f"{ONE}/pause", mgmt_rollouts.pause, "HANDLE_ROLLOUT"),
    mgmt("POST", f"{ONE}/resume", mgmt_rollouts.resume, "HANDLE_ROLLOUT"),
    mgmt("POST", f"{ONE}/stop", mgmt_rollouts.stop, "UPDATE_ROLLOUT"),
    mgmt("POST", f"{ONE}/triggerNextGroup", mgmt_rollouts.trigger_next_group, "UPDATE_ROLLOUT"),
    mgmt("POST", f"{ONE}/retry", mgmt_rollouts.retry, "READ_ROLLOUT"),
    mgmt("GET", f"{ONE}/deploygroups", mgmt_rollout_lists.read_groups, "READ_ROLLOUT"),
    mgmt("GET", f"{ONE}/deploygroups/{{groupId:long}}", mgmt_rollout_lists.read_group, "READ_ROLLOUT"),
    mgmt("GET", f"{ONE}/deploygroups/{{groupId:long}}/targets", mgmt_rollout_lists.read_group_targets, "READ_ROLLOUT"),
    # automatic assignments (main branch)
    mgmt("GET", A, mgmt_auto_assignment_api.read_all, "READ_AUTO_ASSIGNMENT"),
    mgmt_body("POST", A, mgmt_auto_assignment_api.create),
    mgmt("GET", f"{SET}/autoAssignments", mgmt_auto_assignment_api.read_of_set, "READ_AUTO_ASSIGNMENT"),
    mgmt("GET", AUTO, mgmt_auto_assignment_api.read, "READ_AUTO_ASSIGNMENT"),
    mgmt_body("PUT", AUTO, mgmt_auto_assignment_api.update, "UPDATE_AUTO_ASSIGNMENT"),
    mgmt("DELETE", AUTO, mgmt_auto_assignment_api.delete, "DELETE_AUTO_ASSIGNMENT"),
    mgmt("POST", f"{AUTO}/approve", mgmt_auto_assignment_api.approve, "APPROVE_AUTO_ASSIGNMENT"),
    mgmt("POST", f"{AUTO}/deny", mgmt_auto_assignment_api.deny, "APPROVE_AUTO_ASSIGNMENT"),
    mgmt("POST", f"{AUTO}/start", mgmt_auto_assignment_api.start, "HANDLE_AUTO_ASSIGNMENT"),
    mgmt("POST", f"{AUTO}/pause", mgmt_auto_assignment_api.pause, "HANDLE_AUTO_ASSIGNMENT"),
    mgmt("POST", f"{AUTO}/resume", mgmt_auto_assignment_api.resume, "HANDLE_AUTO_ASSIGNMENT"),
)
