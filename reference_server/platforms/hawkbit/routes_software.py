"""Every path of software modules, their files, and the types of modules and sets, in one table (§1.4)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.mgmt import artifacts as mgmt_artifacts
from fleetrig.reference_server.platforms.hawkbit.mgmt import module_types as mgmt_module_types
from fleetrig.reference_server.platforms.hawkbit.mgmt import modules as mgmt_modules
from fleetrig.reference_server.platforms.hawkbit.mgmt import set_types as mgmt_set_types
from fleetrig.reference_server.platforms.hawkbit.mgmt.set_types import ModuleTypeHandlers
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_metadata import OF_MODULE, MetadataHandlers
from fleetrig.reference_server.platforms.hawkbit.request.routing import (
    Route,
    mgmt,
    mgmt_any_body,
    mgmt_body,
    mgmt_json_body,
)

MODULE_METADATA: Final = MetadataHandlers(OF_MODULE)
MANDATORY: Final = ModuleTypeHandlers("mandatory")
OPTIONAL: Final = ModuleTypeHandlers("optional")

SOFTWARE: Final[tuple[Route, ...]] = (
    # software modules (§1.4)
    mgmt("GET", "/softwaremodules", mgmt_modules.listed, "READ_SOFTWARE_MODULE"),
    mgmt_body("POST", "/softwaremodules", mgmt_modules.create, "CREATE_SOFTWARE_MODULE"),
    mgmt("GET", "/softwaremodules/{id:long}", mgmt_modules.read, "READ_SOFTWARE_MODULE"),
    mgmt_body("PUT", "/softwaremodules/{id:long}", mgmt_modules.change, "UPDATE_SOFTWARE_MODULE"),
    mgmt("DELETE", "/softwaremodules/{id:long}", mgmt_modules.delete, "READ_SOFTWARE_MODULE", ()),
    mgmt("GET", "/softwaremodules/{id:long}/metadata", MODULE_METADATA.listed, "READ_SOFTWARE_MODULE"),
    mgmt_json_body("POST", "/softwaremodules/{id:long}/metadata", MODULE_METADATA.create, "UPDATE_SOFTWARE_MODULE"),
    mgmt("GET", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.read, "READ_SOFTWARE_MODULE"),
    mgmt_any_body("PUT", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.change,
                  "UPDATE_SOFTWARE_MODULE"),
    mgmt("DELETE", "/softwaremodules/{id:long}/metadata/{key}", MODULE_METADATA.delete, "UPDATE_SOFTWARE_MODULE", ()),
    # artifacts (§1.4); the upload reads its form itself
    mgmt("GET", "/softwaremodules/{id:long}/artifacts", mgmt_artifacts.listed, "READ_SOFTWARE_MODULE"),
    mgmt("POST", "/softwaremodules/{id:long}/artifacts", mgmt_artifacts.upload, "CREATE_SOFTWARE_MODULE"),
    mgmt("GET", "/softwaremodules/{id:long}/artifacts/{artifactId:long}", mgmt_artifacts.read,
         "READ_SOFTWARE_MODULE"),
    mgmt("DELETE", "/softwaremodules/{id:long}/artifacts/{artifactId:long}", mgmt_artifacts.delete,
         "READ_SOFTWARE_MODULE", ()),
    mgmt("GET", "/softwaremodules/{id:long}/artifacts/{artifactId:long}/download", mgmt_artifacts.download,
         "READ_SOFTWARE_MODULE_ARTIFACT", ()),
    # types of modules and sets (§1.4)
    mgmt("GET", "/softwaremoduletypes", mgmt_module_types.listed, "READ_SOFTWARE_MODULE_TYPE"),
    mgmt_body("POST", "/softwaremoduletypes", mgmt_module_types.create, "CREATE_SOFTWARE_MODULE_TYPE"),
    mgmt("GET", "/softwaremoduletypes/{id:long}", mgmt_module_types.read, "READ_SOFTWARE_MODULE_TYPE"),
    mgmt_body("PUT", "/softwaremoduletypes/{id:long}", mgmt_module_types.change, "UPDATE_SOFTWARE_MODULE_TYPE"),
    mgmt("DELETE", "/softwaremoduletypes/{id:long}", mgmt_module_types.delete, "DELETE_SOFTWARE_MODULE_TYPE", ()),
    mgmt("GET", "/distributionsettypes", mgmt_set_types.listed, "READ_DISTRIBUTION_SET_TYPE"),
    mgmt_body("POST", "/distributionsettypes", mgmt_set_types.create, "CREATE_DISTRIBUTION_SET_TYPE"),
    mgmt("GET", "/distributionsettypes/{id:long}", mgmt_set_types.read, "READ_DISTRIBUTION_SET_TYPE"),
    mgmt_body("PUT", "/distributionsettypes/{id:long}", mgmt_set_types.change, "UPDATE_DISTRIBUTION_SET_TYPE"),
    mgmt("DELETE", "/distributionsettypes/{id:long}", mgmt_set_types.delete, "DELETE_DISTRIBUTION_SET_TYPE", ()),
    *(
        route
        for path, types in (("mandatorymoduletypes", MANDATORY), ("optionalmoduletypes", OPTIONAL))
        for route in (
            mgmt("GET", f"/distributionsettypes/{{id:long}}/{path}", types.listed, "READ_DISTRIBUTION_SET_TYPE"),
            mgmt_body("POST", f"/distributionsettypes/{{id:long}}/{path}", types.add,
                      "UPDATE_DISTRIBUTION_SET_TYPE", ()),
            mgmt("GET", f"/distributionsettypes/{{id:long}}/{path}/{{moduleTypeId:long}}", types.read,
                 "READ_DISTRIBUTION_SET_TYPE"),
            mgmt("DELETE", f"/distributionsettypes/{{id:long}}/{path}/{{moduleTypeId:long}}",
                 mgmt_set_types.remove_module_type, "UPDATE_DISTRIBUTION_SET_TYPE", ()),
        )
    ),
)  # fmt: skip
