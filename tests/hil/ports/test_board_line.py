"""A port that was lost is found again by its stable name, whatever device it is now."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from fleetrig.hil.port import PortBusy, PortLost
from fleetrig.hil.ports.board_line import BoardLine
from fleetrig.hil.ports.evidence import PortEvidence
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.hil.lines import PATIENCE_S, FarEnd, WallClock, read_until, until
from tests.peers.programs import need_program


def line_at(url: str, evidence: PortEvidence | None = None, **options: Path) -> tuple[BoardLine, list[TraceEvent]]:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    return BoardLine("gw-1", url, WallClock(), trace, evidence, **options), events  # type: ignore[arg-type]


async def lost(line: BoardLine) -> PortLost:
    with pytest.raises(PortLost) as caught:
        await line.port.read(PATIENCE_S)
    return caught.value


def test_an_adapter_that_comes_back_as_another_device_is_found(tmp_path: Path) -> None:
    """The link by id moves; between unplugging and plugging in there is no such port."""

    async def story() -> list[TraceEvent]:
        first, second = FarEnd(tmp_path / "ttyUSB0"), FarEnd(tmp_path / "ttyUSB1")
        by_id = tmp_path / "usb-FTDI_1234-if00"
        by_id.symlink_to("ttyUSB0")
        evidence = PortEvidence(tmp_path / "serial.jsonl")
        line, events = line_at(str(by_id), evidence, lock_folder=tmp_path / "locks")
        await line.open()
        first.line.say(b"before\n")
        await read_until(line.port, b"\n")
        by_id.unlink()
        first.line.unplug()
        tries: list[BrokenBench] = []

        def plug_in(error: BrokenBench) -> None:
            tries.append(error)
            if len(tries) == 2:
                by_id.symlink_to("ttyUSB1")

        await line.reopen(await lost(line), PATIENCE_S, plug_in)
        second.line.say(b"after\n")
        assert await read_until(line.port, b"\n") == b"after\n"
        assert ["no such port" in str(error) for error in tries] == [True, True]
        await line.close()
        await line.close()
        second.line.unplug()
        evidence.close()
        return events

    events = asyncio.run(story())
    assert [(event.device, event.kind) for event in events] == [
        ("gw-1", "port_opened"),
        ("gw-1", "port_lost"),
        ("gw-1", "port_opened"),
    ]
    written = [json.loads(line) for line in (tmp_path / "serial.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry.get("text") or entry["note"].partition(":")[0] for entry in written] == [
        "port_opened", "before\n", "port_lost", "port_opened", "after\n",
    ]  # fmt: skip


def test_somebody_who_takes_the_port_first_is_waited_for_too(tmp_path: Path) -> None:
    """As programs do that look at every new modem."""

    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        line, _ = line_at(far.url, lock_folder=tmp_path / "locks")
        greedy, _ = line_at(far.url, lock_folder=tmp_path / "locks")
        await line.open()
        far.line.unplug()
        gone = await lost(line)
        await line.close()
        far.line.plug_in()
        await greedy.open()
        tries: list[BrokenBench] = []

        async def give_up() -> None:
            await until(lambda: bool(tries))
            await greedy.close()

        giving_up = asyncio.create_task(give_up())
        await line.reopen(gone, PATIENCE_S, tries.append)
        await giving_up
        assert isinstance(tries[0], PortBusy)
        await line.close()
        far.line.unplug()

    asyncio.run(story())


def test_a_port_that_stays_away_is_told_with_the_last_reason(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        line, events = line_at(far.url)
        await line.open()
        far.line.unplug()
        with pytest.raises(BrokenBench, match=r"gw-1: its port did not come back in 0\.2 s: .*there is no such port"):
            await line.reopen(await lost(line), 0.2)
        assert [event.kind for event in events] == ["port_opened", "port_lost"]
        with pytest.raises(BrokenBench, match="is not open"):
            _ = line.port

    asyncio.run(story())


@pytest.mark.peer
def test_socat_is_killed_and_another_one_takes_its_place(tmp_path: Path) -> None:
    program = need_program("socat", "socat")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen([program, *(f"pty,raw,echo=0,link={end}" for end in (ours, theirs))])

    def both() -> bool:
        return ours.exists() and theirs.exists()

    async def story() -> None:
        line, _ = line_at(str(ours))
        socat = started()
        try:
            await until(both)
            await line.open()
            socat.kill()
            gone = await lost(line)
            socat.wait()
            for end in (ours, theirs):  # killed, it leaves its links behind
                end.unlink()
            socat = started()
            await line.reopen(gone, PATIENCE_S)
            await until(both)
            descriptor = os.open(theirs, os.O_WRONLY | os.O_NOCTTY)
            os.write(descriptor, b"again")
            assert await read_until(line.port, b"again") == b"again"
            os.close(descriptor)
            await line.close()
        finally:
            socat.kill()
            socat.wait()

    asyncio.run(story())
