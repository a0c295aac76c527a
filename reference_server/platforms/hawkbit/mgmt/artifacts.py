"""`/softwaremodules/{id}/artifacts`: upload, read, download, delete (§1.4)."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from fleetrig.reference_server.multipart import BadMultipart, Upload
from fleetrig.reference_server.platforms.hawkbit.ddi import artifact_files
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import artifact_document
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.form_boundary import unreadable_form
from fleetrig.reference_server.platforms.hawkbit.request.kept_upload import FILE_FIELD, KeptUpload
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ARTIFACT, Artifact, SoftwareModule
from fleetrig.reference_server.platforms.hawkbit.state.artifact_urls import MGMT, Download, artifact_links
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    ARTIFACT_EXCEPTIONS,
    REPOSITORY,
    HawkbitError,
    already_exists,
    bare,
    framework,
    not_found,
    quota,
    violations,
)
from fleetrig.reference_server.stores.interface import Blob, TooLarge

GREATEST_NAME: Final = 256
MIB: Final = 1024 * 1024
CHECKSUMS: Final = (("sha1sum", "sha1", "Sha1"), ("md5sum", "md5", "Md5"), ("sha256sum", "sha256", "Sha256"))
"""(parameter, hash, its spelling in the server's class names), in the order in which the server looks at them."""


def upload(call: Call, module_id: int) -> Reply:
    """Part `file` of a multipart form; `filename` and checksums as form fields or query parameters.

    Raises 400 (no or an empty file, a wrong checksum or name), 404, 409 (the name is taken), 415, 423 (locked), 429.
    """
    form = _form(call)
    try:
        kept = _kept_before(call, call.request.body) if isinstance(call.request.body, KeptUpload) else _read(call, form)
    except BadMultipart as wrong:
        raise unreadable_form(str(wrong)) from None
    if not form.has_file:
        raise framework(400, "the form has no part called file with a file name")
    if kept is None:
        raise bare(400, "the uploaded file is empty")
    filename = _given(call, form, "filename")
    filename = form.filename or "" if filename is None else filename
    module = _open_module(call, module_id, filename)
    if isinstance(kept, HawkbitError):
        raise kept
    return _store(call, module, filename, form, kept)


def listed(call: Call, module_id: int) -> Reply:
    """A bare array; links to the files only with `representation=full`."""
    for_devices = call.boolean("useartifacturlhandler")
    module = software.need_module(call, module_id)
    full = call.query.get("representation", "").lower() == "full" and not module.deleted
    files = software.artifacts_of(call, module_id)
    return Reply(body=[_document(call, file, linked=full, for_devices=for_devices) for file in files])


def read(call: Call, module_id: int, artifact_id: int) -> Reply:
    for_devices = call.boolean("useartifacturlhandler")
    module, file = _need(call, module_id, artifact_id)
    return Reply(body=_document(call, file, linked=not module.deleted, for_devices=for_devices))


def _document(call: Call, file: Artifact, *, linked: bool, for_devices: bool) -> dict[str, Any]:
    """`linked`: with links to the file, be it the operators' own or those that devices may have."""
    document = artifact_document(call, file, download=linked and not for_devices)
    if linked and for_devices:
        context_path = call.settings.artifact_context_path
        wanted = Download(call.tenant, file.module_id, file.filename, file.sha1, context_path=context_path)
        document["_links"] |= artifact_links(call.settings.artifact_protocols, MGMT, wanted)
    return document


def delete(call: Call, module_id: int, artifact_id: int) -> Reply:
    """Raises 423 for a locked module."""
    module, file = _need(call, module_id, artifact_id)
    call.need("DELETE_SOFTWARE_MODULE")
    if module.locked:
        raise software.locked("JpaSoftwareModule", module_id, "REMOVE_ARTIFACT")
    call.repo.store.delete(ARTIFACT, call.tenant, artifact_id)
    call.repo.blobs.delete(file.blob)
    return Reply(call.done_status, changed=f"artifact {artifact_id} deleted")


def download(call: Call, module_id: int, artifact_id: int) -> Reply:
    """Raises 410 for a deleted module, 412, 416."""
    if software.need_module(call, module_id).deleted:
        java_class = ARTIFACT_EXCEPTIONS + "ArtifactBinaryNoLongerExistsException"
        message = "The artifact binary does not exist anymore."
        raise HawkbitError(410, "artifact.binaryDeleted", java_class, message)
    _, file = _need(call, module_id, artifact_id)
    artifact_files.check_if_match(call, file)
    return artifact_files.send(call, file)


def _form(call: Call) -> Upload:
    content_type = call.headers.get("content-type", "")
    if isinstance(call.request.body, KeptUpload):
        return call.request.body.form
    if not content_type.lower().startswith("multipart/form-data"):
        accepted = (("Accept", "multipart/form-data"),)
        raise framework(415, f"Content-Type {content_type[:100] or 'missing'}: expected multipart/form-data", accepted)
    try:
        return Upload(call.request.body, content_type, FILE_FIELD)
    except BadMultipart as wrong:
        raise unreadable_form(str(wrong)) from None


def _given(call: Call, form: Upload, name: str) -> str | None:
    """A form field or query parameter; of both the server makes one."""
    values = [values[name] for values in (form.fields, call.query) if name in values]
    return ",".join(values) if values else None


def _open_module(call: Call, module_id: int, filename: str) -> SoftwareModule:
    """The module if it takes one more file of this name. Raises 400, 404, 409, 423, 429."""
    if not filename:
        raise violations(["create.artifactUpload.filename must not be empty."])
    broken = rules.broken_markup("create.artifactUpload.filename", filename)
    if broken:
        raise violations(broken)
    limit = call.settings.quotas.artifacts_per_module
    if call.repo.store.count(ARTIFACT, call.tenant, "module", module_id) >= limit:
        raise quota(1, "Artifact", "SoftwareModule", module_id, limit)
    module = software.need_module(call, module_id)
    if module.locked:
        raise software.locked("JpaSoftwareModule", module_id, "ADD_ARTIFACT")
    if software.artifact_named(call, module_id, filename) is not None:
        raise already_exists(f"module {module_id} has a file {filename} already",
                             "File with that name already exists in the Software Module")  # fmt: skip
    return module


def _read(call: Call, form: Upload) -> Blob | HawkbitError | None:
    """Stores what is uploaded; nothing of an empty file."""
    blocks = form.file_blocks()
    first = next(blocks, b"")
    if not first:
        return None
    left = _left_bytes(call)
    try:
        most = min(call.settings.quotas.artifact_bytes, left)
        return call.repo.blobs.keep(chain((first,), blocks), at_most_bytes=most)
    except TooLarge:
        return _too_large(call, left)


def _kept_before(call: Call, upload: KeptUpload) -> Blob | HawkbitError | None:
    """The same of an upload whose file is here already."""
    if upload.failure is not None and not isinstance(upload.failure, TooLarge):
        raise upload.failure
    kept, upload.kept = upload.kept, None
    left = _left_bytes(call, kept.size_bytes if kept is not None else 0)
    if kept is not None and kept.size_bytes > left:
        call.repo.blobs.reject(kept)
    elif kept is not None:
        call.repo.blobs.adopt(kept)
        return kept
    return None if kept is None and upload.failure is None else _too_large(call, left)


def _left_bytes(call: Call, own_bytes: int = 0) -> int:
    """What may be kept yet; `own_bytes` are kept already, but not yet counted."""
    return max(call.settings.quotas.all_artifacts_bytes - call.repo.blobs.total_bytes() + own_bytes, 0)


def _too_large(call: Call, left: int) -> HawkbitError:
    """To be raised if nothing else is wrong: it is over a quota (§1.7)."""
    quotas = call.settings.quotas
    if left < quotas.artifact_bytes:
        java_class = ARTIFACT_EXCEPTIONS + "StorageQuotaExceededException"
        message = f"Storage quota exceeded, {_readable(left)} left."
        return HawkbitError(429, "quota.storageExceeded", java_class, message)
    java_class = ARTIFACT_EXCEPTIONS + "FileSizeQuotaExceededException"
    message = f"Maximum artifact size ({_readable(quotas.artifact_bytes)}) exceeded."
    return HawkbitError(429, "quota.fileSizeExceeded", java_class, message)


def _store(call: Call, module: SoftwareModule, filename: str, form: Upload, blob: Blob) -> Reply:
    """What is refused here takes the blob back with it."""
    for parameter, name, java_name in CHECKSUMS:
        wanted = _given(call, form, parameter)
        if wanted is not None and wanted.lower() != getattr(blob, name):
            raise _wrong_checksum(name, java_name, wanted.lower(), getattr(blob, name))
    broken = rules.broken_size("filename", filename, 1, GREATEST_NAME)
    if broken:
        raise violations(broken)
    file = Artifact(
        id=call.repo.store.next_id(ARTIFACT.name), module_id=module.id, filename=filename, blob=blob.name,
        size_bytes=blob.size_bytes, sha1=blob.sha1, md5=blob.md5, sha256=blob.sha256,
        created_by=call.user, created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    call.repo.store.put(ARTIFACT, call.tenant, file)
    software.save_module(call, module)
    return Reply(201, artifact_document(call, file), changed=f"artifact {file.id} uploaded")


def _wrong_checksum(name: str, java_name: str, given: str, calculated: str) -> HawkbitError:
    message = f"The given {name} hash {given} does not match the calculated {name} hash {calculated}"
    java_class = f"{REPOSITORY}Invalid{java_name}HashException"
    return HawkbitError(400, f"artifact.uploadFailed.checksum.{name}.match", java_class, message)


def _readable(count_bytes: int) -> str:
    """As the server writes sizes: whole KB, or MB from 1 MB on."""
    return f"{count_bytes // MIB} MB" if count_bytes >= MIB else f"{count_bytes // 1024} KB"


def _need(call: Call, module_id: int, artifact_id: int) -> tuple[SoftwareModule, Artifact]:
    """Raises 404, also for an artifact of another module."""
    module = software.need_module(call, module_id)
    file = call.repo.store.get(ARTIFACT, call.tenant, artifact_id)
    if file is None or file.module_id != module_id:
        raise not_found("Artifact", artifact_id)
    return module, file
