"""The record of a port's bytes: whole, in order, masked, bounded, and there after a kill."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetrig.hil.port import PortBytes, Way
from fleetrig.hil.ports.evidence import HELD_LIMIT_BYTES, HELD_S, PortEvidence
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from tests.hil.lines import FarEnd, WallClock, read_until, until


def heard(at_us: int, data: bytes, way: Way = Way.FROM_BOARD) -> PortBytes:
    return PortBytes(at_us, way, data)


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def bytes_of(path: Path, way: Way) -> bytes:
    return b"".join(
        base64.b64decode(entry["base64"]) if "base64" in entry else entry["text"].encode()
        for entry in entries(path)
        if entry.get("way") == way
    )


def on_loop(story: Callable[[], None]) -> None:
    async def run() -> None:
        story()

    asyncio.run(run())


def test_a_line_in_pieces_is_one_entry_with_the_time_of_its_first_byte(tmp_path: Path) -> None:
    def story() -> None:
        evidence = PortEvidence(tmp_path / "serial.jsonl")
        evidence.hear(heard(1, b"U-Bo"))
        evidence.hear(heard(2, b"ot\r\n=> "))
        evidence.hear(heard(3, b"reset\r", Way.TO_BOARD))
        evidence.note(4, "power off")
        evidence.close()
        evidence.close()

    on_loop(story)
    assert entries(tmp_path / "serial.jsonl") == [
        {"at_us": 1, "way": "from_board", "text": "U-Boot\r\n"},
        {"at_us": 2, "way": "from_board", "text": "=> "},
        {"at_us": 3, "way": "to_board", "text": "reset\r"},
        {"at_us": 4, "note": "power off"},
    ]


def test_every_byte_is_kept_text_or_not(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100

    def story() -> None:
        evidence = PortEvidence(tmp_path / "serial.jsonl")
        for at in range(0, len(data), 700):
            evidence.hear(heard(at, data[at : at + 700]))
        evidence.hear(heard(0, b"x" * (3 * HELD_LIMIT_BYTES)))
        evidence.close()

    on_loop(story)
    assert bytes_of(tmp_path / "serial.jsonl", Way.FROM_BOARD) == data + b"x" * (3 * HELD_LIMIT_BYTES)


def test_a_secret_is_masked_however_it_was_cut(tmp_path: Path) -> None:
    def story() -> None:
        secrets = Secrets()
        secrets.learn("token", "s3cr3t-t0ken-0001")
        evidence = PortEvidence(tmp_path / "serial.jsonl", secrets.hide)
        for piece in (b"setenv token s3cr3t", b"-t0ken", b"-0001\r\n", b"\xff s3cr3t-t0ken-0001\n"):
            evidence.hear(heard(1, piece, Way.TO_BOARD))
            evidence.hear(heard(1, piece))
        evidence.close()

    on_loop(story)
    written = (tmp_path / "serial.jsonl").read_text(encoding="utf-8")
    assert written.count("setenv token token:") == 2
    assert "t0ken" not in written
    assert bytes_of(tmp_path / "serial.jsonl", Way.FROM_BOARD).splitlines()[1].startswith(b"\xff token:")


def test_what_has_no_end_is_written_after_a_while_and_no_close_is_needed(tmp_path: Path) -> None:
    async def story() -> None:
        evidence = PortEvidence(tmp_path / "serial.jsonl")
        evidence.hear(heard(1, b"whole\n=> "))
        assert bytes_of(evidence.path, Way.FROM_BOARD) == b"whole\n"
        await until(lambda: bytes_of(evidence.path, Way.FROM_BOARD) == b"whole\n=> ")

    asyncio.run(story())


def test_the_record_is_bounded_and_says_what_is_gone(tmp_path: Path) -> None:
    def story() -> None:
        evidence = PortEvidence(tmp_path / "serial.jsonl", part_limit_bytes=1_000)
        for at_us in range(100):
            evidence.hear(heard(at_us, b"a line of the console\n"))
        evidence.close()

    on_loop(story)
    parts = [tmp_path / "serial.jsonl.1", tmp_path / "serial.jsonl"]
    assert all(part.stat().st_size <= 1_100 for part in parts)
    assert entries(parts[1])[0]["note"].endswith("bytes of this record are gone: it is bounded")
    kept = [entry["at_us"] for part in parts for entry in entries(part) if "way" in entry]
    assert kept == list(range(kept[0], 100))


def test_a_port_is_recorded_from_the_moment_it_is_attached(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        evidence = PortEvidence(tmp_path / "serial.jsonl")
        port = await open_port(far.url, clock=WallClock())
        stop = evidence.attach(port)
        await port.write(b"version\n")
        await far.until_typed(b"version\n")
        far.line.say(b"2023.01\n")
        await read_until(port, b"\n")
        stop()
        await port.close()
        far.line.unplug()
        evidence.close()

    asyncio.run(story())
    assert [(entry["way"], entry["text"]) for entry in entries(tmp_path / "serial.jsonl")] == [
        ("to_board", "version\n"),
        ("from_board", "2023.01\n"),
    ]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    on_loop(PortEvidence(tmp_path / "serial.jsonl").close)
    assert (tmp_path / "serial.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BrokenBench, match=r"nowhere/serial\.jsonl: No such file or directory"):
        PortEvidence(tmp_path / "nowhere" / "serial.jsonl")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_a_full_disk_is_kept_as_the_benchs_failure() -> None:
    evidence = PortEvidence(Path("/dev/full"))
    on_loop(lambda: evidence.hear(heard(1, b"line\n")))
    assert "make room on that disk" in str(evidence.failed)


class SteppedLoop(asyncio.SelectorEventLoop):
    """Its time goes on when it is told to."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s

    async def step(self, by_s: float) -> None:
        self.now_s += by_s
        for _ in range(3):
            await asyncio.sleep(0)


def test_a_secret_that_is_typed_slowly_is_masked_as_a_whole(tmp_path: Path) -> None:
    """A console with `pause` takes seconds for a line, and the board echoes it as slowly."""
    secrets, path, token = Secrets(), tmp_path / "serial.jsonl", "0123456789abcdef0123456789abcdef"
    secrets.learn("token", token)
    loop = SteppedLoop()

    async def story() -> None:
        evidence = PortEvidence(path, secrets.hide)
        for at in range(0, len(token), 4):
            for way in (Way.TO_BOARD, Way.FROM_BOARD):
                evidence.hear(heard(at, token[at : at + 4].encode(), way))
            await loop.step(0.9 * HELD_S)
        assert entries(path) == []
        await loop.step(HELD_S)
        assert [entry["text"] for entry in entries(path)] == [secrets.hide(token)] * 2
        evidence.close()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story())
