"""The certificate of a device under test, and whom it may trust, as files that its program can read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.run.private_files import open_private
from fleetrig.simulator.contract.identity import ClientCertificate, Credential

CHAIN: Final = "certificate.pem"
KEY: Final = "certificate.key"
CA: Final = "ca.pem"


def certificate_files(credential: Credential | None, ca: Path | None, folder: Path) -> Mapping[str, str]:
    """What a program is told of them: paths; empty where there is nothing. They are written anew at each start."""
    given = dict.fromkeys(("certificate", "certificate_key", "ca"), "")
    if isinstance(credential, ClientCertificate):
        given["certificate"] = _written(folder / CHAIN, credential.chain_pem)
        given["certificate_key"] = _written(folder / KEY, credential.key_pem)
    if ca is not None:
        given["ca"] = _written(folder / CA, ca.read_bytes())
    return given


def _written(path: Path, content: bytes) -> str:
    with open_private(path) as file:
        file.write(content.decode())
    return str(path)
