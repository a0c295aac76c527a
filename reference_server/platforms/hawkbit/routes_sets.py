"""Every path of distribution sets and their tags, in one table (§1.4)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.mgmt import assignment as mgmt_assignment
from fleetrig.reference_server.platforms.hawkbit.mgmt import invalidation as mgmt_invalidation
from fleetrig.reference_server.platforms.hawkbit.mgmt import set_statistics as mgmt_set_statistics
from fleetrig.reference_server.platforms.hawkbit.mgmt import set_tags as mgmt_set_tags
from fleetrig.reference_server.platforms.hawkbit.mgmt import sets as mgmt_sets
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_metadata import OF_SET, MetadataHandlers
from fleetrig.reference_server.platforms.hawkbit.request.replies import HAL, JSON
from fleetrig.reference_server.platforms.hawkbit.request.routing import Route, mgmt, mgmt_body, mgmt_json_body

SET_METADATA: Final = MetadataHandlers(OF_SET)

SETS: Final[tuple[Route, ...]] = (
    # distribution sets (§1.4)
    mgmt("GET", "/distributionsets", mgmt_sets.listed, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets", mgmt_sets.create, "CREATE_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}", mgmt_sets.read, "READ_DISTRIBUTION_SET"),
    mgmt_body("PUT", "/distributionsets/{id:long}", mgmt_sets.change, "UPDATE_DISTRIBUTION_SET", (JSON, HAL)),
    mgmt("DELETE", "/distributionsets/{id:long}", mgmt_sets.delete, "DELETE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsets/{id:long}/assignedSM", mgmt_sets.list_modules, "READ_SOFTWARE_MODULE"),
    mgmt_json_body("POST", "/distributionsets/{id:long}/assignedSM", mgmt_sets.assign_modules,
                   "UPDATE_DISTRIBUTION_SET"),
    mgmt("DELETE", "/distributionsets/{id:long}/assignedSM/{moduleId:long}", mgmt_sets.unassign_module,
         "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsets/{id:long}/assignedTargets", mgmt_sets.assigned_targets, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsets/{id:long}/assignedTargets", mgmt_assignment.assign_targets, "UPDATE_TARGET"),
    mgmt("GET", "/distributionsets/{id:long}/installedTargets", mgmt_sets.installed_targets, "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/metadata", SET_METADATA.listed, "READ_DISTRIBUTION_SET"),
    mgmt_json_body("POST", "/distributionsets/{id:long}/metadata", SET_METADATA.create,
                   "UPDATE_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.read, "READ_DISTRIBUTION_SET", (JSON,)),
    mgmt_json_body("PUT", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.change,
                   "UPDATE_DISTRIBUTION_SET"),
    mgmt("DELETE", "/distributionsets/{id:long}/metadata/{key}", SET_METADATA.delete, "UPDATE_DISTRIBUTION_SET", ()),
    mgmt_body("POST", "/distributionsets/{id:long}/invalidate", mgmt_invalidation.invalidate,
              "UPDATE_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/autoAssignTargetFilters", mgmt_sets.filters, "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/statistics", mgmt_set_statistics.everything, "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/statistics/rollouts", mgmt_set_statistics.rollouts,
         "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/statistics/actions", mgmt_set_statistics.actions,
         "READ_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsets/{id:long}/statistics/autoassignments", mgmt_set_statistics.auto_assignments,
         "READ_DISTRIBUTION_SET"),
    # tags of sets
    mgmt("GET", "/distributionsettags", mgmt_set_tags.listed, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsettags", mgmt_set_tags.create, "CREATE_DISTRIBUTION_SET"),
    mgmt("GET", "/distributionsettags/{id:long}", mgmt_set_tags.read, "READ_DISTRIBUTION_SET"),
    mgmt_body("PUT", "/distributionsettags/{id:long}", mgmt_set_tags.change, "UPDATE_DISTRIBUTION_SET"),
    mgmt("DELETE", "/distributionsettags/{id:long}", mgmt_set_tags.delete, "DELETE_DISTRIBUTION_SET", ()),
    mgmt("GET", "/distributionsettags/{id:long}/assigned", mgmt_set_tags.tagged, "READ_DISTRIBUTION_SET"),
    mgmt_body("POST", "/distributionsettags/{id:long}/assigned", mgmt_set_tags.assign_many,
              "UPDATE_DISTRIBUTION_SET"),
    mgmt("DELETE", "/distributionsettags/{id:long}/assigned", mgmt_set_tags.unassign_many,
         "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("POST", "/distributionsettags/{id:long}/assigned/{setId:long}", mgmt_set_tags.assign_one,
         "UPDATE_DISTRIBUTION_SET", ()),
    mgmt("DELETE", "/distributionsettags/{id:long}/assigned/{setId:long}", mgmt_set_tags.unassign_one,
         "UPDATE_DISTRIBUTION_SET", ()),
)  # fmt: skip
