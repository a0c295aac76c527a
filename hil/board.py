"""One board on the desk: what the bench file says of it, in types. Reading the file is the harness's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ConsoleKind = Literal["uboot", "linux", "none"]


@dataclass(frozen=True, slots=True)
class ConsoleSpec:
    """How one talks to it. `prompt` is a regular expression for a whole last line; empty for the kind's own."""

    kind: ConsoleKind = "linux"
    prompt: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    """Already read from where the file refers to."""
    stop_autoboot: bytes = b"\r"
    stop_every_s: float = 0.0
    """How often that is sent while the board is silent: one that shows no countdown. 0: when the countdown is seen."""
    chunk_bytes: int = 64
    chunk_pause_s: float = 0.0
    """Slow boards lose what comes faster: so much, then so long a pause."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """A part of a board with its kind (`relay`, `uboot_xmodem`, `qmp`) and that kind's own settings, checked."""

    kind: str
    settings: Mapping[str, str | int | float | bool | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProvisioningSpec:
    """How a board takes its identity. Texts have places (`${serial}`, `${token}`) for what differs between units."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Path on the board -> text."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Name in U-Boot's environment -> text."""
    key: str = ""
    """Where the board makes a key of its own; empty if it does not."""
    certificate: str = ""
    """Where the certificate for that key goes."""
    host: str = ""
    """How the board reaches this machine; empty for the servers' own addresses."""


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """A board by its name on this bench."""

    name: str
    type: str
    """What it is (`qemu-arm64-uboot`, `acme-gw2`): several boards may be of one type."""
    port: str
    """URL, a stable one: `/dev/serial/by-id/…`. Empty for an emulated board, which makes its own."""
    baud: int = 115_200
    serial: str = ""
    """The unit's serial number, where it is known beforehand."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """What the board must answer before it is written to: question (`ethaddr`) -> expected answer."""
    power: MadeOf | None = None
    flasher: MadeOf | None = None
    console: ConsoleSpec = field(default_factory=ConsoleSpec)
    emulated: MadeOf | None = None
    """An emulated or fake board, started for the run; None for real ones."""
    offers: frozenset[str] = frozenset()
    """Words that scenarios may need: `power`, `relay.reset`, `wifi`."""
    provisioning: ProvisioningSpec | None = None
    out_of_service: str = ""
    """Why nobody may use it; set with `fleetrig board out-of-service`."""
