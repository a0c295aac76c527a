"""Boards of a bench file by their ports: without power that can be switched, busy, missing, lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.fakes.fake_gateway import FIRMWARE_BLOCK, FakeGateway, fake_gateway
from fleetrig.hil.fakes.fake_uboot import BLOCK_BYTES
from fleetrig.simulator.contract.trace import TraceEvent, TraceListener
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.harness.runs import expanded

pytestmark = pytest.mark.slow

HEAD = """
    scenario: It works
    boards: {gateway: {}}
    devices: {flow: hawkbit, serial: "GW-{n:04d}"}
"""
BODY = """
    phases:
      - name: asked
        do: [shell: [{run: cat /etc/build, expect: "^b-7$"}]]
      - name: it starts anew, without a switch
        do: [reset, shell: ["true"]]
        within: 60s
        expect: [{prints: {line: "^GATEWAY-READY build=b-7 ", times: 1}}]
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def bench_file(folder: Path, port: str) -> Path:
    path = folder / "bench.yaml"
    path.write_text(f"boards: {{mine: {{type: acme-gw2, port: {port}, serial: S-7, console: {{kind: linux}}}}}}\n")
    return path


async def run_on(
    folder: Path, body: str, port: str = "", board: FakeGateway | None = None, listener: TraceListener | None = None
) -> Report:
    """On a board that hangs on a pseudo-terminal, as on an adapter, and is on."""
    if board is not None:
        await board.on()
    bench = bench_file(folder, port or (board.port if board else ""))
    try:
        options = RunOptions(results=folder / "results", bench=bench, desk=folder / "desk", listener=listener)
        return await run(expanded(folder, body, "hil/x", HEAD), options)
    finally:
        if board is not None:
            await board.close()


def with_firmware(folder: Path) -> FakeGateway:
    folder.mkdir()
    board, firmware = fake_gateway(folder), gateway_firmware("b-7")
    begin = FIRMWARE_BLOCK * BLOCK_BYTES
    board.uboot.disk[begin : begin + len(firmware)] = firmware
    return board


def test_a_board_without_a_switch_is_asked_and_started_by_its_console(tmp_path: Path) -> None:
    async def story() -> Report:
        return await run_on(tmp_path, BODY, board=with_firmware(tmp_path / "board"))

    report = asyncio.run(story())
    got = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert report.verdict is Verdict.PASSED, (report.reason, got)
    assert report.boards == (("gateway", "mine, acme-gw2, S-7"),)


def held(folder: Path) -> AbstractContextManager[object]:
    return Reservations(folder / "desk", WallClock()).held("mine", "board flash")


NOT_THERE = {
    "missing": (lambda _: nullcontext(), "no-such-port"),
    "busy": (held, "mine is busy: "),
}


@pytest.mark.parametrize(("meanwhile", "said"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_the_bench_lacks_is_no_finding(
    tmp_path: Path, meanwhile: Callable[[Path], AbstractContextManager[object]], said: str
) -> None:
    with meanwhile(tmp_path):
        report = asyncio.run(run_on(tmp_path, BODY, port=str(tmp_path / "no-such-port")))
    assert report.verdict is Verdict.BROKEN
    assert said in report.reason


def test_a_port_that_is_lost_under_a_command_is_the_bench_s(tmp_path: Path) -> None:
    async def story() -> Report:
        board = with_firmware(tmp_path / "board")

        def unplug_under_it(event: TraceEvent) -> None:
            if "head -n 1" in event.reason and event.kind == "line":
                board.line.unplug()

        body = BODY.replace("cat /etc/build", "head -n 1")
        return await run_on(tmp_path, body, board=board, listener=unplug_under_it)

    report = asyncio.run(story())
    assert report.verdict is Verdict.BROKEN
    assert "console" in report.reason
