"""The bridge's frames: found in any stream, cut anywhere, and never made of damaged bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fleetrig.hil.bridge.bridge_frames import (
    FRAME_CHARS,
    FROM_BOARD,
    MOST_PARTS,
    PART_BYTES,
    TO_BOARD,
    Assembly,
    Frame,
    FrameKind,
    FrameReader,
    frame_bytes,
    message_frames,
)

TOKEN = "0123456789abcdef"
CONSOLE = b"[   12.3] usb 1-1: reset ~ high-speed\r\n=> "

frames = some.builds(
    Frame,
    some.text("0123456789abcdef", min_size=16, max_size=16),
    some.sampled_from(FrameKind),
    some.integers(0, 9_999_999_999),
    some.just(0),
    some.integers(1, MOST_PARTS),
    some.binary(max_size=PART_BYTES),
)


def test_a_frame_on_the_line_is_the_one_of_the_documentation() -> None:
    frame = Frame(TOKEN, FrameKind.MESSAGE, 7, 0, 1, b"hi")
    page = Path(__file__).parents[3] / "docs" / "bridge.md"
    assert FrameReader(FROM_BOARD).feed(page.read_bytes()) == [frame]
    assert frame_bytes(FROM_BOARD, frame) == b"~fb1:0123456789abcdef:M:7:0:1:2:4639de17:aGk=~\r\n"


@given(some.lists(some.tuples(some.binary(max_size=40), frames), max_size=6), some.data())
def test_frames_are_found_however_the_stream_is_cut(said: list[tuple[bytes, Frame]], data: some.DataObject) -> None:
    text = b"".join(console.replace(b"~", b"") + frame_bytes(FROM_BOARD, frame) for console, frame in said)
    cuts = sorted(data.draw(some.lists(some.integers(0, len(text)), max_size=8)))
    reader = FrameReader(FROM_BOARD)
    found = [
        frame
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)
        for frame in reader.feed(text[begin:end])
    ]
    assert found == [frame for _, frame in said]
    assert reader.damaged == 0


@given(frames, some.data())
def test_a_changed_byte_never_makes_another_frame(frame: Frame, data: some.DataObject) -> None:
    text = bytearray(frame_bytes(FROM_BOARD, frame)[:-2])
    text[data.draw(some.integers(0, len(text) - 1))] ^= 1 << data.draw(some.integers(0, 7))
    assert FrameReader(FROM_BOARD).feed(bytes(text) + b"\r\n") in ([], [frame])


@given(frames, some.data())
def test_a_lost_byte_costs_one_frame_and_the_next_is_found(frame: Frame, data: some.DataObject) -> None:
    text = frame_bytes(FROM_BOARD, frame)
    lost_at = data.draw(some.integers(0, len(text) - 3))
    follows = Frame(TOKEN, FrameKind.ACK, 3)
    found = FrameReader(FROM_BOARD).feed(text[:lost_at] + text[lost_at + 1 :] + frame_bytes(FROM_BOARD, follows))
    assert found in ([follows], [frame, follows])


def test_a_kernel_that_speaks_inside_a_frame_costs_that_frame_only() -> None:
    text = frame_bytes(FROM_BOARD, Frame(TOKEN, FrameKind.MESSAGE, 1, data=b"first"))
    again = Frame(TOKEN, FrameKind.MESSAGE, 1, data=b"first")
    reader = FrameReader(FROM_BOARD)
    assert reader.feed(text[:30] + CONSOLE + text[30:] + frame_bytes(FROM_BOARD, again)) == [again]
    assert reader.damaged == 1


def test_an_echoing_terminal_cannot_speak_for_the_board() -> None:
    assert FrameReader(FROM_BOARD).feed(frame_bytes(TO_BOARD, Frame(TOKEN, FrameKind.ACK, 1))) == []


@pytest.mark.parametrize(
    "garbage", [b"x", b"~", b"~fb1:", b"~fb1:0123456789abcdef:M:7:0:1:2:", bytes(range(256))], ids=range(5)
)
def test_endless_garbage_fills_no_memory(garbage: bytes) -> None:
    reader = FrameReader(FROM_BOARD)
    assert [frame for _ in range(2_000) for frame in reader.feed(garbage)] == []
    assert reader.held_bytes <= FRAME_CHARS
    wanted = Frame(TOKEN, FrameKind.ACK, 1)
    assert reader.feed(b"\r\n" + frame_bytes(FROM_BOARD, wanted)) == [wanted]


@settings(max_examples=50)
@given(some.binary(max_size=4 * PART_BYTES), some.data())
def test_messages_survive_parts_that_come_twice(message: bytes, data: some.DataObject) -> None:
    assembly, whole = Assembly(), []
    for message_id in (1, 2):
        for frame in message_frames(TOKEN, message_id, message):
            for _ in range(data.draw(some.integers(1, 3))):
                assert assembly.is_known(frame) != assembly.is_next(frame)
                if assembly.is_next(frame) and (came := assembly.take(frame)) is not None:
                    whole.append(came)
    assert whole == [message, message]


def test_a_part_that_skips_one_is_neither_next_nor_known() -> None:
    first, _, third = message_frames(TOKEN, 1, bytes(3 * PART_BYTES))
    assembly = Assembly()
    assembly.take(first)
    assert not assembly.is_next(third)
    assert not assembly.is_known(third)


def test_a_message_that_is_too_large_is_refused_with_the_bound() -> None:
    with pytest.raises(ValueError, match="at most 2,097,152 bytes, and this one 2,097,153"):
        next(message_frames(TOKEN, 1, bytes(MOST_PARTS * PART_BYTES + 1)))
