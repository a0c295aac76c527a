"""The folder of an authority: `ca.pem`, `ca-key.pem`, `index.txt` and, once asked for, `crl.pem` and `cross.pem`.

`ca.pem` holds its certificate and all authorities above it; `cross.pem` the certificate that an older authority made
for it, and those above that. One command at a time works in a folder: the others wait.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509

from fleetrig.harness.commands.ca.index import IssuedEntry, index_text, read_index
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.interrupts import finishing_first
from fleetrig.harness.run.private_files import FOR_OWNER
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.certificates.authority import CertificateAuthority, read_authority
from fleetrig.simulator.certificates.keys import KeyMaker
from fleetrig.simulator.certificates.pem import crls_in
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said

CERTIFICATE: Final = "ca.pem"
KEY: Final = "ca-key.pem"
INDEX: Final = "index.txt"
CRL: Final = "crl.pem"
CROSS: Final = "cross.pem"


class AuthorityFolder:
    """One authority on disk, held for this process while the block of `opened` lasts."""

    def __init__(self, path: Path, pem: bytes, crossed_pem: bytes, entries: list[IssuedEntry]) -> None:
        """Both PEM, with the key; `crossed_pem` is empty without a `cross.pem`."""
        self.path = path
        self._pem = pem
        self._crossed_pem = crossed_pem
        self.entries = entries

    def authority(self, now_us: int) -> CertificateAuthority:
        """As it was made. Raises UsageError for files that make none."""
        return self._read_as(self._pem, now_us)

    def issuing(self, now_us: int, keys: KeyMaker | None = None) -> CertificateAuthority:
        """As its devices show it: with a `cross.pem` below the older one. Raises UsageError."""
        return self._read_as(self._crossed_pem or self._pem, now_us, keys)

    def _read_as(self, pem: bytes, now_us: int, keys: KeyMaker | None = None) -> CertificateAuthority:
        try:
            return read_authority(pem, now_us, keys=keys)
        except ValueError as wrong:
            raise UsageError(f"{self.path} is no authority: {wrong}; see `fleetrig ca new --help`") from None

    def note(self, issued: Iterable[x509.Certificate]) -> None:
        """Writes what was issued into the index."""
        self.keep([*self.entries, *map(IssuedEntry.of, issued)])

    def keep(self, entries: list[IssuedEntry]) -> None:
        with whole_file(self.path / INDEX, FOR_OWNER) as file:
            file.write(index_text(entries))
        self.entries = entries

    def keep_with_crl(self, entries: list[IssuedEntry], now_us: int, days: float) -> Path:
        """Writes index and list of revoked certificates. Raises UsageError, and then neither is written."""
        path = self.path / CRL
        try:
            validity = Validity.days(now_us, days, earlier_us=0)
        except (ValueError, OverflowError):
            raise UsageError(f"--crl-days: no date is {days:g} days from now") from None
        revocations = [one.revocation for one in entries if one.revoked]
        signer, number = self.authority(now_us).signer, self._next_crl_number(path)
        text = signer.revocation_list(revocations, number, validity).decode()
        with finishing_first():
            self.keep(entries)
            with whole_file(path) as file:
                file.write(text)
        return path

    def _next_crl_number(self, path: Path) -> int:
        if not path.exists():
            return 1
        try:
            (last,) = crls_in(pem_file(path))
            return last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
        except (ValueError, x509.ExtensionNotFound):
            raise UsageError(f"{path} is no list of this authority: move it away") from None


@contextmanager
def opened(path: Path) -> Iterator[AuthorityFolder]:
    """An authority's folder. Raises UsageError for what is none, and for a key that others can read."""
    if not path.is_dir():
        what = "is a file, not the folder of an authority" if path.exists() else "is not there"
        raise UsageError(f"{shown_path(path)} {what}: `fleetrig ca new {shown_path(path)}` makes an authority")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as wrong:
        raise UsageError(f"cannot read {shown_path(path)}: {system_said(wrong)}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield _read(path)
    finally:
        os.close(descriptor)


def _read(path: Path) -> AuthorityFolder:
    try:
        certificate, key = (pem_file(path / name) for name in (CERTIFICATE, KEY))
        crossed = pem_file(path / CROSS) if (path / CROSS).exists() else b""
        mode = (path / KEY).stat().st_mode
        entries = _index_of(path / INDEX)
    except FileNotFoundError as missing:
        name = Path(str(missing.filename)).name
        raise UsageError(
            f"{path} is no folder of an authority, it has no {name}: `fleetrig ca new` makes one; of an authority that "
            f"you have, copy certificate and key there as {CERTIFICATE} and {KEY}"
        ) from None
    except OSError as wrong:
        raise UsageError(f"cannot read {wrong.filename}: {system_said(wrong)}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"{path / KEY} holds a private key and can be read by others: chmod 600 {path / KEY}")
    return AuthorityFolder(path, certificate + b"\n" + key, crossed and crossed + b"\n" + key, entries)


def _index_of(path: Path) -> list[IssuedEntry]:
    """Of an authority that was brought along there may be none yet."""
    try:
        return read_index(path.read_text(encoding="utf-8")) if path.exists() else []
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None
