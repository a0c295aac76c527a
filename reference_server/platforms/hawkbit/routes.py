"""Every path of provisioning, in one table. Deployment has its own: both make the router."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.ddi import config_data as ddi_config_data
from fleetrig.reference_server.platforms.hawkbit.ddi import root as ddi_root
from fleetrig.reference_server.platforms.hawkbit.mgmt import config as mgmt_config
from fleetrig.reference_server.platforms.hawkbit.mgmt import filters as mgmt_filters
from fleetrig.reference_server.platforms.hawkbit.mgmt import groups as mgmt_groups
from fleetrig.reference_server.platforms.hawkbit.mgmt import tags as mgmt_tags
from fleetrig.reference_server.platforms.hawkbit.mgmt import target_details as mgmt_target_details
from fleetrig.reference_server.platforms.hawkbit.mgmt import target_types as mgmt_target_types
from fleetrig.reference_server.platforms.hawkbit.mgmt import targets as mgmt_targets
from fleetrig.reference_server.platforms.hawkbit.request.replies import HAL, JSON
from fleetrig.reference_server.platforms.hawkbit.request.routing import Route, ddi, mgmt, mgmt_any_body, mgmt_body
from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits

PROVISIONING: Final[tuple[Route, ...]] = (
    # devices (§2)
    ddi("GET", "", ddi_root.poll),
    ddi("PUT", "/configData", ddi_config_data.put_config_data, ()),
    # who am I (§1.1)
    mgmt("GET", "/userinfo", mgmt_config.read_user),
    # targets (§1.3)
    mgmt("GET", "/targets", mgmt_targets.read_targets, "READ_TARGET"),
    mgmt_body("POST", "/targets", mgmt_targets.create_targets, "CREATE_TARGET"),
    mgmt("GET", "/targets/{controllerId}", mgmt_targets.read_target, "READ_TARGET"),
    mgmt_body("PUT", "/targets/{controllerId}", mgmt_targets.update_target, "READ_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}", mgmt_targets.delete_target, "DELETE_TARGET", ()),
    mgmt("GET", "/targets/{controllerId}/attributes", mgmt_target_details.read_attributes, "READ_TARGET"),
    mgmt("GET", "/targets/{controllerId}/tags", mgmt_target_details.read_tags, "READ_TARGET"),
    mgmt("GET", "/targets/{controllerId}/metadata", mgmt_target_details.read_metadata, "READ_TARGET"),
    Route("POST", "/rest/v1/targets/{controllerId}/metadata", mgmt_target_details.create_metadata, "UPDATE_TARGET",
          (JSON, HAL)),
    mgmt("GET", "/targets/{controllerId}/metadata/{key}", mgmt_target_details.read_metadatum, "READ_TARGET", (JSON,)),
    mgmt_any_body("PUT", "/targets/{controllerId}/metadata/{key}", mgmt_target_details.update_metadatum,
                  "UPDATE_TARGET"),
    mgmt("DELETE", "/targets/{controllerId}/metadata/{key}", mgmt_target_details.delete_metadatum, "UPDATE_TARGET", ()),
    mgmt_body("POST", "/targets/{controllerId}/targettype", mgmt_target_details.assign_type, "UPDATE_TARGET", ()),
    mgmt("DELETE", "/targets/{controllerId}/targettype", mgmt_target_details.unassign_type, "UPDATE_TARGET", ()),
    mgmt("GET", "/targets/{controllerId}/autoConfirm", mgmt_target_details.read_auto_confirm),
    mgmt_any_body("POST", "/targets/{controllerId}/autoConfirm/activate", mgmt_target_details.activate_auto_confirm,
                  "UPDATE_TARGET", optional=True),
    mgmt("POST", "/targets/{controllerId}/autoConfirm/deactivate", mgmt_target_details.deactivate_auto_confirm,
         "UPDATE_TARGET", ()),
    # target types (§1.5)
    mgmt("GET", "/targettypes", mgmt_target_types.read_types, "READ_TARGET_TYPE"),
    mgmt_body("POST", "/targettypes", mgmt_target_types.create_types, "CREATE_TARGET_TYPE"),
    mgmt("GET", "/targettypes/{id:long}", mgmt_target_types.read_type, "READ_TARGET_TYPE"),
    mgmt_body("PUT", "/targettypes/{id:long}", mgmt_target_types.update_type, "UPDATE_TARGET_TYPE"),
    mgmt("DELETE", "/targettypes/{id:long}", mgmt_target_types.delete_type, "DELETE_TARGET_TYPE", ()),
    mgmt("GET", "/targettypes/{id:long}/compatibledistributionsettypes", mgmt_target_types.read_set_types,
         "READ_TARGET_TYPE"),
    mgmt_body("POST", "/targettypes/{id:long}/compatibledistributionsettypes", mgmt_target_types.add_set_types,
              "UPDATE_TARGET_TYPE", ()),
    mgmt("DELETE", "/targettypes/{id:long}/compatibledistributionsettypes/{setTypeId:long}",
         mgmt_target_types.remove_set_type, "UPDATE_TARGET_TYPE", ()),
    # target tags (§1.5)
    mgmt("GET", "/targettags", mgmt_tags.read_tags, "READ_TARGET"),
    mgmt_body("POST", "/targettags", mgmt_tags.create_tags, "CREATE_TARGET"),
    mgmt("GET", "/targettags/{id:long}", mgmt_tags.read_tag, "READ_TARGET"),
    mgmt_body("PUT", "/targettags/{id:long}", mgmt_tags.update_tag, "UPDATE_TARGET"),
    mgmt("DELETE", "/targettags/{id:long}", mgmt_tags.delete_tag, "READ_TARGET", ()),
    mgmt("GET", "/targettags/{id:long}/assigned", mgmt_tags.read_tagged, "READ_TARGET"),
    mgmt_body("POST", "/targettags/{id:long}/assigned", mgmt_tags.assign_many, "UPDATE_TARGET", ()),
    mgmt_body("DELETE", "/targettags/{id:long}/assigned", mgmt_tags.unassign_many, "UPDATE_TARGET", ()),
    mgmt("POST", "/targettags/{id:long}/assigned/{controllerId}", mgmt_tags.assign_one, "UPDATE_TARGET", ()),
    mgmt("DELETE", "/targettags/{id:long}/assigned/{controllerId}", mgmt_tags.unassign_one, "UPDATE_TARGET", ()),
    # target groups (§1.5)
    mgmt("GET", "/targetgroups", mgmt_groups.read_groups, "READ_TARGET"),
    mgmt("PUT", "/targetgroups", mgmt_groups.assign_matching_to_group, "UPDATE_TARGET", (), ("group", "q")),
    mgmt("DELETE", "/targetgroups", mgmt_groups.unassign_matching, "UPDATE_TARGET", ()),
    mgmt("GET", "/targetgroups/assigned", mgmt_groups.read_members_of_group, "READ_TARGET", asks=("group",)),
    mgmt_any_body("PUT", "/targetgroups/assigned", mgmt_groups.assign_members_of_group, "UPDATE_TARGET",
                  asks=("group",)),
    mgmt_any_body("DELETE", "/targetgroups/assigned", mgmt_groups.unassign_members, "UPDATE_TARGET", optional=True),
    mgmt("PUT", "/targetgroups/{group}", mgmt_groups.assign_matching, "UPDATE_TARGET", (), ("q",)),
    mgmt("GET", "/targetgroups/{group}/assigned", mgmt_groups.read_members, "READ_TARGET"),
    mgmt_any_body("PUT", "/targetgroups/{group}/assigned", mgmt_groups.assign_members, "UPDATE_TARGET"),
    # target filters (§1.5)
    mgmt("GET", "/targetfilters", mgmt_filters.read_filters, "READ_TARGET"),
    mgmt_body("POST", "/targetfilters", mgmt_filters.create_filter, "CREATE_TARGET"),
    mgmt("GET", "/targetfilters/{id:long}", mgmt_filters.read_filter, "READ_TARGET"),
    mgmt_body("PUT", "/targetfilters/{id:long}", mgmt_filters.update_filter, "UPDATE_TARGET"),
    mgmt("DELETE", "/targetfilters/{id:long}", mgmt_filters.delete_filter, "DELETE_TARGET"),
    # tenant configuration (§1.6)
    mgmt("GET", "/system/configs", mgmt_config.read_configs),
    mgmt_body("PUT", "/system/configs", mgmt_config.update_configs, "UPDATE_TENANT_CONFIGURATION"),
    mgmt("GET", "/system/configs/{key}", mgmt_config.read_config),
    mgmt_body("PUT", "/system/configs/{key}", mgmt_config.update_config, "UPDATE_TENANT_CONFIGURATION"),
    mgmt("DELETE", "/system/configs/{key}", mgmt_config.delete_config),
)  # fmt: skip


OLDER: Final = (
    mgmt_body("PUT", "/targettags/{id:long}/assigned", mgmt_tags.assign_many, "UPDATE_TARGET", ()),
)  # fmt: skip
"""What releases up to 0.9 have too."""


def known_to(traits: Traits, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes that a generation has."""
    older = OLDER if traits.has_old_routes else ()
    return (*(route for route in routes if not traits.lacks(route.method, route.path)), *older)
