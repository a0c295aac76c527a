"""Envelopes: links are split without being changed, headers found as HTTP compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.simulator.contract.bodies import BLOCK_BYTES, body_blocks, body_bytes
from fleetrig.simulator.contract.http import (
    Body,
    FileSlice,
    HttpRequest,
    HttpResponse,
    body_length,
    find_header,
    split_url,
)


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://host/a?b", "http://host", "/a?b"),
        ("http://host:8080", "http://host:8080", "/"),
        ("https://host?c=-1", "https://host", "/?c=-1"),
        ("http://host/", "http://host", "/"),
        ("http://[::1]:80/x", "http://[::1]:80", "/x"),
        ("http://h/a//b/../c/./%2e%2E/%zz/%41?x=%20+?&/#top", "http://h", "/a//b/../c/./%2e%2E/%zz/%41?x=%20+?&/"),
        ("http://h#/a", "http://h", "/"),
        ("HTTP://Host/A", "http://Host", "/A"),
        ("http://user:pw@h/a", "http://user:pw@h", "/a"),
    ],
)
def test_a_url_is_split_and_nothing_else(url: str, origin: str, target: str) -> None:
    assert split_url(url) == (origin, target)
    assert HttpRequest("GET", origin, target).url == origin + target


@pytest.mark.parametrize(
    "url", ["", "/a", "host/a", "ftp://h/", "http://", "http:///a", "http://?a", "://h/", "http:/h"]
)
def test_what_is_no_absolute_url(url: str) -> None:
    with pytest.raises(ValueError, match="expected an absolute http"):
        split_url(url)


def test_path_and_query_are_raw() -> None:
    request = HttpRequest("GET", "http://h", "/a%2Fb?c=-1&d=?")
    assert (request.path, request.query) == ("/a%2Fb", "c=-1&d=?")
    assert (HttpRequest("GET", "http://h", "/a").query, HttpRequest("GET", "http://h", "/a?").query) == ("", "")


def test_the_first_header_counts_in_any_case() -> None:
    headers = (("retry-AFTER", "1"), ("Retry-After", "2"))
    assert find_header(headers, "Retry-After") == "1"
    assert HttpResponse(503, headers).header("RETRY-AFTER") == "1"
    assert find_header(headers, "Retry") is None


def test_bodies_of_every_form(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(bytes(range(256)) * 1_000)
    part = FileSlice(str(path), 250, 2 * BLOCK_BYTES + 1)
    bodies: list[tuple[Body, bytes]] = [
        (b"", b""),
        (b"abc", b"abc"),
        (part, path.read_bytes()[250 : 250 + 2 * BLOCK_BYTES + 1]),
        ((b"--\r\n", FileSlice(str(path), 0, 3), b"", b"--"), b"--\r\n\x00\x01\x02--"),
    ]
    for body, expected in bodies:
        assert body_length(body) == len(expected)
        assert body_bytes(body) == expected
        assert all(0 < len(block) <= BLOCK_BYTES for block in body_blocks(body))


def test_a_file_that_shrank_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"short")
    assert body_bytes(FileSlice(str(path), 1, 100)) == b"hort"
