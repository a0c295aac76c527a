"""Tells scenario files from other YAML by their names and first lines, without a YAML library.

A file is a scenario when its first key is `scenario` with a title beside it, or when it has the keys of one: then its
mistakes are told, such as a title that does not come first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".yaml", ".yml")
STUDY_SUFFIXES: Final = (".study.yaml", ".study.yml")
"""Of studies, which stand beside the scenarios that they are about."""
HEAD_BYTES: Final = 64 * 1024

KEY: Final = re.compile(rb"""^(?:\{\s*)?["']?([A-Za-z_][\w-]*)["']?[ \t]*:(?:[ \t]+(\S)|[ \t]*\r?$)""", re.MULTILINE)
"""A key that is not indented, and how its value begins."""
SCENARIO: Final = b"scenario"
PARTS: Final = frozenset({b"phases", b"devices"})
"""Keys of a scenario that hardly any other file has both of."""


def is_other_file(inner: Path) -> bool:
    """True for a path below a folder of scenarios that is no scenario by its name: a part begins with `_` or `.`, or
    it is a study.
    """
    return inner.name.endswith(STUDY_SUFFIXES) or any(part.startswith(("_", ".")) for part in inner.parts)


def looks_like_scenario(path: Path) -> bool:
    """True for a file that is a scenario or means to be one. False for one that cannot be read."""
    keys = keys_of(path)
    title = keys.get(SCENARIO)
    if title is not None and next(iter(keys)) == SCENARIO and title not in {b"", b"#", b"{", b"["}:
        return True
    return keys.keys() >= PARTS or (title is not None and not PARTS.isdisjoint(keys))


def why_no_scenario(path: Path) -> str:
    """Why a file in a folder of scenarios is not taken for one."""
    first = next(iter(keys_of(path)), None)
    begins = "does not begin with a key" if first is None else f"begins with {first.decode('ascii', 'replace')!r}"
    return f"it {begins}, and a scenario with `scenario: TITLE`"


def keys_of(path: Path) -> dict[bytes, bytes]:
    """The keys at the beginning of a file that are not indented, in their order, with the first byte of each value."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return {}
    keys: dict[bytes, bytes] = {}
    for found in KEY.finditer(head):
        keys.setdefault(found[1], found[2] or b"")
    return keys
