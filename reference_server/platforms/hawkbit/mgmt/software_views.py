"""Modules, artifacts, sets and types as Mgmt documents (§1.4). A single read has more links than a list."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit, link, without_nulls
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    Artifact,
    DistributionSet,
    ModuleType,
    SetType,
    SoftwareModule,
)


def module_document(call: Call, module: SoftwareModule, *, single: bool = False) -> dict[str, Any]:
    path = f"/softwaremodules/{module.id}"
    kind = software.need_module_type(call, module.type_id)
    links = {"self": link(call, path)}
    if single:
        links["artifacts"] = link(call, f"{path}/artifacts")
        links["type"] = link(call, f"/softwaremoduletypes/{kind.id}")
        links["metadata"] = link(call, f"{path}/metadata")
    document = {
        **audit(module),
        "id": module.id,
        "name": module.name,
        "version": module.version,
        "description": module.description,
        "vendor": module.vendor,
        "type": kind.key,
        "typeName": kind.name,
        "encrypted": module.encrypted,
        "locked": module.locked,
        "deleted": module.deleted,
        "complete": software.is_complete_module(call, module) if call.traits.modules_tell_complete else None,
        "_links": links,
    }
    return without_nulls(document)


def artifact_document(call: Call, file: Artifact, *, download: bool = True) -> dict[str, Any]:
    path = f"/softwaremodules/{file.module_id}/artifacts/{file.id}"
    links = {"self": link(call, path)}
    if download:
        links["download"] = link(call, f"{path}/download")
    return {
        **audit(file),
        "id": file.id,
        "providedFilename": file.filename,
        "size": file.size_bytes,
        "hashes": hashes(file),
        "_links": links,
    }


def hashes(file: Artifact) -> dict[str, str]:
    return {"sha1": file.sha1, "md5": file.md5, "sha256": file.sha256}


def set_document(call: Call, record: DistributionSet, *, single: bool = False) -> dict[str, Any]:
    path = f"/distributionsets/{record.id}"
    kind = software.need_set_type(call, record.type_id)
    links = {"self": link(call, path)}
    if single:
        links["modules"] = link(call, f"{path}/assignedSM?offset=0&limit=50")
        links["type"] = link(call, f"/distributionsettypes/{kind.id}")
        links["metadata"] = link(call, f"{path}/metadata")
    document = {
        **audit(record),
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "type": kind.key,
        "typeName": kind.name,
        "requiredMigrationStep": record.required_migration_step,
        "locked": record.locked,
        "deleted": record.deleted,
        "valid": record.valid,
        "complete": software.is_complete_set(call, record),
        "modules": [module_document(call, module) for module in software.modules_of(call, record)],
        "_links": links,
    }
    return without_nulls(document)


def module_type_document(call: Call, record: ModuleType, *, single: bool = False) -> dict[str, Any]:
    document = {
        **_type_fields(record),
        "minArtifacts": record.min_artifacts,
        "maxAssignments": record.max_assignments,
        "_links": {"self": link(call, f"/softwaremoduletypes/{record.id}")},
    }
    return without_nulls(document)


def set_type_document(call: Call, record: SetType, *, single: bool = False) -> dict[str, Any]:
    path = f"/distributionsettypes/{record.id}"
    links = {"self": link(call, path)}
    if single:
        links["mandatorymodules"] = link(call, f"{path}/mandatorymoduletypes")
        links["optionalmodules"] = link(call, f"{path}/optionalmoduletypes")
    return without_nulls({**_type_fields(record), "_links": links})


def _type_fields(record: ModuleType | SetType) -> dict[str, Any]:
    return {
        **audit(record),
        "id": record.id,
        "key": record.key,
        "name": record.name,
        "description": record.description,
        "colour": record.colour,
        "deleted": record.deleted,
    }
