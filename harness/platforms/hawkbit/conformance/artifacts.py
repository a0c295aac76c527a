"""Files: whole, in parts, their sums, and who may have them (docs/contracts/hawkbit.md §2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_headers,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment import expect_artifact, hashes_of
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, deployed, let_in, unassigned
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "artifacts")

PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "bytes=0-9": (0, 9), "bytes=5-": (5, 13), "bytes=-5": (9, 13), "bytes=0-99": (0, 13), "bytes=0-0": (0, 0),
}  # fmt: skip
"""Range -> first and last byte of what comes, for a file of 14 bytes."""
NO_PARTS: Final = ("bytes=999999-", "bytes=14-", "bytes=9-5", "bytes=x", "items=0-1")
TOO_LONG: Final = "bytes=-99"
OVERLAPPING: Final = "bytes=0-4,2-6"
BOUNDARY: Final = "THIS_STRING_SEPARATES_MULTIPART"


def etag_of(one: Deployment) -> str:
    return one.client.generation.etag_of_file.format(sha1=hashes_of(one.update.content)["sha1"])


def file_headers(one: Deployment) -> dict[str, str | None]:
    """What every answer with the file, or a part of it, carries."""
    return {
        "ETag": etag_of(one),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment;filename={one.update.filename}",
        "X-Content-Type-Options": "nosniff",
    }


def expect_file(one: Deployment, answer: Answer, body: bytes) -> None:
    """The whole file (or, for HEAD, its headers)."""
    expect(f"status of {answer.request}", 200, answer.status)
    expect("body", body, answer.body)
    expect_type(answer, "application/octet-stream")
    size = len(one.update.content)
    whole = f"bytes 0-{size - 1}/{size}" if one.client.generation.whole_file_has_range else None
    expect_headers(answer, {**file_headers(one), "Content-Length": str(size), "Content-Range": whole})
    modified = answer.header("Last-Modified")
    expect_that(modified is not None and is_date(modified), "Last-Modified is an HTTP date", modified)


def is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True


def expect_part(one: Deployment, wanted: str, first: int, last: int, **headers: str) -> None:
    """Exactly these bytes for this Range, which may be all there are."""
    answer, content = one.file(Range=wanted, **headers), one.update.content
    if last - first + 1 == len(content) and one.client.generation.whole_file_has_range:
        expect_file(one, answer, content)
        return
    expect(f"status for Range {wanted}", 206, answer.status)
    expect(f"body for Range {wanted}", content[first : last + 1], answer.body)
    expect_type(answer, "application/octet-stream")
    expected = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "Content-Length": str(last - first + 1)}
    expect_headers(answer, {**file_headers(one), **expected})


def downloads(one: Deployment) -> list[str]:
    """Messages of the download entries in the history."""
    return [line["messages"][0] for line in one.history() if line["type"] == "download"]


@ROWS.row("S114", "ranges", "A file comes whole or in the asked part; what cannot be had is refused")
def ranges(client: RowClient) -> None:
    one = deployed(client)
    expect_file(one, one.file(), one.update.content)
    for text, (first, last) in PARTS.items():
        expect_part(one, text, first, last)
    for text in NO_PARTS:
        expect_no_part(one, text)
    generation = client.generation
    if generation.long_suffix_status == 416:
        expect_no_part(one, TOO_LONG)
    else:
        expect_bare(one.file(Range=TOO_LONG), generation.long_suffix_status)
    if generation.ranges_are_sorted:
        expect_no_part(one, OVERLAPPING)
        expect_several(one, "bytes=4-5,0-1", ((0, 1), (4, 5)))
    else:
        expect_several(one, OVERLAPPING, ((0, 4), (2, 6)))
        expect_several(one, "bytes=4-5,0-1", ((4, 5), (0, 1)))
    expect_file(one, one.file(Range="bytes=0-3", If_Range='"nope"'), one.update.content)
    expect_part(one, "bytes=0-3", 0, 3, If_Range=etag_of(one))
    expect("number of download entries (the whole file, once)", 1, len(downloads(one)))


def expect_no_part(one: Deployment, wanted: str) -> None:
    """A 416 that tells how long the file is."""
    answer = one.file(Range=wanted)
    expect(f"status for Range {wanted}", 416, answer.status)
    expect(f"body for Range {wanted}", "", answer.text)
    expect(f"Content-Range for Range {wanted}", f"bytes */{len(one.update.content)}", answer.header("Content-Range"))


def expect_several(one: Deployment, wanted: str, ranges: Sequence[tuple[int, int]]) -> None:
    """Several ranges in one answer, in this order."""
    content, total = one.update.content, len(one.update.content)
    answer = one.file(Range=wanted)
    expect("status of two ranges", 206, answer.status)
    expect("Content-Type", f"multipart/byteranges; boundary={BOUNDARY}", answer.header("Content-Type"))
    told = one.client.generation.part_headers
    parts = [
        f"--{BOUNDARY}\r\n{told.format(range=f'bytes {first}-{last}/{total}')}{content[first : last + 1].decode()}\r\n"
        for first, last in ranges
    ]
    expect("body of two ranges", f"{''.join(parts)}--{BOUNDARY}--", answer.text.strip())


@ROWS.row("S115", "head", "HEAD gives length and headers of a file, no body, and counts as a download")
def head(client: RowClient) -> None:
    one = deployed(client)
    expect_file(one, one.file(method="HEAD"), b"")
    expect("number of download entries", 1, len(downloads(one)))
    expect_that(one.update.filename in downloads(one)[0], "the entry names the file", downloads(one))


@ROWS.row("S116", "md5sum", "The MD5SUM file is md5, two blanks and the name")
def md5sum(client: RowClient) -> None:
    one = deployed(client)
    answer = one.file(f"{one.update.filename}.MD5SUM")
    expect("status of MD5SUM", 200, answer.status)
    expect("body of MD5SUM", f"{hashes_of(one.update.content)['md5']}  {one.update.filename}", answer.text)
    expect_type(answer, "text/plain")
    expect_headers(answer, {"Content-Disposition": f"attachment;filename={one.update.filename}.MD5SUM"})


@ROWS.row("S117", "not-assigned", "Files are only for targets that are to install them")
def not_assigned(client: RowClient) -> None:
    update, target = unassigned(client)
    one = Deployment(client, update, target, 0)
    refuse(one, one.file())
    one = Deployment(client, update, target, client.assign(update, target))
    expect_bare(one.file("nope.bin"), 404)
    expect_file(one, one.file(), update.content)
    expect_listed(one)
    one.reported("closed", "success")
    refuse(one, one.file())
    expect_listed(one)


def refuse(one: Deployment, answer: Answer) -> None:
    module, target = one.update.module_id, one.target.controller_id
    message = f"No assignment found for SoftwareModule with id {{{module}}} to Target with id {{{target}}}."
    expect_error(answer, 404, "repo.entityNotFound", message=message)


def expect_listed(one: Deployment) -> None:
    """A bare array of the module's files."""
    listed = expect_document(one.device("GET", f"/softwaremodules/{one.update.module_id}/artifacts"))
    expect("number of listed files", 1, len(listed))
    expect_artifact(listed[0], one.update)


