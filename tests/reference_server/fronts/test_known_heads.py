"""A head that came before is what it was, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.fronts.http.known_heads import KNOWN_BYTES, KnownHeads
from fleetrig.reference_server.fronts.http.request_head import Malformed, find_head, parse_head

PLAIN = b"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: TargetToken 12345678\r\n\r\n"
HEADS = [
    PLAIN,
    PLAIN.replace(b"12345678", b"12345679"),
    b"GET /a HTTP/1.1\nHost: h\n\n",
    b"GET /a HTTP/1.1\r\nHost: h\nX: 1\n\n",
    b"GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n  folded\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
    b"GET /a\r\n",
    b"GET /a HTTP/1.1\r\nHost: h\r\nX: " + b"x" * KNOWN_BYTES + b"\r\n\r\n",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("rest", [b"", b"GET /b HTTP/1.1\r\nHost: i\r\n\r\n", b"\r\n\r\n", b"ab", b"\n\n"])
def test_it_reads_what_the_parser_reads_at_first_and_again(head: bytes, rest: bytes) -> None:
    known = KnownHeads()
    for _ in range(3):
        for data in (head, head + rest):
            assert known.read(data) == (parse_head(head), find_head(data))


@pytest.mark.parametrize("head", HEADS)
def test_a_part_of_a_known_head_is_none(head: bytes) -> None:
    known = KnownHeads()
    known.read(head)
    for end in range(len(head) - 2):
        assert known.read(head[:end]) == (None, 0)


def test_what_cannot_be_read_is_refused_each_time() -> None:
    known = KnownHeads()
    known.read(PLAIN)
    for _ in range(2):
        with pytest.raises(Malformed):
            known.read(b"GET /a HTTP/1.1\r\nno header\r\n\r\n")
    assert known.read(PLAIN)[0] == parse_head(PLAIN)


def test_a_known_head_within_another_first_line_is_not_found() -> None:
    """The first line decides where a head ends: after HTTP/0.9 nothing follows."""
    known = KnownHeads()
    known.read(PLAIN)
    assert known.read(b"GET /a\r\n" + PLAIN)[1] == len(b"GET /a\r\n")
