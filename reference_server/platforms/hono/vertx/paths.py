"""Paths as Vert.x Web compares them with its routes.

Unreserved characters are decoded, `.` and `..` resolved, two slashes are one.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.state.errors import Refused

HEX_PAIR: Final = re.compile(r"[0-9a-fA-F]{2}", re.ASCII)
UNRESERVED: Final = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")


def normal_path(path: str) -> str:
    """Raises Refused for an escape that is none."""
    if "%" in path:
        _check_escapes(path)
        path = UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path)
    if "//" not in path and "/." not in path:
        return path
    parts: list[str] = []
    for part in re.sub("/+", "/", path).split("/")[1:]:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    is_folder = path.endswith(("/.", "/.."))
    return f"/{'/'.join(parts)}{'/' if is_folder and parts else ''}"


def _check_escapes(path: str) -> None:
    for found in re.finditer("%(.{0,2})", path):
        digits, at = found[1], found.start()
        if len(digits) < 2:
            why = f"the path ends in the middle of an escape: {path[-40:]!r}"
            raise Refused(400, f"Invalid position for escape character: {at}", why)
        if HEX_PAIR.fullmatch(digits) is None:
            raise Refused(400, f"Invalid escape sequence: %{digits}", f"%{digits} in the path is no escape")
