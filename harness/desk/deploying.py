"""Giving a file to devices: what `fleetrig deploy` asks of a platform, which provides it in its `deploying.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fleetrig.harness.platforms import load
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.http import FileSlice
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """A file that was looked at: it is there, it can be read, and it is not empty."""

    path: Path
    size_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def content(self) -> FileSlice:
        return FileSlice(str(self.path), 0, self.size_bytes)


@dataclass(frozen=True, slots=True)
class DeskUpdate:
    """An update as it is called on the server. The same files, deployed twice, are the same update."""

    name: str
    version: str
    kind: str
    """One of the platform's words: `os`, `firmware` …"""
    urgency: str
    """Another one: `forced` …"""
    files: tuple[UpdateFile, ...]

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class DeploySite:
    """`publish` puts a file where devices can fetch it and gives its URL, for platforms that keep no files."""

    server: RemoteServer
    secrets: Secrets
    publish: Callable[[UpdateFile], str]


class DeviceEnd(StrEnum):
    """What became of an update on a device."""

    INSTALLED = "installed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeviceProgress:
    """`news`: what was told since it was looked at last, oldest first. `end` is None while it is under way."""

    news: Sequence[str]
    end: DeviceEnd | None = None


class Deployer(Protocol):
    """A platform's part. It remembers what it has made. Every call raises BrokenBench, and UsageError."""

    def knows(self, device: str) -> AdminCall[bool]: ...

    def devices(self) -> AdminCall[Sequence[str]]:
        """The names of all that the server knows."""

    def deploy(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        """Makes the update, if it is not there yet, and assigns it. Returns what was done, in sentences."""

    def take_back(self) -> AdminCall[None]:
        """After an error: what `deploy` has made goes again."""

    def look(self, device: str) -> AdminCall[DeviceProgress]:
        """After `deploy`."""

    def remove(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        """Calls it off on these devices, on all if none are named, and deletes it. Returns what was done."""


def _no_name_of_its_own(_: Path) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Deploying:
    """What a platform offers; the first of several words is the usual one."""

    kinds: tuple[str, ...]
    urgencies: tuple[str, ...]
    most_files: int
    deployer: Callable[[DeploySite], Deployer]
    own_name: Callable[[Path], tuple[str, str] | None] = _no_name_of_its_own
    """The name and version that a file gives itself, by which devices know it; None if it gives none."""
    publishes: bool = False
    """Devices fetch files from an address of ours, which is there as long as the command runs: it always waits."""


def deploying_of(platform: str) -> Deploying:
    """Raises UsageError for a platform that has no files."""
    found: Deploying = load(platform, "deploying:deploying")()
    return found
