"""The frames of the bridge: how messages of a board go over a line on which consoles and kernels talk as well. Pure.

docs/bridge.md describes them for authors of boards; this module and that page say the same. A frame is printable text,
so that it passes terminals that are not raw, software flow control and line-wise loggers:

    ~fb1:TOKEN:KIND:ID:PART:PARTS:LENGTH:CRC:DATA~

`fb` goes from the board, `tb` to it: a terminal that echoes cannot make the bench take its own frames for the board's.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FROM_BOARD: Final = b"~fb1:"
TO_BOARD: Final = b"~tb1:"

PART_BYTES: Final = 512
"""So much of a message goes into one frame, a little over 60 ms at 115,200 baud: what a bit error costs."""
MOST_PARTS: Final = 4_096
"""A message has at most 2 MiB: three minutes at 115,200 baud. Larger files are fetched in ranges."""
FRAME_CHARS: Final = 800
"""No frame is longer; whatever has no end by then is no frame."""

FRAME: Final = re.compile(
    rb"([0-9a-f]{16}):([HWQMA]):([0-9]{1,10}):([0-9]{1,4}):([0-9]{1,4}):([0-9]{1,3}):([0-9a-f]{8}):([A-Za-z0-9+/=]*)"
)
END: Final = re.compile(rb"[~\r\n]")


class FrameKind(StrEnum):
    """What a frame is for, as its letter."""

    HELLO = "H"
    """From a board that has started; its token is the board's own random one."""
    WELCOME = "W"
    """To that board: the token is from now on that of both, and the data repeats the board's own."""
    WHO = "Q"
    """To a board whose token nobody knows: say hello."""
    MESSAGE = "M"
    ACK = "A"


@dataclass(frozen=True, slots=True)
class Frame:
    """`part` counts from 0 to `parts` - 1; `message_id` from 1. `token` has sixteen hexadecimal digits."""

    token: str
    kind: FrameKind
    message_id: int = 0
    part: int = 0
    parts: int = 1
    data: bytes = b""


def frame_bytes(mark: bytes, frame: Frame) -> bytes:
    """A frame as it goes over the line, with an end of line that only people and terminals need."""
    data = base64.b64encode(frame.data)
    head = f"{frame.token}:{frame.kind}:{frame.message_id}:{frame.part}:{frame.parts}:{len(frame.data)}:".encode()
    return b"%s%s%08x:%s~\r\n" % (mark, head, zlib.crc32(head + data), data)


def message_frames(token: str, message_id: int, data: bytes) -> Iterator[Frame]:
    """A message in its parts, one at least. Raises ValueError for more than `MOST_PARTS`."""
    parts = max(1, -(-len(data) // PART_BYTES))
    if parts > MOST_PARTS:
        raise ValueError(f"a message has at most {MOST_PARTS * PART_BYTES:,} bytes, and this one {len(data):,}")
    for part in range(parts):
        yield Frame(
            token, FrameKind.MESSAGE, message_id, part, parts, data[part * PART_BYTES : (part + 1) * PART_BYTES]
        )


def read_frame(text: bytes) -> Frame | None:
    """What stands between mark and end; None for what is damaged or was never a frame."""
    found = FRAME.fullmatch(text)
    if found is None:
        return None
    token, kind, message_id, part, parts, length, crc, data = found.groups()
    if zlib.crc32(text[: found.start(7)] + data) != int(crc, 16):
        return None
    try:
        plain = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    is_whole = len(plain) == int(length) <= PART_BYTES and int(part) < int(parts) <= MOST_PARTS
    frame = Frame(token.decode(), FrameKind(kind.decode()), int(message_id), int(part), int(parts), plain)
    return frame if is_whole else None


class FrameReader:
    """Finds frames in what comes over a line, cut anywhere, whatever else is said. Holds at most one frame's bytes."""

    def __init__(self, mark: bytes) -> None:
        self.damaged = 0
        """Frames that began and were none: a bit error, a lost byte, a kernel's message in between."""
        self._mark = mark
        self._held = b""

    @property
    def held_bytes(self) -> int:
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now, in their order."""
        text = self._held + data
        frames: list[Frame] = []
        at = 0
        while (begin := text.find(self._mark, at)) >= 0:
            body = begin + len(self._mark)
            end = END.search(text, body, begin + FRAME_CHARS)
            if end is None and len(text) < begin + FRAME_CHARS:
                self._held = text[begin:]
                return frames
            at = self._take(text, body, end, frames)
        self._held = _may_begin(text[at:], self._mark)
        return frames

    def _take(self, text: bytes, body: int, end: re.Match[bytes] | None, frames: list[Frame]) -> int:
        """Where to go on looking: behind a frame, or at once behind the mark of what is none."""
        frame = None if end is None else read_frame(text[body : end.start()])
        if frame is None or end is None:
            self.damaged += 1
            return body
        frames.append(frame)
        return end.end()


def _may_begin(text: bytes, mark: bytes) -> bytes:
    """The end of `text` that may be the beginning of a mark."""
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return mark[:length]
    return b""


class Assembly:
    """Puts messages together out of parts that may come twice. Holds at most one message.

    Parts come one by one: the next is sent when this one is acknowledged (`ACK` with the same id and part).
    """

    def __init__(self) -> None:
        self._message_id = 0
        """Of the last message that is complete, or the one under way."""
        self._next_part = 0
        self._parts = 0
        self._data = bytearray()

    def is_known(self, frame: Frame) -> bool:
        """It has come before: acknowledge it again, since the acknowledgement was lost."""
        if frame.message_id != self._message_id:
            return frame.message_id < self._message_id
        return frame.part < self._next_part

    def begins_message(self, frame: Frame) -> bool:
        return frame.part == 0 and frame.message_id > self._message_id

    def take(self, frame: Frame) -> bytes | None:
        """The message when this was its last part. A part out of its order changes nothing (`is_next`)."""
        if self.begins_message(frame):
            self._message_id, self._next_part, self._parts = frame.message_id, 0, frame.parts
            self._data.clear()
        self._data += frame.data
        self._next_part += 1
        if self._next_part < self._parts:
            return None
        whole = bytes(self._data)
        self._data.clear()
        return whole

    def is_next(self, frame: Frame) -> bool:
        if self.begins_message(frame):
            return self._next_part == self._parts
        return (frame.message_id, frame.part, frame.parts) == (self._message_id, self._next_part, self._parts)
