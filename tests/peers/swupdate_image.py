"""Signed SWUpdate images as a firmware build makes them: `sw-description`, its CMS signature, the payload, in a cpio.

docs/contracts/hawkbit.md §7.1: Debian's swupdate takes signed images only, and a certificate for e-mail protection.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.peers.programs import need_program

DESCRIPTION = """software = {{
    version = "{version}";
    hardware-compatibility: [ "1.0" ];
    files: ( {{ filename = "payload.bin"; path = "{install_to}"; sha256 = "{sha256}"; }} );
}}
"""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs images; devices hold the certificate."""

    key: Path
    certificate: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> Signer:
        signer = cls(folder / f"{name}.key", folder / f"{name}.crt")
        command = [need_program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", f"/CN={name}", "-keyout", str(signer.key), "-out", str(signer.certificate)]
        command += ["-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=emailProtection"]
        _run(command, folder)
        return signer


@dataclass(frozen=True, slots=True)
class Update:
    """What an image installs: `payload` as the file `install_to`. `promised` differs when the image is damaged."""

    payload: bytes
    install_to: Path
    version: str = "2.0"
    promised: bytes | None = None

    @property
    def description(self) -> str:
        sha256 = hashlib.sha256(self.payload if self.promised is None else self.promised).hexdigest()
        return DESCRIPTION.format(version=self.version, install_to=self.install_to, sha256=sha256)


def signed_image(folder: Path, update: Update, signer: Signer) -> bytes:
    """The bytes of the `.swu`; `folder` is left with its parts."""
    (folder / "sw-description").write_text(update.description, encoding="ascii")
    (folder / "payload.bin").write_bytes(update.payload)
    command = [need_program("openssl", "openssl"), "cms", "-sign", "-binary", "-nosmimecap", "-outform", "DER"]
    command += ["-in", "sw-description", "-out", "sw-description.sig"]
    _run([*command, "-signer", str(signer.certificate), "-inkey", str(signer.key)], folder)
    parts = b"sw-description\nsw-description.sig\npayload.bin\n"
    return _run([need_program("cpio", "cpio"), "--quiet", "-o", "-H", "crc"], folder, parts)


def _run(command: list[str], folder: Path, given: bytes = b"") -> bytes:
    ended = subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 0, f"{command[0]} ended with {ended.returncode}: {ended.stderr.decode()}"
    return ended.stdout
