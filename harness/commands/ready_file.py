"""The file that says, to whoever started a server, that it is ready and where: one JSON object, whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fleetrig.reference_server.fronts.addresses import Address
from fleetrig.simulator.contract.errors import UsageError


class ReadyFile:
    def __init__(self, path: Path) -> None:
        """Raises UsageError at once when it could not be written later."""
        if not path.parent.is_dir() or path.is_dir() or not os.access(path.parent, os.W_OK):
            raise UsageError(f"--ready-file {path}: {path.parent} must be a folder that can be written to")
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")

    def write(self, addresses: Mapping[str, Address], ca: Path | None) -> None:
        """`{"pid": 17, "http": "127.0.0.1:41234", "https": …, "ca": …}`, by renaming."""
        said: dict[str, object] = {"pid": os.getpid(), **{scheme: str(where) for scheme, where in addresses.items()}}
        if ca is not None:
            said["ca"] = str(ca)
        try:
            self._draft.write_text(json.dumps(said) + "\n", encoding="utf-8")
            self._draft.replace(self._path)
        except OSError as error:
            self._draft.unlink(missing_ok=True)
            raise UsageError(f"--ready-file {self._path}: {error.strerror or error}") from error

    def remove(self) -> None:
        """Unless another process has written its own since."""
        with suppress(OSError, ValueError):
            if json.loads(self._path.read_text(encoding="utf-8")).get("pid") == os.getpid():
                self._path.unlink()
