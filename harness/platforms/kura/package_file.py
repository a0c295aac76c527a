"""A deployment package (.dp, OSGi): an archive whose manifest says what a gateway will list it as."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

MANIFEST: Final = "META-INF/MANIFEST.MF"
NAME: Final = "DeploymentPackage-SymbolicName"
VERSION: Final = "DeploymentPackage-Version"
MOST_BYTES: Final = 64 * 1024
"""Of a manifest that is looked at: what counts stands at its beginning."""


def name_in_package(path: Path) -> tuple[str, str] | None:
    """Name and version; None for a file that is no such package. Nothing else of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as manifest:
            text = manifest.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        return None
    members = dict(_member(line) for line in _whole_lines(text))
    found = members.get(NAME, "").partition(";")[0].strip(), members.get(VERSION, "").strip()
    return found if all(found) else None


def _whole_lines(text: str) -> list[str]:
    """A line that is too long goes on in the next one, behind a blank (JAR specification)."""
    return text.replace("\r\n", "\n").replace("\n ", "").split("\n")


def _member(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value
