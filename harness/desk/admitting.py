"""Devices let in one after another: registered, written down for their author, and told; or removed again."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.desk.registering import AdmittedDevice, DeviceRegistrar, variable
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.interrupts import finish_despite_stop, tell
from fleetrig.harness.run.private_files import FOR_OWNER
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError, system_said
from fleetrig.simulator.drivers.realtime import RealBench

SayLine = Callable[[str], object]
"""Prints a line."""
HEAD: Final = "# What {device} needs, as shell variables. It holds secrets: keep it to yourself."


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A device, and where what it needs is written; it is printed where there is no path."""

    device: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class DevicesToAdmit:
    files: Sequence[DeviceFile]
    again: bool
    """Also devices that the server knows: they get a new secret."""


async def admit(bench: RealBench, registrar: DeviceRegistrar, admission: DevicesToAdmit, say: SayLine) -> None:
    """All of them are looked for first. Raises UsageError for one that is known, BrokenBench, CancelledError.

    A device that could not be let in altogether is removed again, unless it was there before.
    """
    if changed := await bench.run(registrar.prepare()):
        say(changed)
    known = {file.device for file in admission.files if await bench.run(registrar.knows(file.device))}
    if known and not admission.again:
        raise UsageError(
            f"the server knows {min(known)} already, and its secret is shown to nobody: say --again to give it a new "
            "one, or register another name"
        )
    for file in admission.files:
        try:
            admitted = await bench.run(registrar.register(file.device))
            if file.path is not None:
                write_values(file.path, file.device, admitted.values)
        except (FleetrigError, asyncio.CancelledError):
            if file.device not in known:
                await finish_despite_stop(_removed(bench, registrar, file.device))
            raise
        tell_ways(file, admitted, say)


async def remove(bench: RealBench, registrar: DeviceRegistrar, devices: Sequence[str], say: SayLine) -> None:
    """Those that are there. Raises UsageError when none of them is, BrokenBench."""
    known = [device for device in devices if await bench.run(registrar.knows(device))]
    if not known:
        raise UsageError(f"the server knows no {' and no '.join(devices)}: nothing is removed")
    for device in known:
        await bench.run(registrar.remove(device))
        say(f"{device} is removed")
    for device in devices:
        if device not in known:
            say(f"{device} was not there")


def lines_of(values: Mapping[str, str]) -> list[str]:
    """For a shell. What is empty is left away."""
    return [f"export {variable(name)}={shlex.quote(value)}" for name, value in values.items() if value]


def write_values(path: Path, device: str, values: Mapping[str, str]) -> None:
    """Raises BrokenBench."""
    try:
        with whole_file(path, FOR_OWNER) as file:
            file.write("\n".join([HEAD.format(device=device), *lines_of(values)]) + "\n")
    except OSError as wrong:
        raise BrokenBench(f"cannot write {path}: {system_said(wrong)}") from None


def tell_ways(file: DeviceFile, admitted: AdmittedDevice, say: SayLine) -> None:
    say(f"{file.device} {admitted.said}.")
    if file.path is None:
        say("\n" + "\n".join(f"  {line}" for line in lines_of(admitted.values)))
    else:
        say(f"What it needs is in {file.path}, which only you can read.")
        say(f"\n  . {_sourced(file.path)}")
    for way in admitted.ways:
        say(f"\n  # {way.title}\n  {way.command}")


def _sourced(path: Path) -> str:
    """A name without a slash would be looked for among the programs."""
    return shlex.quote(str(path) if path.is_absolute() else f"./{path}")


async def _removed(bench: RealBench, registrar: DeviceRegistrar, device: str) -> None:
    """What went wrong before is told by whoever calls."""
    try:
        await bench.run(registrar.remove(device))
    except BrokenBench as wrong:
        tell(f"{device} could not be removed again ({wrong}): say --remove once the server can")
