"""Letting a device in: what `fleetrig register` asks of a platform, which provides it in its `registering.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from fleetrig.harness.platforms import load
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall

PREFIX: Final = "FLEETRIG_"
"""Of the variables that a device reads: the same that `--device-command` sets (`external/command.py`)."""


def variable(name: str) -> str:
    """`token` -> `FLEETRIG_TOKEN`."""
    return f"{PREFIX}{name.upper()}"


def in_quotes(name: str) -> str:
    """The value of a variable as a word of a shell's command: `"$FLEETRIG_TOKEN"`."""
    return f'"${variable(name)}"'


@dataclass(frozen=True, slots=True)
class RegisterSite:
    """Where devices are made known, and how. `new_secret` gives what the next one is to prove itself with."""

    server: RemoteServer
    against: str
    """As it was given, for commands that name the server again."""
    secrets: Secrets
    """Learns what devices are given."""
    new_secret: Callable[[], str]
    credential: str
    """One of the platform's words."""
    group: str
    """What the platform gathers devices under: a tenant, a profile, an account. Empty for the usual one."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """Something that a device's author can paste. Secrets stand in it as variables."""

    title: str
    command: str


@dataclass(frozen=True, slots=True)
class AdmittedDevice:
    """A device that the server lets in from now on. `said` continues a sentence that begins with its name."""

    said: str
    values: Mapping[str, str] = field(repr=False)
    """What it is told, under the names that programs of devices know: `url`, `id`, `token` …"""
    ways: tuple[WayIn, ...]


class DeviceRegistrar(Protocol):
    """A platform's part. Every call raises BrokenBench, and UsageError for what must not be done."""

    def prepare(self) -> AdminCall[str]:
        """The server lets such devices in. Returns what had to be changed for that, as a sentence; empty if nothing."""

    def knows(self, serial: str) -> AdminCall[bool]: ...

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        """One that is known gets a new credential: the old one is worth nothing any more."""

    def remove(self, serial: str) -> AdminCall[None]:
        """The device and its credentials. Harmless for what is not there."""


@dataclass(frozen=True, slots=True)
class Registering:
    """What a platform offers."""

    credentials: tuple[str, ...]
    """How devices can prove themselves. The first is usual, and takes a secret of the user's choice."""
    group: str
    """What `--group` names; empty where there is no such thing."""
    why_no_name: Callable[[str], str]
    """What is wrong with the name of a device; empty if nothing is."""
    registrar: Callable[[RegisterSite], DeviceRegistrar]
    secret_begins: str = ""
    """So does a secret that is made here, since the server takes no other."""


def registering_of(platform: str) -> Registering:
    """Raises UsageError for an unknown platform."""
    found: Registering = load(platform, "registering:REGISTERING")
    return found
