"""Lines out of bytes: the same lines however they were cut on their way, and without what only a terminal sees."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.hil.consoles import console_text
from fleetrig.hil.consoles.console_text import LINE_LIMIT_BYTES, LineSplitter

PIECES = st.sampled_from(
    [
        b"\r", b"\n", b"\r\n", b"\n\r", b"a", b"=> ", b"\x1b[31m", b"\x1b[?2004h", b"\x1b]0;t\x07", b"\x1b(B", b"\x1b",
        b"\xff", "ü".encode(), b"\x00", b"\x07", b"word", b"\x1bP1$r\x1b\\", b"\x0e",
    ]
)  # fmt: skip


def read(*pieces: bytes) -> tuple[list[str], str]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)], splitter.rest


@given(st.lists(PIECES, max_size=30).map(b"".join), st.data())
@settings(deadline=None)
def test_any_chunking_gives_the_same_lines(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    edges = [0, *cuts, len(stream)]
    assert read(*(stream[a:b] for a, b in pairwise(edges))) == read(stream)


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_byte_by_byte_is_like_at_once(stream: bytes) -> None:
    assert read(*(bytes([byte]) for byte in stream)) == read(stream)


@given(size=st.integers(0, 50), step=st.integers(1, 20), end=st.sampled_from([b"", b"\n", b"\r\n", b"\rx"]))
@settings(deadline=None)
def test_a_line_without_end_is_cut_at_the_same_places(size: int, step: int, end: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console_text, "LINE_LIMIT_BYTES", 8)
        stream = b"x" * size + end
        assert read(*(stream[at : at + step] for at in range(0, len(stream), step))) == read(stream)


def test_noise_without_end_is_bounded() -> None:
    lines, rest = read(b"z" * (LINE_LIMIT_BYTES * 2 + 5))
    assert [len(line) for line in lines] == [LINE_LIMIT_BYTES] * 2
    assert rest == "zzzzz"


@pytest.mark.parametrize(
    ("stream", "lines", "rest"),
    [
        pytest.param(b"a\nb\n", ["a", "b"], "", id="LF"),
        pytest.param(b"a\r\nb\r\n", ["a", "b"], "", id="CR LF"),
        pytest.param(b"a\r\r\nb", ["a"], "b", id="CR CR LF, as a tty in front of a tty makes it"),
        pytest.param(b"a\n\rb\n\r", ["a", "b"], "", id="LF CR"),
        pytest.param(b"a\n\r\n\r", ["a", ""], "", id="an empty line, LF CR"),
        pytest.param(b"a\r\n\r\nb", ["a", ""], "b", id="an empty line, CR LF"),
        pytest.param(b"10%\r20%\r", ["10%"], "20%", id="progress"),
        pytest.param(b"\r=> ", [], "=> ", id="the cursor put back before a prompt"),
        pytest.param(b"\x1b[1;32mroot@gw\x1b[0m:~# ", [], "root@gw:~# ", id="a coloured prompt"),
        pytest.param(b"\x1b[?2004h$ \x1b[?2004l\r", [], "$ ", id="bracketed paste"),
        pytest.param(b"\x1b]0;title\x07$ ", [], "$ ", id="a window title"),
        pytest.param(b"\x1b(B\x1b[mplain", [], "plain", id="tput sgr0"),
        pytest.param(b"\x1bP+q544e\x1b\\seen", [], "seen", id="a terminal is asked what it can"),
        pytest.param(b"\x1b[6n/ # ", [], "/ # ", id="where is the cursor, busybox"),
        pytest.param(b"\x1b7\x1b[r\x1b8ok\x1bc", [], "ok", id="save, restore, reset"),
        pytest.param(b"half \x1b[3", [], "half ", id="an escape that is not whole yet"),
        pytest.param(b"a\x00b\x0e\x0f\x07\n", ["ab"], "", id="NUL, shift, bell"),
        pytest.param(b"\xff\xfe ok\n", ["\ufffd\ufffd ok"], "", id="no UTF-8"),
        pytest.param("Grüße\n".encode(), ["Grüße"], "", id="UTF-8"),
    ],
)
def test_what_a_console_sends(stream: bytes, lines: list[str], rest: str) -> None:
    assert read(stream) == (lines, rest)


def test_the_next_reader_gets_what_was_read_already() -> None:
    splitter = LineSplitter()
    splitter.feed(b"Ready\r\nC\x15\r")
    assert splitter.take_rest() == b"C\x15\r"
    assert splitter.rest == ""
    assert splitter.feed(b"x\n") == ["x"]
