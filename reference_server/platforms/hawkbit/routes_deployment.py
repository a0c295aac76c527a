"""Every path of deployment, in one table: software, sets, assignment, actions (§1.3-1.5, §2.4-2.8)."""

from __future__ import annotations

from typing import Final

from reference_server.platforms.hawkbit import (
    ddi_artifacts,
    ddi_cancel,
    ddi_confirmation,
    ddi_deployment,
    ddi_installed,
    mgmt_actions,
    mgmt_all_actions,
    mgmt_artifacts,
    mgmt_assignment,
    mgmt_auto_assign,
    mgmt_modules,
    mgmt_sets,
    mgmt_types,
)
from reference_server.platforms.hawkbit.replies import HAL, JSON
from reference_server.platforms.hawkbit.routing import DDI_BODY, Route, ddi, mgmt, mgmt_body
from reference_server.platforms.hawkbit.software_metadata import OF_MODULE, OF_SET, MetadataHandlers

MODULE_METADATA: Final = MetadataHandlers(OF_MODULE)
SET_METADATA: Final = MetadataHandlers(OF_SET)
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
    # software modules (§1.4)
    mgmt("GET", "/softwaremodules", mgmt_modules.listed, "READ_SOFTWARE_MODULE"),
    mgmt_body("POST", "/softwaremodules", mgmt_modules.create, "CREATE_SOFTWARE_MODULE"),
    mgmt("GET", "/softwaremodules/{id:long}", mgmt_modules.read, "READ_SOFTWARE_MODULE"),
    mgmt_body("PUT", "/softwaremodules/{id:long}", mgmt_modules.change, "UPDATE_SOFTWARE_MODULE"),
    mgmt("DELETE", "/softwaremodules/{id:long}", mgmt_modules.delete, "DELETE_SOFTWARE_MODULE", ()),
    mgmt("GET", "/softwaremodules/{id:long}/metadata", MODULE_METADATA.listed, "READ_SOFTWARE_MODULE"),
    mgmt_body("POST", "/softwaremodules/{id:long}/metadata", MODULE_METADATA.create, "UPDATE_SOFTWARE_MODULE", ()),
    mgmt("GET", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.read, "READ_SOFTWARE_MODULE"),
    mgmt_body("PUT", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.change,
              "UPDATE_SOFTWARE_MODULE", ()),
    mgmt("DELETE", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.delete, "UPDATE_SOFTWARE_MODULE", ()),
    # artifacts (§1.4); the upload reads its form itself
    mgmt("GET", "/softwaremodules/{id:long}/artifacts", mgmt_artifacts.listed, "READ_SOFTWARE_MODULE"),
    mgmt("POST", "/softwaremodules/{id:long}/artifacts", mgmt_artifacts.upload, "UPDATE_SOFTWARE_MODULE"),
    mgmt("GET", "/softwaremodules/{id:long}/artifacts/{artifactId:long}", mgmt_artifacts.read,
         "READ_SOFTWARE_MODULE"),
    mgmt("DELETE", "/softwaremodules/{id:long}/artifacts/{artifactId:long}", mgmt_artifacts.delete,
         "UPDATE_SOFTWARE_MODULE", ()),
    mgmt("GET", "/softwaremodules/{id:long}/artifacts/{artifactId:long}/download", mgmt_artifacts.download,
         "READ_SOFTWARE_MODULE_ARTIFACT", ()),
    # types of modules and sets (§1.4)
    mgmt("GET", "/softwaremoduletypes", mgmt_types.list_module_types, "READ_SOFTWARE_MODULE_TYPE"),
    mgmt_body("POST", "/softwaremoduletypes", mgmt_types.create_module_types, "CREATE_SOFTWARE_MODULE_TYPE"),
    mgmt("GET", "/softwaremoduletypes/{id:long}", mgmt_types.read_module_type, "READ_SOFTWARE_MODULE_TYPE"),
    mgmt_body("PUT", "/softwaremoduletypes/{id:long}", mgmt_types.change_module_type, "UPDATE_SOFTWARE_MODULE_TYPE"),
    mgmt("DELETE", "/softwaremoduletypes/{id:long}", mgmt_types.delete_module_type, "DELETE_SOFTWARE_MODULE_TYPE", ()),
    mgmt("GET", "/distributionsettypes", mgmt_types.list_set_types, "READ_DISTRIBUTION_SET_TYPE"),
    mgmt_body("POST", "/distributionsettypes", mgmt_types.create_set_types, "CREATE_DISTRIBUTION_SET_TYPE"),
    mgmt("GET", "/distributionsettypes/{id:long}", mgmt_types.read_set_type, "READ_DISTRIBUTION_SET_TYPE"),
    mgmt_body("PUT", "/distributionsettypes/{id:long}", mgmt_types.change_set_type, "UPDATE_DISTRIBUTION_SET_TYPE"),
    mgmt("DELETE", "/distributionsettypes/{id:long}", mgmt_types.delete_set_type, "DELETE_DISTRIBUTION_SET_TYPE", ()),
    mgmt("GET", "/distributionsettypes/{id:long}/mandatorymoduletypes", mgmt_types.mandatory_module_types,
         "READ_DISTRIBUTION_SET_TYPE"),
    mgmt("GET", "/distributionsettypes/{id:long}/optionalmoduletypes", mgmt_types.optional_module_types,
         "READ_DISTRIBUTION_SET_TYPE"),
    # distribution sets (§1.4)
    mgmt("GET", "/distributionsets", mgmt_sets.listed, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets", mgmt_sets.create, "CREATE_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}", mgmt_sets.read, "READ_DISTRIBUTION_SET"),
    mgmt_body("PUT", "/distributionsets/{id:long}", mgmt_sets.change, "UPDATE_DISTRIBUTION_SET", (JSON, HAL)),
    mgmt("DELETE", "/distributionsets/{id:long}", mgmt_sets.delete, "DELETE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsets/{id:long}/assignedSM", mgmt_sets.list_modules, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets/{id:long}/assignedSM", mgmt_sets.assign_modules,
              "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("DELETE", "/distributionsets/{id:long}/assignedSM/{moduleId:long}", mgmt_sets.unassign_module,
         "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsets/{id:long}/assignedTargets", mgmt_sets.assigned_targets, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets/{id:long}/assignedTargets", mgmt_assignment.assign_targets, "UPDATE_TARGET"),
    mgmt("GET", "/distributionsets/{id:long}/installedTargets", mgmt_sets.installed_targets, "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/metadata", SET_METADATA.listed, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets/{id:long}/metadata", SET_METADATA.create, "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.read, "READ_DISTRIBUTION_SET", (JSON,)),
    mgmt_body("PUT", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.change, "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("DELETE", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.delete, "UPDATE_DISTRIBUTION_SET", ()),
    # a target's sets and actions (§1.3)
    mgmt("GET", "/targets/{controllerId}/assignedDS", mgmt_assignment.read_assigned_set, "READ_TARGET"),
    mgmt_body("POST", "/targets/{controllerId}/assignedDS", mgmt_assignment.assign_set, "UPDATE_TARGET"),
    mgmt("GET", "/targets/{controllerId}/installedDS", mgmt_assignment.read_installed_set, "READ_TARGET"),
    mgmt("GET", "/targets/{controllerId}/actions", mgmt_actions.listed, "READ_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}/actions", mgmt_actions.delete_many),
    mgmt("GET", "/targets/{controllerId}/actions/{actionId:long}", mgmt_actions.read, "READ_TARGET"),
    mgmt_body("PUT", "/targets/{controllerId}/actions/{actionId:long}", mgmt_actions.change, "UPDATE_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}/actions/{actionId:long}", mgmt_actions.cancel, "UPDATE_TARGET", ()),
    mgmt_body("PUT", "/targets/{controllerId}/actions/{actionId:long}/confirmation", mgmt_actions.confirm,
              "UPDATE_TARGET", ()),
    mgmt("GET", "/targets/{controllerId}/actions/{actionId:long}/status", mgmt_actions.history, "READ_TARGET"),
    mgmt("GET", "/actions", mgmt_all_actions.listed, "READ_TARGET"),
    mgmt("DELETE", "/actions", mgmt_all_actions.delete_many, writes=()),
    mgmt("GET", "/actions/{actionId:long}", mgmt_all_actions.read, "READ_TARGET"),
    mgmt("DELETE", "/actions/{actionId:long}", mgmt_all_actions.delete, "UPDATE_TARGET", ()),
    # what filters assign by themselves (§1.5)
    mgmt("GET", "/targetfilters/{id:long}/autoAssignDS", mgmt_auto_assign.read, "READ_TARGET"),
    mgmt_body("POST", "/targetfilters/{id:long}/autoAssignDS", mgmt_auto_assign.switch_on, "UPDATE_TARGET"),
    mgmt("DELETE", "/targetfilters/{id:long}/autoAssignDS", mgmt_auto_assign.switch_off, "UPDATE_TARGET", ()),
)  # fmt: skip
