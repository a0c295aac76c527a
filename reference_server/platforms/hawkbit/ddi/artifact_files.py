"""Sending a stored artifact, whole or in parts: the same for devices and operators (§2.8)."""

from __future__ import annotations

from email.utils import formatdate
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.request import byte_ranges
from fleetrig.reference_server.platforms.hawkbit.request.byte_ranges import Unsatisfiable
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Artifact
from fleetrig.reference_server.platforms.hawkbit.state.errors import ARTIFACT_EXCEPTIONS, HawkbitError, bare
from fleetrig.reference_server.stores.interface import BlobGone
from fleetrig.simulator.contract.http import Body, Headers

SPECIAL: Final = frozenset('()<>@,;:\\"/[]?=')
GREATEST_NAME_CHARS: Final = 78


def check_if_match(call: Call, file: Artifact) -> None:
    """Raises 412 when the client wants another file."""
    if not byte_ranges.matches(call.headers.get("if-match"), file.sha1):
        raise bare(412, f"If-Match does not name {file.sha1} (the bare sha1, without quotes)")


def send(call: Call, file: Artifact) -> Reply:
    """200, 206 or 416. `Range` counts for GET only."""
    traits = call.traits
    etag = file.sha1 if traits.files_tell_bare_sha1 else f'"{file.sha1}"'
    headers: Headers = (
        ("Content-Disposition", f"attachment;filename={_shown_name(call, file.filename)}"),
        ("Last-Modified", formatdate(file.created_at_ms // 1000, usegmt=True)),
        ("ETag", etag),
        ("Accept-Ranges", "bytes"),
    )
    wanted = call.headers.get("range") if call.request.method == "GET" or traits.whole_files_are_ranges else None
    if wanted is None or byte_ranges.wants_whole(call.headers.get("if-range"), etag, file.created_at_ms):
        return _whole(call, file, headers)
    try:
        ranges = byte_ranges.parse_ranges(wanted, file.size_bytes, in_order=not traits.whole_files_are_ranges)
    except Unsatisfiable as why:
        content = (("Content-Range", f"bytes */{file.size_bytes}"), ("Content-Type", byte_ranges.OCTETS))
        raise bare(416, f"Range {wanted[:100]!r}: {why}", headers + content) from None
    except ValueError as why:
        raise bare(500, f"Range {wanted[:100]!r}: {why}") from None
    if traits.whole_files_are_ranges and ranges[0].length_bytes == file.size_bytes:
        return _whole(call, file, headers)
    if len(ranges) > 1:
        write = byte_ranges.bare_multipart_body if traits.whole_files_are_ranges else byte_ranges.multipart_body
        body = write(ranges, file.size_bytes, lambda at, n: _read(call, file, at, n))
        return _reply(206, headers, byte_ranges.MULTIPART_TYPE, body)
    headers += (("Content-Range", ranges[0].content_range(file.size_bytes)),)
    part = _read(call, file, ranges[0].first, ranges[0].length_bytes)
    return _reply(206, headers, byte_ranges.OCTETS, part)


def _whole(call: Call, file: Artifact, headers: Headers) -> Reply:
    if call.traits.whole_files_are_ranges:
        headers += (("Content-Range", f"bytes 0-{file.size_bytes - 1}/{file.size_bytes}"),)
    return _reply(200, headers, byte_ranges.OCTETS, _read(call, file, 0, file.size_bytes))


def _shown_name(call: Call, filename: str) -> str:
    return filename if call.traits.file_names_are_bare else shown_name(filename)


def shown_name(filename: str) -> str:
    """A file name for `Content-Disposition`: cut at 78 characters, quoted if it has special ones."""
    name = filename[:GREATEST_NAME_CHARS]
    if SPECIAL.isdisjoint(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _reply(status: int, headers: Headers, content_type: str, body: Body) -> Reply:
    return Reply(status, raw=body, headers=(*headers, ("Content-Type", content_type)))


def _read(call: Call, file: Artifact, offset_bytes: int, length_bytes: int) -> Body:
    """Raises 500 as the real server does when its file is gone (ArtifactBinaryNotFoundException, with the sha1)."""
    try:
        return call.repo.blobs.body(file.blob, offset_bytes, length_bytes)
    except BlobGone as gone:
        java_class = ARTIFACT_EXCEPTIONS + "ArtifactBinaryNotFoundException"
        raise HawkbitError(500, "artifact.loadFailed", java_class, file.sha1, reason=str(gone)) from gone
