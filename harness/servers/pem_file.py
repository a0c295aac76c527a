"""Files with certificates and keys, which options and SERVER.yaml name: read as far as such a file can be long."""

from __future__ import annotations

import errno
from pathlib import Path

from fleetrig.simulator.contract.bounds import PEM_FILE_BYTES


def pem_file(path: Path) -> bytes:
    """Its content. Raises OSError, for a file that is too large to be one too."""
    with path.open("rb") as file:
        content = file.read(PEM_FILE_BYTES.most + 1)
    if len(content) > PEM_FILE_BYTES.most:
        raise OSError(errno.EFBIG, f"expected {PEM_FILE_BYTES}", str(path))
    return content
