"""Names of devices: what one may hold, and templates that name a whole fleet (`HB-{n:04d}`, `de:ad:{n:02x}`), lazily.

A template is no format string of Python: `{n}` with a width and `d`, `x` or `X` is all that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fleetrig.simulator.contract.bounds import SERIAL_CHARS
from fleetrig.simulator.contract.identity import DeviceIdentity

NUMBER: Final = re.compile(r"\{n(?::(0?)([0-9]{0,3})([dxX]?))?\}")
SERIAL: Final = r"(?=.)[^\s{}]*(?:\{n(?::0?[0-9]{0,3}[dxX]?)?\}[^\s{}]*)?"
"""For editors; `check_template` says more."""
EXPECTED_TEMPLATE: Final = "a serial without blanks, with {n} or {n:04d} for the device's number"


def check_serial(serial: str) -> str:
    """The serial. Raises ValueError for what cannot stand in a path, in a command and in a list."""
    if not serial or any(char.isspace() for char in serial):
        raise ValueError("expected a serial without blanks")
    if not serial.isprintable():
        raise ValueError("expected a serial of characters that can be seen")
    if serial in {".", ".."}:
        raise ValueError("expected a serial that is no step of a path, as . and .. are")
    if len(serial) > SERIAL_CHARS.most:
        raise ValueError(f"expected a serial of {SERIAL_CHARS}")
    return serial


def check_template(template: str) -> str:
    """The template. Raises ValueError for what names no devices."""
    found = NUMBER.search(template)
    if found is not None and int(found[2] or 0) > SERIAL_CHARS.most:
        raise ValueError(f"expected a serial of {SERIAL_CHARS}")
    example = NUMBER.sub("1", template, count=1)
    if "{" in example or "}" in example or not example or any(char.isspace() for char in example):
        raise ValueError(f"expected {EXPECTED_TEMPLATE}")
    check_serial(serial_of(template, 1))
    return template


def has_number(template: str) -> bool:
    """True when it names more than one device."""
    return NUMBER.search(template) is not None


def serial_of(template: str, number: int) -> str:
    """The serial of a template's device of this number."""

    def written(found: re.Match[str]) -> str:
        return format(number, f"{found[1] or ''}{found[2] or ''}{found[3] or 'd'}")

    return NUMBER.sub(written, template, count=1)


def numbered(template: str, count: int, tenant: str, first: int = 1) -> Iterator[DeviceIdentity]:
    """Identities with serials from a template, made as they are asked for.

    Raises ValueError when the template cannot tell them apart, or names no devices.
    """
    check_template(template)
    if count > 1 and not has_number(template):
        raise ValueError(f"serial {template!r} gives every device the same name; write for instance 'HB-{{n:04d}}'")
    return (DeviceIdentity(serial_of(template, n), tenant) for n in range(first, first + count))
