"""Debian packages of another architecture, fetched and unpacked without being installed, by an apt of its own.

The machine's own package lists and its dpkg are left as they are; nobody needs to be root.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

FETCH_WITHIN_S: Final = 600.0
SHOWN_CHARS: Final = 400


async def unpack_packages(names: Sequence[str], architecture: str, folder: Path) -> Path:
    """Fetches the packages with all that they need, and gives the folder in which their files lie.

    `folder` keeps what was fetched. Raises BrokenBench: no apt, no network, no such package.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise BrokenBench(f"{program} is not there: the gateway's image is made of Debian's packages")
    options = _own_state(folder, architecture)
    await _run("apt-get", *options, "-qq", "update")
    await _run("apt-get", *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install", *names)
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        await _run("dpkg-deb", "-x", str(package), str(root))
    return root


def _own_state(folder: Path, architecture: str) -> list[str]:
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").write_bytes(b"")  # nothing is installed
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(FETCH_WITHIN_S):
            said, _ = await process.communicate()
    except BaseException as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if isinstance(error, TimeoutError):
            raise BrokenBench(f"{command[0]} took more than {FETCH_WITHIN_S:g} s") from None
        raise
    if process.returncode:
        last = said.decode(errors="replace").strip()[-SHOWN_CHARS:]
        raise BrokenBench(f"{command[0]} ended with {process.returncode}, so there is no gateway image: {last}")
