"""Boards that are not there, emulated and fake ones, started when they are used; and what a machine lacks for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol, cast

from fleetrig.harness.bench.bench_file import BoardEntry
from fleetrig.harness.bench.fake_agent import FakeAgent
from fleetrig.harness.platform import platform_of
from fleetrig.hil.board import MadeOf
from fleetrig.hil.emulated.gateway_image import kept_gateway_parts
from fleetrig.hil.emulated.linux_gateway import linux_gateway
from fleetrig.hil.emulated.uboot_board import UBOOT, uboot_board
from fleetrig.hil.fakes.fake_gateway import FakeFault, fake_gateway
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.power import Power
from fleetrig.simulator.contract.errors import BrokenBench, ModelError, UsageError

PROGRAMS: Final = {"qemu-system-aarch64": "qemu-system-arm", "setpriv": "util-linux"}
"""What emulation needs, and the packages that have it."""
NO_IMAGE: Final = "the emulated gateway's image is not built: `fleetrig board prepare` builds it (a minute, by network)"


class MadeBoard(Power, Protocol):
    """A board with its power, and its line, which stays when it is off."""

    line: PtyLine

    @property
    def port(self) -> str: ...

    async def close(self) -> None: ...


def made_board(made: MadeOf, folder: Path) -> MadeBoard:
    """It is off. What it keeps without power lies in `folder`. Raises BrokenBench for what this machine lacks."""
    for lack in lacks(made):
        raise BrokenBench(lack)
    serial = str(made.settings["serial"])
    (folder / "environment.img").unlink(missing_ok=True)  # of another serial number, when the bench file was changed
    match made.kind:
        case "uboot":
            return uboot_board(folder, serial)
        case "gateway":
            parts = kept_gateway_parts()
            assert parts is not None
            return linux_gateway(folder, parts, serial)
        case "fake":
            return fake_gateway(folder, serial, cast("FakeFault", made.settings["fault"]), agent=_agent(made))
        case kind:
            raise ModelError(f"the bench file knows {kind}, and nothing here makes it")


def _agent(made: MadeOf) -> FakeAgent | None:
    """Our own device of the platform that is named, where one is. Raises UsageError."""
    if not (name := str(made.settings["agent"])):
        return None
    given = platform_of(name).given_device
    if given is None:
        raise UsageError(f"a fake board cannot run a device of {name}: choose another platform for `agent`, or none")
    return FakeAgent(given)


def lacks(made: MadeOf) -> Iterator[str]:
    """What this machine lacks for it, each as a sentence with what to do. Nothing is fetched or started."""
    if made.kind == "fake":
        return
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            yield f"{program} is not there: apt-get install {package}"
    if not UBOOT.exists():
        yield f"{UBOOT} is not there: apt-get install u-boot-qemu"
    if made.kind == "gateway" and kept_gateway_parts() is None:
        yield NO_IMAGE


def missing_for(entry: BoardEntry) -> str:
    """Why a board cannot be used on this machine, as far as that can be told before it is; empty if it can."""
    return "" if entry.emulated is None else "; ".join(lacks(entry.emulated.made_of))
