"""How a device under test is started: its command, and what the command is given of its device.

`{url}`, `{tenant}`, `{id}`, `{folder}` in the command, and `FLEETRIG_URL` … in the environment; beside these the names
of the platform's credentials (`{token}` …), of which those that the device does not hold are empty.

Values come from files, perhaps from somebody else's. A program gets a value as a word of its own as it is; in a longer
word, or where a shell is among the words, only what no shell reads anything into, in quotes or without. All others are
for the environment: `"$FLEETRIG_ID"`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.fault_values import nearest
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.unreadable import why_no_words

PLACE: Final = re.compile(r"\{([a-z_]+)\}")
HARMLESS: Final = re.compile(r"(?:[\w.:/@+,%][\w.:/@+,=%-]*)?")
"""Values that mean themselves to every shell, in quotes and without."""
SHELLS: Final = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "busybox", "ssh", "su", "runuser",
     "eval", "script", "watch", "xargs", "parallel", "adb", "dbclient", "plink", "rsh", "mosh", "sshpass", "rbash",
     "posh", "yash", "lksh", "toybox", "bash-static", "pwsh", "nu", "elvish"}
)  # fmt: skip
"""Programs that take words apart again."""
UNSAFE_IN_NAMES: Final = re.compile(r"[^\w.@:+=,-]")
MOST_NAME_CHARS: Final = 60
SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """`--device-command`, taken apart as a shell would. `text` is as it was written."""

    words: tuple[str, ...]
    text: str
    image: Path | None = None
    """What `deploy` gives to devices in place of an image of our own."""

    def for_device(self, values: Mapping[str, str]) -> list[str]:
        """The words with every place filled in; other braces stay as they are. Raises UsageError for unsafe values."""
        return [self._filled(word, values) for word in self.words]

    def _filled(self, word: str, values: Mapping[str, str]) -> str:
        """The places are found in the word as it was given, never in a value."""

        def value(place: re.Match[str]) -> str:
            name = place[1]
            if name not in values:
                if near := nearest(name, values):
                    raise UsageError(f"--device-command: {place[0]} is no place; did you mean {{{near}}}?")
                return place[0]
            self._check(name, values[name], stands_alone=place[0] == word)
            return values[name]

        return PLACE.sub(value, word)

    def _check(self, name: str, value: str, *, stands_alone: bool) -> None:
        is_read_by_shell = not stands_alone or any(Path(word).name in SHELLS for word in self.words)
        if is_read_by_shell and not HARMLESS.fullmatch(value):
            why = "stands in a longer word or beside a shell, which could take a part of it for a command"
        elif stands_alone and value.startswith("-"):
            why = "is a word of its own, which the program would take for an option"
        else:
            return
        variable = f"FLEETRIG_{name.upper()}"
        raise UsageError(
            f"--device-command: {{{name}}} {why}, and its value {_shown(name, value)} is not plain enough for that; "
            f'leave it away and let the program read the environment variable {variable} ("${variable}" in a shell)'
        )


def device_command(text: str, image: Path | None = None) -> DeviceCommand:
    """Raises UsageError for a command that cannot be started, and an image that is not there."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as wrong:
        raise UsageError(f"--device-command {text!r} cannot be taken apart: {why_no_words(wrong)}") from None
    if not words:
        raise UsageError("--device-command is empty; give a program and its arguments")
    program = shutil.which(words[0])
    if program is None:
        raise UsageError(f"--device-command: {why_no_program(words[0])}")
    if image is not None and not image.is_file():
        raise UsageError(f"--device-image: there is no file {image}")
    # Programs run in folders of their own, so what lies here must be named in full.
    return DeviceCommand((str(Path(program).absolute()), *map(in_full, words[1:])), text, image)


def why_no_program(word: str) -> str:
    """Why a first word starts nothing, and what to do."""
    path = Path(word)
    if not path.exists():
        return f"there is no program {word}"
    if "/" not in word:
        return f"there is no program {word}; for the file of that name in this folder write ./{word}"
    if not path.is_file():
        return f"{word} is no file"
    return f"{word} may not be executed: `chmod +x {shlex.quote(word)}`, or name the program that reads it first"


def in_full(word: str) -> str:
    """The whole path of a file that lies here (`python3 my_device.py`), and of a folder that is written as a path."""
    is_meant = Path(word).exists() if "/" in word else may_be_a_file(word) and Path(word).is_file()
    return str(Path(word).absolute()) if is_meant else word


def may_be_a_file(word: str) -> bool:
    """An option is none, and a word without a dot is likelier a word that the program knows."""
    return "." in word and not word.startswith("-")


def values_of(device: DeviceIdentity, given: Mapping[str, str], url: str, folder: Path) -> dict[str, str]:
    """What a program is told: where the server is, who it is, the credential that it holds, and how to behave."""
    return {"url": url, "tenant": device.tenant, "id": device.serial, **given, "folder": str(folder)}


def environment(values: Mapping[str, str], inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Our environment without proxies, since the server is local, plus the device's values as FLEETRIG_URL …"""
    plain = {name: value for name, value in inherited.items() if not name.lower().endswith("_proxy")}
    return {**plain, **{f"FLEETRIG_{name.upper()}": value for name, value in values.items()}}


def folder_name(serial: str) -> str:
    """A name of a file for a device: its serial, where that is plain, else what is plain of it and a digest."""
    plain = UNSAFE_IN_NAMES.sub("_", serial)
    if plain == serial and len(serial) <= MOST_NAME_CHARS and not serial.startswith("."):
        return serial
    return f"{plain[:MOST_NAME_CHARS].lstrip('.')}-{hashlib.sha256(serial.encode()).hexdigest()[:8]}"


def _shown(name: str, value: str) -> str:
    """Only the id: all others can be secrets, or hold one."""
    return repr(value[:SHOWN_CHARS]) if name in {"id", "tenant"} else "(not shown)"
