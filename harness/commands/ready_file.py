"""The file that says that a server is ready, and where: one JSON object, whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fleetrig.harness.commands.output_places import check_file
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.json_types import Json


def ready_document(
    addresses: Mapping[str, Mapping[str, Address]], control: Address | None, ca: Path | None
) -> dict[str, Json]:
    """`{"pid": 17, "http": "127.0.0.1:41234", "https": …, "control": …, "ca": …}` for one platform.

    `addresses`: platform -> listener -> address. With several platforms the listeners nest:
    `{"pid": 17, "control": …, "ca": …, PLATFORM: {"http": …}, …}`.
    """
    listening: dict[str, dict[str, Json]] = {
        platform: {listener: str(address) for listener, address in listeners.items()}
        for platform, listeners in addresses.items()
    }
    own: dict[str, Json] = {"control": None if control is None else str(control), "ca": None if ca is None else str(ca)}
    own = {name: value for name, value in own.items() if value is not None}
    if len(listening) == 1:
        return {"pid": os.getpid(), **next(iter(listening.values())), **own}
    return {"pid": os.getpid(), **own, **listening}


class ReadyFile:
    def __init__(self, path: Path) -> None:
        """Raises UsageError at once when it could not be written later."""
        check_file("--ready-file", path)
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")

    def write(self, document: Mapping[str, Json]) -> None:
        """Writes atomically, by renaming. Raises BrokenBench."""
        try:
            self._draft.write_text(json.dumps(document) + "\n", encoding="utf-8")
            self._draft.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                self._draft.unlink(missing_ok=True)
            raise BrokenBench(f"--ready-file {self._path}: {system_said(error)}") from error

    def remove(self) -> None:
        """Removes the file, unless another process has replaced it."""
        with suppress(OSError, ValueError):
            if json.loads(self._path.read_text(encoding="utf-8")).get("pid") == os.getpid():
                self._path.unlink()
