"""How a device under test is started: its command, and what the command is given of its device.

`{url}`, `{tenant}`, `{id}`, `{folder}` in the command, and `FLEETRIG_URL` … in the environment; beside these the names
of the platform's credentials (`{token}` …), of which those that the device does not hold are empty.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """`--device-command`, taken apart as a shell would. `text` is as it was written."""

    words: tuple[str, ...]
    text: str
    image: Path | None = None
    """What `deploy` gives to devices in place of an image of our own."""

    def for_device(self, values: Mapping[str, str]) -> list[str]:
        """The words with every place filled in; other braces stay as they are."""
        return [_filled(word, values) for word in self.words]


def device_command(text: str, image: Path | None = None) -> DeviceCommand:
    """Raises UsageError for a command that cannot be started, and an image that is not there."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as wrong:
        raise UsageError(f"--device-command {text!r} cannot be taken apart: {wrong}") from None
    if not words:
        raise UsageError("--device-command is empty; give a program and its arguments")
    program = shutil.which(words[0])
    if program is None:
        raise UsageError(f"--device-command: there is no program {words[0]}, or it may not be executed")
    if image is not None and not image.is_file():
        raise UsageError(f"--device-image: there is no file {image}")
    # Programs run in folders of their own, so what lies here must be named in full.
    first = str(Path(program).absolute())
    rest = tuple(str(Path(word).absolute()) if "/" in word and Path(word).exists() else word for word in words[1:])
    return DeviceCommand((first, *rest), text, image)


def values_of(device: DeviceIdentity, given: Mapping[str, str], url: str, folder: Path) -> dict[str, str]:
    """What a program is told: where the server is, who it is, the credential that it holds, and how to behave."""
    return {"url": url, "tenant": device.tenant, "id": device.serial, **given, "folder": str(folder)}


def environment(values: Mapping[str, str], inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Our environment without proxies, since the server is local, plus the device's values as FLEETRIG_URL …"""
    plain = {name: value for name, value in inherited.items() if not name.lower().endswith("_proxy")}
    return {**plain, **{f"FLEETRIG_{name.upper()}": value for name, value in values.items()}}


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word
