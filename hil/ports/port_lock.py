"""The lock file of a port: `exclusive=True` is advisory and stops only those who ask for it too, and names nobody."""

from __future__ import annotations

import re
from pathlib import Path

from fleetrig.hil.desk.board_use import Use, this_process, use_from_json, use_to_json
from fleetrig.hil.desk.lock_file import LockFile, held_content, shared_folder
from fleetrig.hil.port import PortBusy
from fleetrig.simulator.contract.clock import Clock


def lock_port(folder: Path, url: str, clock: Clock) -> LockFile:
    """Held until it is released. Two names of one device (a link by id, the device itself) share a lock.

    Raises PortBusy, which says who has it, and BrokenBench.
    """
    shared_folder(folder)
    path = folder / f"{lock_name(url)}.port"
    lock = LockFile.take(path)
    if lock is None:
        use = use_from_json(held_content(path) or b"")
        raise PortBusy(f"{url} is busy: {use or 'somebody has just taken it'}")
    lock.write(use_to_json(Use(url, this_process(), "has the port open", clock.now_us())).encode())
    return lock


def lock_name(url: str) -> str:
    """`dev-ttyUSB0`, `rfc2217-lab-2217`."""
    place = url if "://" in url else str(Path(url).resolve())
    return re.sub(r"[^A-Za-z0-9.]+", "-", place.partition("?")[0]).strip("-")[-200:]
