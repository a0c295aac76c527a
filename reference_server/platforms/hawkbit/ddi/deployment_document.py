"""What a device is to install: the document of deploymentBase, confirmationBase and installedBase (§2.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import hashes
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, Artifact, SoftwareModule
from fleetrig.reference_server.platforms.hawkbit.state.artifact_urls import DDI, Download, artifact_links

LEGACY_PARTS: Final = {"application": "bApp", "runtime": "jvm"}
"""Module type keys that devices know under older names."""
GREATEST_HISTORY: Final = 100
FORCED, ATTEMPT, SKIP = "forced", "attempt", "skip"


def deployment_document(call: Call, action: Action, messages: int, key: str = "deployment") -> dict[str, Any]:
    """`messages`: how many lines of history are asked for; 0 none, negative all. `key` is `confirmation` elsewhere."""
    download = (
        FORCED
        if action.is_download_only or action_rules.is_forced(action, deployments.moment_us(call, action))
        else ATTEMPT
    )
    record = software.need_set(call, action.set_id)
    deployment: dict[str, Any] = {
        "download": download,
        "update": _update(call, action, download),
        "chunks": [_chunk(call, module) for module in software.modules_of(call, record)],
    }
    if action.schedule is not None:
        is_open = action_rules.window_is_open(action, deployments.moment_us(call, action))
        deployment["maintenanceWindow"] = "available" if is_open else "unavailable"
    document: dict[str, Any] = {"id": str(action.id), key: deployment}
    if messages and (lines := _history(call, action, messages)):
        document["actionHistory"] = {"status": action.status.upper(), "messages": lines}
    document["_links"] = {}
    return document


def artifact_documents(call: Call, module: SoftwareModule) -> list[dict[str, Any]]:
    """A module's files with hashes and links."""
    return [_artifact(call, file) for file in software.artifacts_of(call, module.id)]


def _update(call: Call, action: Action, download: str) -> str:
    if action.is_download_only or not action_rules.window_is_open(action, deployments.moment_us(call, action)):
        return SKIP
    return download


def _chunk(call: Call, module: SoftwareModule) -> dict[str, Any]:
    key = software.need_module_type(call, module.type_id).key
    chunk: dict[str, Any] = {"part": LEGACY_PARTS.get(key, key), "version": module.version, "name": module.name}
    if module.encrypted:
        chunk["encrypted"] = True
    chunk["artifacts"] = artifact_documents(call, module)
    visible = [{"key": k, "value": v["value"]} for k, v in module.metadata.items() if v["targetVisible"]]
    if visible:
        chunk["metadata"] = visible
    return chunk


def _artifact(call: Call, file: Artifact) -> dict[str, Any]:
    context_path = call.settings.artifact_context_path
    wanted = Download(call.tenant, file.module_id, file.filename, file.sha1, call.device, call.origin, context_path)
    return {
        "filename": file.filename,
        "hashes": hashes(file),
        "size": file.size_bytes,
        "_links": artifact_links(call.settings.artifact_protocols, DDI, wanted),
    }


def _history(call: Call, action: Action, messages: int) -> list[str]:
    """Messages that are not the server's own, newest first."""
    most = GREATEST_HISTORY if messages < 0 else min(messages, GREATEST_HISTORY)
    entries = sorted(deployments.history(call, action), key=lambda line: (line.timestamp_ms, line.id), reverse=True)
    lines = [text for entry in entries for text in entry.messages if not text.startswith(action_rules.SERVER)]
    return lines[:most]
