"""Everything that went over a board's line, as JSON lines: time, way, bytes. Whole up to the last piece when killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from fleetrig.harness.run.private_files import open_private
from fleetrig.hil.port import BoardPort, PortBytes
from fleetrig.simulator.contract.masking import Secrets

LATIN: Final = "latin-1"
"""One character for each byte, so that none is lost."""


@contextmanager
def serial_log(path: Path, port: BoardPort, secret: str = "") -> Iterator[None]:
    """Writes it while the block lasts. `secret` is masked in what is typed. Raises OSError when it cannot be made."""
    secrets = Secrets()
    if secret:
        secrets.learn("password", secret)
    with open_private(path) as file:
        unwatch = port.watch(lambda heard: _write(file, heard, secrets))
        try:
            yield
        finally:
            unwatch()


def _write(file: TextIO, heard: PortBytes, secrets: Secrets) -> None:
    text = secrets.hide(heard.data.decode(LATIN))
    file.write(json.dumps({"at_us": heard.at_us, "way": heard.way, "bytes": text}) + "\n")
    file.flush()
