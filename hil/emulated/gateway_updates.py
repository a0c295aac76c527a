"""Updates as the vendor of the emulated gateway makes them: an SWUpdate image with its firmware, signed.

openssl and cpio are called as programs. Debian's swupdate takes a CMS signature by a certificate for e-mail protection.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.simulator.contract.errors import BrokenBench

GATEWAY_TAKES: Final = "/data/vendor.crt"
"""Where the gateway has the certificate of whoever may update it."""
SLOT: Final = "/dev/slot-next"
PACKAGES: Final = {"openssl": "openssl", "cpio": "cpio"}
PARTS: Final = b"sw-description\nsw-description.sig\npayload.bin\n"
WITHIN_S: Final = 60.0


class UpdateSigner(NamedTuple):
    """Who signs: files of a key and its certificate."""

    key: Path
    certificate: Path


def signer_in(folder: Path) -> UpdateSigner:
    """The one of this folder, made if it is not there. Raises BrokenBench."""
    signer = UpdateSigner(folder / "vendor.key", folder / "vendor.crt")
    if not signer.certificate.exists():
        _run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vendor",
             "-keyout", str(signer.key), "-out", str(signer.certificate),
             "-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=emailProtection"],
            folder,
        )  # fmt: skip
    return signer


def signed_update(folder: Path, firmware: bytes, signer: UpdateSigner) -> bytes:
    """The bytes of the `.swu`; its parts are left in `folder`. Raises BrokenBench."""
    (folder / "payload.bin").write_bytes(firmware)
    (folder / "sw-description").write_text(_description(firmware), encoding="ascii")
    _run(
        ["openssl", "cms", "-sign", "-binary", "-nosmimecap", "-outform", "DER", "-in", "sw-description",
         "-out", "sw-description.sig", "-signer", str(signer.certificate), "-inkey", str(signer.key)],
        folder,
    )  # fmt: skip
    return _run(["cpio", "--quiet", "-o", "-H", "crc"], folder, PARTS)


def _description(firmware: bytes) -> str:
    sha256 = hashlib.sha256(firmware).hexdigest()
    image = f'filename = "payload.bin"; type = "raw"; device = "{SLOT}"; sha256 = "{sha256}";'
    return f'software = {{ version = "2"; hardware-compatibility: [ "1.0" ]; images: ( {{ {image} }} ); }}\n'


def _run(command: list[str], folder: Path, given: bytes = b"") -> bytes:
    if shutil.which(command[0]) is None:
        raise BrokenBench(f"{command[0]} is not there: apt-get install {PACKAGES[command[0]]}")
    ended = subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False, timeout=WITHIN_S)
    if ended.returncode:
        raise BrokenBench(
            f"{command[0]} ended with {ended.returncode}: {ended.stderr.decode(errors='replace').strip()}"
        )
    return ended.stdout