@ROWS.row("S118", "if-match", "If-Match is compared with the bare sha1: the quoted form fails")
def if_match(client: RowClient) -> None:
    one = deployed(client)
    sha1 = hashes_of(one.update.content)["sha1"]
    for wrong in ("x", f'"{sha1}"'):
        expect_bare(one.file(If_Match=wrong), 412)
    for right in (sha1, "*"):
        expect_file(one, one.file(If_Match=right), one.update.content)
    expect_file(one, one.file(If_None_Match=f'"{sha1}"'), one.update.content)


@ROWS.row("S140", "whose", "A file is for its own target and the gateway; not for other targets, not for nobody")
def whose(client: RowClient) -> None:
    gateway = client.settings.switch_gateway_on()
    one = deployed(client)
    path = f"/softwaremodules/{one.update.module_id}/artifacts/{one.update.filename}"
    stranger = client.target()
    refuse(
        Deployment(client, one.update, stranger, 0), client.ddi("GET", stranger.controller_id, path, auth=tt(stranger))
    )
    expect_file(one, let_in(client, one.target.controller_id, gateway, path), one.update.content)
    answer = expect_bare(client.ddi("GET", one.target.controller_id, path), 401)
    expect("WWW-Authenticate", None, answer.header("WWW-Authenticate"))
