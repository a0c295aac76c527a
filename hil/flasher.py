"""Writing an image to a board: what every flasher is given, and what it answers.

The order is the same for all: ask the board who it is, compare, write, verify. Nothing skips the first step silently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from fleetrig.hil.board_failed import BoardFailed


@dataclass(frozen=True, slots=True)
class Image:
    """A file to be written. `sha256` is what was announced for it (hex); it is checked before a board is touched."""

    path: Path
    size_bytes: int
    sha256: str
    crc32: int


class FlashProgress(NamedTuple):
    """How far a flash has come. `repeated` counts blocks that had to be sent again."""

    phase: str
    done_bytes: int
    total_bytes: int
    repeated: int = 0


OnProgress = Callable[[FlashProgress], None]


class BoardState(StrEnum):
    """In what condition a flash leaves the board, also one that failed or was cancelled."""

    UNTOUCHED = "untouched"
    """Nothing was written; what was there before still is."""
    PARTLY_WRITTEN = "partly written"
    WRITTEN_UNVERIFIED = "written, not verified"
    VERIFIED = "written and verified"


class FlashFailed(BoardFailed):
    """The board (or its line) refused, failed or fell silent: a finding about the board, exit code 1.

    The bench's own failures are BrokenBench.
    """

    def __init__(self, reason: str, state: BoardState, advice: str) -> None:
        super().__init__(f"{reason}; the board is {state}: {advice}")
        self.reason = reason
        self.state = state
        self.advice = advice


class WrongBoard(FlashFailed):
    """The board says that it is another one than the bench file has on this port. Nothing was written to it.

    `state` is UNTOUCHED unless the board's answer changed in the middle of a flash.
    """

    def __init__(self, expected: str, got: str, state: BoardState = BoardState.UNTOUCHED) -> None:
        super().__init__(
            f"expected the board to be {expected}, it says that it is {got}",
            state,
            "look which board hangs on this port, or correct `identity` in the bench file",
        )


class Flashed(NamedTuple):
    """What was done: bytes written, blocks repeated, seconds, and how it was verified (`crc32 read back`)."""

    written_bytes: int
    repeated: int
    took_s: float
    verified_by: str


class Flasher(Protocol):
    """Each kind is a module of `hil/flashers`."""

    @property
    def title(self) -> str:
        """`U-Boot, XMODEM-1K to virtio`: for sentences."""

    async def flash(self, image: Image, on_progress: OnProgress) -> Flashed:
        """Asks the board who it is, writes, verifies. Raises FlashFailed (WrongBoard), PortLost, BrokenBench.

        Cancelling leaves the board in a condition that the raised FlashFailed or the flasher's `left_in` names.
        """

    @property
    def left_in(self) -> BoardState:
        """The board's condition as far as this flasher knows it, also after it was cancelled."""
