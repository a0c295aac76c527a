"""What ends an XMODEM transfer, as a receiver on a pseudo-terminal has it; real ones judge in `flashers/`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.hil.flashers.xmodem_sending import ACK, CAN, CANCEL, NAK, Sent, send_xmodem
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.drivers.wall_clock import WallClock

DATA = bytes(range(256)) * 16
BLOCK = 1024 + 5


class Receiver:
    """Answers each block with the next of its answers; the last one again and again."""

    def __init__(self, folder: Path, answers: list[bytes]) -> None:
        self.line = PtyLine(folder / "console", self._typed)
        self.heard = b""
        self.is_told = asyncio.Event()
        self._answers = answers
        self._blocks = 0

    def _typed(self, data: bytes) -> None:
        self.heard += data
        if self.heard.endswith(CANCEL):
            self.is_told.set()
        while len(self.heard) - self._blocks * BLOCK >= BLOCK:
            self._say()
            self._blocks += 1
        if self.heard.endswith(b"\x04"):
            self.line.say(ACK)

    def _say(self) -> None:
        answer = self._answers[min(self._blocks, len(self._answers) - 1)]
        self.line.say(answer)


def send(folder: Path, answers: list[bytes], asks: bytes = b"C") -> tuple[Sent, bytes, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []

    async def story() -> tuple[Sent, bytes]:
        receiver = Receiver(folder, answers)
        port = await open_port(str(receiver.line.link), clock=WallClock())
        receiver.line.say(asks)
        try:
            async with asyncio.timeout(60):
                sent = await send_xmodem(
                    port, DATA, answer_within_s=0.5, on_block=lambda done, repeated: told.append((done, repeated))
                )
                if sent.why_not:
                    await receiver.is_told.wait()
            return sent, receiver.heard
        finally:
            await port.close()
            receiver.line.unplug()

    return *asyncio.run(story()), told


def test_refused_blocks_are_sent_again_and_counted(tmp_path):
    sent, heard, told = send(tmp_path, [ACK, NAK, NAK, ACK, NAK, ACK])
    assert sent == Sent(repeated=3)
    assert len(heard) == (4 + 3) * BLOCK + 1
    assert told[-1] == (len(DATA), 3)


def test_a_lonely_c_in_mid_transfer_is_a_refusal(tmp_path):
    """As of U-Boot, whose receiver asks for CRCs all the time."""
    sent, heard, _ = send(tmp_path, [ACK, b"C", ACK])
    assert sent == Sent(repeated=1)
    assert len(heard) == (4 + 1) * BLOCK + 1


def test_what_is_no_answer_is_passed_over(tmp_path):
    sent, heard, _ = send(tmp_path, [b"CC[ 12.3] usb 1-1: new device\r\n" + ACK], asks=b"## Ready\r\nC")
    assert sent == Sent(repeated=0)
    assert len(heard) == 4 * BLOCK + 1


@pytest.mark.parametrize(
    ("answers", "asks", "why_not"),
    [
        pytest.param([ACK, CAN * 2], b"C", "the receiver cancelled the transfer (CAN)", id="cancelled"),
        pytest.param([ACK], b"", "the receiver never asked for the first block (0.5 s)", id="nobody"),
        pytest.param([ACK, b""], b"C", "the receiver fell silent after 3 blocks (1 s)", id="silent"),
        pytest.param([ACK, b"U-Boot 2023.01"], b"C", "the board restarted in mid-transfer", id="restarted"),
        pytest.param([ACK, NAK], b"C", "the receiver did not take a block after 16 tries", id="refused"),
    ],
)
@pytest.mark.slow
def test_why_a_transfer_ends_is_said_and_the_receiver_is_told(
    tmp_path: Path, answers: list[bytes], asks: bytes, why_not: str
) -> None:
    sent, heard, _ = send(tmp_path, answers, asks)
    assert sent.why_not == why_not
    assert heard.endswith(CANCEL)
