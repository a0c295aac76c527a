"""Debian's `swupdate` in hawkBit mode (suricatta) as a device: docs/contracts/hawkbit.md §7.1."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.programs import Program, need_program

SUCCESS = 2
FAILED = 3
"""Results of the last update that a device may report when it starts."""


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One device: where it reports, who it is, whose images it takes. Exactly one of the two tokens is given."""

    url: str
    controller_id: str
    trusts: Path
    target_token: str = ""
    gateway_token: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tenant: str = "DEFAULT"

    @property
    def file(self) -> str:
        """The text of its configuration file."""
        pairs = ", ".join(f'{{ name = "{name}"; value = "{value}"; }}' for name, value in self.attributes.items())
        return f"globals : {{ }};\nidentify : ( {pairs} );\n"

    def suricatta(self, report: int | None) -> str:
        """The arguments of its hawkBit mode; 1 s between polls until the server has told it another delay."""
        token = f"-k {self.target_token}" if self.target_token else f"-g {self.gateway_token}"
        result = f" -c {report}" if report else ""
        return f"-t {self.tenant} -u {self.url} -i {self.controller_id} {token} -p 1{result}"


class SwupdateDevice(Program):
    """A running device. `folder` holds its sockets too, so its path must be short (108 characters for a socket)."""

    def __init__(self, folder: Path, settings: DeviceSettings, report: int | None = None) -> None:
        self.settings = settings
        file = folder / "swupdate.cfg"
        file.write_text(settings.file, encoding="ascii")
        command = [need_program("swupdate", "swupdate"), "-l", "4", "-f", str(file), "-k", str(settings.trusts)]
        command += ["-H", "board:1.0", "-u", settings.suricatta(report)]
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        super().__init__("swupdate", command, folder / "swupdate.log", {**clean, "TMPDIR": str(folder)})
