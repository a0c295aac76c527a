"""Chunks, cut anywhere, are the same body."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.fronts.http.body_framing import BrokenFraming, ChunkedFraming, LengthFraming

REPEATED = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def fed(data: bytes, cuts: list[int]) -> tuple[bytes, bytes, bool]:
    """(body, what is left, whether it was whole) of data that comes in pieces."""
    framing, body, waiting = ChunkedFraming(), b"", b""
    at = 0
    for cut in [*sorted(cuts), len(data)]:
        waiting += data[at:cut]
        at = max(at, cut)
        part, used = framing.take(waiting)
        body += part
        waiting = waiting[used:]
    return body, waiting, framing.is_done


@REPEATED
@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=300), st.sampled_from([b"", b";a=b", b';q="x;y"']))),
    st.sampled_from([b"", b"X-Trailer: t\r\n", b"X: t\r\n folded\r\n"]),
    st.lists(st.integers(0, 2000), max_size=20),
)
def test_chunks_cut_anywhere(chunks: list[tuple[bytes, bytes]], trailer: bytes, cuts: list[int]) -> None:
    wire = b"".join(b"%x%s\r\n%s\r\n" % (len(block), extension, block) for block, extension in chunks)
    body, left, is_done = fed(wire + b"0\r\n" + trailer + b"\r\n" + b"GET / HTTP/1.1", cuts)
    assert (body, is_done) == (b"".join(block for block, _ in chunks), True)
    assert left == b"GET / HTTP/1.1"


@REPEATED
@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_what_is_broken_is_broken_however_it_comes(data: bytes, cuts: list[int]) -> None:
    outcomes: list[object] = []
    for where in ([], cuts):
        try:
            outcomes.append(fed(data, where))
        except BrokenFraming:
            outcomes.append(BrokenFraming)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "wire", [b"5\r\nabcde\r\n", b"5\r\nabc", b"5", b"5;x", b"5\r\nabcde\r", b"0\r\n", b"0\r\nX: y\r\n"]
)
def test_an_unfinished_body_is_no_mistake(wire: bytes) -> None:
    assert fed(wire, [])[2] is False


def test_a_length_takes_what_is_its_own() -> None:
    framing = LengthFraming(5)
    assert framing.take(b"abc") == (b"abc", 3)
    assert not framing.is_done
    assert framing.take(b"deGET") == (b"de", 2)
    assert framing.is_done
