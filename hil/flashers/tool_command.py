"""The command line of a vendor's flash tool, checked before anything runs: what stands in for image, port and speed.

No I/O. Tools under copyleft licences (esptool, dfu-util, avrdude) are called as programs and never imported.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from fleetrig.simulator.contract.errors import UsageError

PLACES: Final = ("image", "port", "baud", "serial")
PERCENT: Final = re.compile(r"(?<!\d)(\d{1,3})(?:\.\d+)? ?%")
PACKAGES: Final = {
    "avrdude": "apt-get install avrdude",
    "dfu-util": "apt-get install dfu-util",
    "esptool": "apt-get install esptool, or pip install esptool",
    "esptool.py": "apt-get install esptool, or pip install esptool",
    "fastboot": "apt-get install fastboot",
    "openocd": "apt-get install openocd",
    "stm32flash": "apt-get install stm32flash",
}


@dataclass(frozen=True, slots=True)
class Values:
    """What fills the places. `port` is the board's stable name, `serial` its own number if the tool selects by it."""

    image: str
    port: str
    baud: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class ToolCommand:
    """Arguments with places: `esptool --port {port} write_flash 0x1000 {image}`; braces are doubled to mean themselves.

    No shell reads them. Making one raises UsageError for what can be told beforehand.
    """

    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.arguments or not self.arguments[0].strip():
            raise UsageError("the flash tool's command is empty: expected a program and its arguments")
        if "{image}" not in "".join(self.arguments):
            raise UsageError(f"{self.program}: no argument has {{image}}: the tool would not be told what to write")
        check_places(self.arguments)

    @property
    def program(self) -> str:
        return self.arguments[0]

    @property
    def selects_a_board(self) -> bool:
        """Whether it says which board: one that does not takes whatever is plugged in."""
        return any(place in "".join(self.arguments) for place in ("{port}", "{serial}"))

    def filled(self, values: Values) -> Sequence[str]:
        return filled_in(self.arguments, values)


def filled_in(arguments: Sequence[str], values: Values) -> Sequence[str]:
    """Each place with its value. Raises UsageError: the board has no serial number."""
    if "{serial}" in "".join(arguments) and not values.serial:
        raise UsageError(f"{arguments[0]} selects the board by {{serial}}: give the board its `serial`")
    places = {"image": values.image, "port": values.port, "baud": values.baud, "serial": values.serial}
    return [argument.format_map(places) for argument in arguments]


def check_places(arguments: Sequence[str]) -> None:
    """Raises UsageError for a place that there is not."""
    for argument in arguments:
        _check(argument)


def _check(argument: str) -> None:
    try:
        places = [name for _, name, _, _ in string.Formatter().parse(argument) if name is not None]
    except ValueError as error:
        raise UsageError(f"{argument!r}: {error}; a brace that is meant is written twice") from None
    for place in places:
        if place not in PLACES:
            near = get_close_matches(place, PLACES, 1)
            meant = f"did you mean {{{near[0]}}}?" if near else "expected {" + "}, {".join(PLACES) + "}"
            raise UsageError(f"{argument!r}: there is no {{{place}}}; {meant}")


def how_to_install(program: str) -> str:
    return PACKAGES.get(program.rpartition("/")[2], "install it, or give its whole path")


def percent_of(line: str) -> int | None:
    """The last percentage that a line of progress shows."""
    shown = [int(found) for found in PERCENT.findall(line) if int(found) <= 100]
    return shown[-1] if shown else None
