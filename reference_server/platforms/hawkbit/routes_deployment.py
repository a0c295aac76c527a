"""Every path of deployment, in one table: assignment, actions, what devices do with them (§1.3-1.5, §2.4-2.8)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.ddi import artifacts as ddi_artifacts
from fleetrig.reference_server.platforms.hawkbit.ddi import cancel as ddi_cancel
from fleetrig.reference_server.platforms.hawkbit.ddi import confirmation as ddi_confirmation
from fleetrig.reference_server.platforms.hawkbit.ddi import deployment as ddi_deployment
from fleetrig.reference_server.platforms.hawkbit.ddi import installed as ddi_installed
from fleetrig.reference_server.platforms.hawkbit.mgmt import all_actions as mgmt_all_actions
from fleetrig.reference_server.platforms.hawkbit.mgmt import assignment as mgmt_assignment
from fleetrig.reference_server.platforms.hawkbit.mgmt import filter_auto_assign as mgmt_filter_auto_assign
from fleetrig.reference_server.platforms.hawkbit.mgmt import target_actions as mgmt_target_actions
from fleetrig.reference_server.platforms.hawkbit.request.routing import DDI_BODY, Route, ddi, mgmt, mgmt_body

DEVICE: Final = "/{tenant}/controller/v1/{controllerId}"
"""Routes whose body is optional are spelt out: without one they take any Content-Type or none."""

DEPLOYMENT: Final[tuple[Route, ...]] = (
    # devices (§2.4-2.8)
    ddi("GET", "/deploymentBase/{actionId:long}", ddi_deployment.read),
    ddi("POST", "/deploymentBase/{actionId:long}/feedback", ddi_deployment.feedback, ()),
    ddi("GET", "/cancelAction/{actionId:long}", ddi_cancel.read),
    ddi("POST", "/cancelAction/{actionId:long}/feedback", ddi_cancel.feedback, ()),
    ddi("GET", "/confirmationBase", ddi_confirmation.read),
    ddi("GET", "/confirmationBase/{actionId:long}", ddi_confirmation.read_action),
    ddi("POST", "/confirmationBase/{actionId:long}/feedback", ddi_confirmation.feedback, ()),
    Route("POST", DEVICE + "/confirmationBase/activateAutoConfirm", ddi_confirmation.activate, "", DDI_BODY, (), True),
    Route("POST", DEVICE + "/confirmationBase/deactivateAutoConfirm", ddi_confirmation.deactivate, writes=()),
    ddi("GET", "/installedBase/{actionId:long}", ddi_installed.read),
    ddi("PUT", "/installedBase", ddi_installed.declare, ()),
    ddi("GET", "/softwaremodules/{moduleId:long}/artifacts", ddi_artifacts.listed),
    ddi("GET", "/softwaremodules/{moduleId:long}/artifacts/{filename}", ddi_artifacts.download, ()),
    # a target's sets and actions (§1.3)
    mgmt("GET", "/targets/{controllerId}/assignedDS", mgmt_assignment.read_assigned_set, "READ_TARGET"),
    mgmt_body("POST", "/targets/{controllerId}/assignedDS", mgmt_assignment.assign_set),
    mgmt("GET", "/targets/{controllerId}/installedDS", mgmt_assignment.read_installed_set, "READ_TARGET"),
    mgmt("GET", "/targets/{controllerId}/actions", mgmt_target_actions.listed, "READ_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}/actions", mgmt_target_actions.delete_many),
    mgmt("GET", "/targets/{controllerId}/actions/{actionId:long}", mgmt_target_actions.read, "READ_TARGET"),
    mgmt_body("PUT", "/targets/{controllerId}/actions/{actionId:long}", mgmt_target_actions.change, "READ_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}/actions/{actionId:long}", mgmt_target_actions.cancel, "READ_TARGET", ()),
    mgmt_body("PUT", "/targets/{controllerId}/actions/{actionId:long}/confirmation", mgmt_target_actions.confirm,
              "READ_TARGET", ()),
    mgmt("GET", "/targets/{controllerId}/actions/{actionId:long}/status", mgmt_target_actions.history, "READ_TARGET"),
    mgmt("GET", "/actions", mgmt_all_actions.listed, "READ_TARGET"),
    mgmt("DELETE", "/actions", mgmt_all_actions.delete_many, writes=()),
    mgmt("GET", "/actions/{actionId:long}", mgmt_all_actions.read, "READ_TARGET"),
    mgmt("DELETE", "/actions/{actionId:long}", mgmt_all_actions.delete, "UPDATE_TARGET", ()),
    # what filters assign by themselves (§1.5)
    mgmt("GET", "/targetfilters/{id:long}/autoAssignDS", mgmt_filter_auto_assign.read, "READ_TARGET"),
    mgmt_body("POST", "/targetfilters/{id:long}/autoAssignDS", mgmt_filter_auto_assign.switch_on, "READ_TARGET"),
    mgmt("DELETE", "/targetfilters/{id:long}/autoAssignDS", mgmt_filter_auto_assign.switch_off, "UPDATE_TARGET", ()),
)  # fmt: skip
