"""Ranges, If-Range and If-Match as recorded in S114 and S118."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.request.byte_ranges import (
    ByteRange,
    Unsatisfiable,
    matches,
    multipart_body,
    parse_ranges,
    wants_whole,
)
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import FileSlice

FILE = b"hello fleetrig"
SHA1 = "0e88f8037400be204b7c58a5857216c4dff462bf"
ETAG = f'"{SHA1}"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", [(0, 9)]),
        ("bytes=5-", [(5, 13)]),
        ("bytes=-5", [(9, 13)]),
        ("bytes=-14", [(0, 13)]),
        ("bytes=0-99", [(0, 13)]),
        ("bytes=0-0", [(0, 0)]),
        ("bytes=13-13", [(13, 13)]),
        ("bytes=4-5,0-1", [(0, 1), (4, 5)]),
        ("bytes=0-3,4-", [(0, 3), (4, 13)]),
    ],
)
def test_ranges(header, expected):
    assert parse_ranges(header, len(FILE)) == tuple(ByteRange(first, last) for first, last in expected)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=999999-", "bytes=14-", "bytes=9-5", "bytes=x", "bytes=-99", "bytes=-15", "bytes=-0", "bytes=-", "bytes=",
        "items=0-1", "bytes=0-4,4-5", "bytes=0-4,-14", "bytes=0-1,", "bytes=0-1, 4-5", "bytes 0-1", "", "Bytes=0-1",
        "bytes=0-99999999999999999999", "bytes=\u0660-\u0661",
    ],
)  # fmt: skip
def test_unsatisfiable(header):
    with pytest.raises(Unsatisfiable):
        parse_ranges(header, len(FILE))


def test_multipart_body_is_the_recorded_one():
    body = multipart_body(parse_ranges("bytes=0-1,4-5", len(FILE)), len(FILE), lambda at, n: FILE[at : at + n])
    assert body_bytes(body) == (
        b"--THIS_STRING_SEPARATES_MULTIPART\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Range: bytes 0-1/14\r\n\r\nhe\r\n"
        b"--THIS_STRING_SEPARATES_MULTIPART\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Range: bytes 4-5/14\r\n\r\no \r\n--THIS_STRING_SEPARATES_MULTIPART--"
    )


def test_multipart_body_of_a_file_copies_nothing(tmp_path):
    file = tmp_path / "blob"
    file.write_bytes(FILE)
    body = multipart_body(parse_ranges("bytes=0-4,-8", len(FILE)), len(FILE), lambda at, n: FileSlice(str(file), at, n))
    assert isinstance(body, tuple)
    assert [part for part in body if isinstance(part, FileSlice)] == [
        FileSlice(str(file), 0, 5),
        FileSlice(str(file), 6, 8),
    ]
    assert b"hello\r\n" in body_bytes(body)
    assert b"fleetrig\r\n" in body_bytes(body)


UPLOADED_MS = 1_767_225_600_250  # 2026-01-01T00:00:00.250Z


@pytest.mark.parametrize(
    ("header", "whole"),
    [
        (None, False),
        (ETAG, False),
        ('"nope"', True),
        (SHA1, True),
        ("Thu, 01 Jan 2026 00:00:01 GMT", False),
        ("Wed, 31 Dec 2025 23:59:59 GMT", True),
        ("Thu, 01 Jan 2026 00:00:00 GMT", True),  # whole seconds against milliseconds
        ("yesterday", True),
    ],
)
def test_if_range(header, whole):
    assert wants_whole(header, ETAG, UPLOADED_MS) is whole


@pytest.mark.parametrize(
    ("header", "ok"), [(None, True), ("*", True), (SHA1, True), (f"x, {SHA1}", True), ("x", False), (ETAG, False)]
)
def test_if_match(header, ok):
    assert matches(header, SHA1) is ok
