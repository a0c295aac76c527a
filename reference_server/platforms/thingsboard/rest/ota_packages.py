"""Packages of firmware and software: made, filled, read and deleted by their operator (OtaPackageController)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.multipart import BadMultipart, Upload
from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, denied, invalid, missing, plain
from fleetrig.reference_server.platforms.thingsboard.http.package_files import OCTETS, file_reply
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import entity_id, optional_id
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import as_uuid, member_id
from fleetrig.reference_server.platforms.thingsboard.rest.members import flag, mapping, text, word
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import (
    ChecksumAlgorithm,
    OtaPackage,
    PackageType,
    add_data,
    chunk_of,
    create_package,
    delete_package,
    package_by_id,
    packages_of,
)
from fleetrig.simulator.contract.bodies import body_bytes

FORM: Final = "multipart/form-data"


def save(call: Call) -> Reply:
    """POST /api/otaPackage: what it is; its data comes later, or never when it has a URL (`usesUrl`)."""
    body = call.object
    package_id = member_id(body, "id")
    if package_id is not None:
        return Reply(document=_form(_package_at(call, package_id)))  # nothing of it may change but notes
    kind, url = word(body, "type", PackageType), text(body, "url")
    if flag(body, "usesUrl") and not (url or "").strip():
        raise invalid("Ota package URL should be specified!")
    if kind is None:
        raise invalid("Type should be specified!")
    made = OtaPackage(
        call.registry.new_id(call.now_us),
        call.operator.tenant_id,
        call.now_ms,
        kind,
        text(body, "title") or "",
        text(body, "version") or "",
        profile_id=member_id(body, "deviceProfileId"),
        tag=text(body, "tag"),
        url=url or None,
        additional_info=mapping(body, "additionalInfo"),
    )
    create_package(call.registry, made)
    return Reply(document=_form(made), changed=f"package {made.title} {made.version} created")


def fill(call: Call, package_id: str) -> Reply:
    """POST /api/otaPackage/{id}?checksum=&checksumAlgorithm=: a form whose part `file` is the data."""
    content_type = call.request.header("content-type") or ""
    if not content_type.lower().startswith(FORM):
        message = f"Content-Type '{content_type[:100] or OCTETS}' is not supported"
        raise HttpRefusal(415, message, reason=f"the body is no {FORM}")
    wanted = call.needed("checksumAlgorithm", "String").upper()
    if wanted not in ChecksumAlgorithm.__members__:
        raise invalid(f"No enum constant org.thingsboard.server.common.data.ota.ChecksumAlgorithm.{wanted[:50]}")
    package = _package_at(call, package_id)
    upload, data = _upload(call, content_type)
    described = replace(package, file_name=upload.filename or "", content_type=upload.file_type or OCTETS)
    algorithm = ChecksumAlgorithm[wanted]
    saved = add_data(call.registry, described, data, algorithm, call.query.get("checksum", ""))
    return Reply(document=_form(saved), changed=f"package {saved.title} {saved.version} has data")


def read(call: Call, package_id: str) -> Reply:
    """GET /api/otaPackage/info/{id}."""
    return Reply(document=_form(_package_at(call, package_id)))


def read_all(call: Call) -> Reply:
    """GET /api/otaPackages."""
    packages = packages_of(call.registry, call.operator.tenant_id)
    return Reply(document=page_of(call, map(_form, packages), "title"))


def read_usable(call: Call, profile_id: str, kind: str) -> Reply:
    """GET /api/otaPackages/{deviceProfileId}/{type}: those that devices of the profile can be given."""
    wanted, profile_id = kind, as_uuid(profile_id)
    packages = [
        one
        for one in packages_of(call.registry, call.operator.tenant_id)
        if (one.profile_id, str(one.type)) == (profile_id, wanted) and (one.blob or one.url)
    ]
    return Reply(document=page_of(call, map(_form, packages), "title"))


def download(call: Call, package_id: str) -> Reply:
    """GET /api/otaPackage/{id}/download; 400 without a body where it has a URL."""
    package = _package_at(call, package_id)
    if package.blob is None:
        raise plain(400, reason="the package has no data here")
    return file_reply(package, chunk_of(call.registry, package, 0, 0))


def delete(call: Call, package_id: str) -> Reply:
    """DELETE /api/otaPackage/{id}."""
    package = _package_at(call, package_id)
    delete_package(call.registry, package)
    return Reply(changed=f"package {package.title} {package.version} deleted")


def _upload(call: Call, content_type: str) -> tuple[Upload, bytes]:
    try:
        upload = Upload(call.request.body, content_type, "file")
        data = b"".join(body_bytes(block) if not isinstance(block, bytes) else block for block in upload.file_blocks())
    except BadMultipart as bad:
        raise HttpRefusal(500, "Failed to parse multipart servlet request", reason=str(bad)) from None
    if not upload.has_file:
        raise HttpRefusal(400, "Required part 'file' is not present.", reason="the form has no part called file")
    return upload, data


def _package_at(call: Call, package_id: str) -> OtaPackage:
    package = package_by_id(call.registry, as_uuid(package_id))
    if package is None:
        message = f"Ota package with id [{package_id.lower()}] is not found"
        raise missing(message, reason="there is no such package")
    if package.tenant_id != call.operator.tenant_id:
        raise denied("the package belongs to another tenant")
    return package


def _form(package: OtaPackage) -> dict[str, Any]:
    return {
        "id": entity_id("OTA_PACKAGE", package.id),
        "createdTime": package.created_at_ms,
        "tenantId": entity_id("TENANT", package.tenant_id),
        "deviceProfileId": optional_id("DEVICE_PROFILE", package.profile_id),
        "type": package.type,
        "title": package.title,
        "version": package.version,
        "tag": package.tag,
        "url": package.url,
        "hasData": package.blob is not None or package.url is not None,
        "fileName": package.file_name,
        "contentType": package.content_type,
        "checksumAlgorithm": package.checksum_algorithm,
        "checksum": package.checksum,
        "dataSize": package.size_bytes,
        "externalId": None,
        "name": package.title,
        "additionalInfo": package.additional_info,
    }
