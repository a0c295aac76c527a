"""The client certificates of a simulation: from a list, from a folder, or issued by an authority for the occasion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetrig.harness.commands.fleet_options import warn_if_others_can_read
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate

if TYPE_CHECKING:  # most simulations need no certificates, and the library takes long to import
    from fleetrig.simulator.certificates.authority import CertificateAuthority

Finish = Callable[[ClientCertificate, "CertificateAuthority"], ClientCertificate]
"""A certificate that was just issued, and who issued it -> what the device shows."""

AUTHORITY_FILES: Final = ("ca.pem", "ca-key.pem")
"""Of a folder that `fleetrig ca new` made."""


def certificates_of(
    units: Sequence[Unit], given: Path | None, now_us: int, finish: Finish = lambda certificate, _: certificate
) -> dict[str, ClientCertificate]:
    """Serial -> certificate; empty when no unit has any. Raises UsageError, which names the unit or the file."""
    listed = {unit.serial: unit.certificate_pem for unit in units if unit.certificate_pem is not None}
    if given is None and not listed:
        return {}
    if given is not None and given.is_file():
        return _issued(units, [given], now_us, finish)
    if given is not None and (given / AUTHORITY_FILES[-1]).is_file():
        return _issued(units, [given / name for name in AUTHORITY_FILES], now_us, finish)
    pems = listed if given is None else {unit.serial: _in_folder(given, unit.serial) for unit in units}
    without = next((unit.serial for unit in units if unit.serial not in pems), None)
    if without is not None:
        raise UsageError(f"{without} has no certificate, and others of the list have: give each unit one")
    return {serial: _read(serial, pem) for serial, pem in pems.items()}


def _issued(
    units: Sequence[Unit], authority_files: Sequence[Path], now_us: int, finish: Finish
) -> dict[str, ClientCertificate]:
    from fleetrig.simulator.certificates.authority import read_authority

    authority_file = authority_files[-1]
    warn_if_others_can_read(authority_file)
    try:
        authority = read_authority(b"\n".join(map(pem_file, authority_files)), now_us)
        return {unit.serial: finish(authority.issue_client(unit.serial), authority) for unit in units}
    except OSError as error:
        raise UsageError(f"--certificates: cannot read {authority_file}: {why_unread(authority_file, error)}") from None
    except ValueError as wrong:
        raise UsageError(
            f"--certificates {authority_file}: {wrong}; expected an authority, certificate and key"
        ) from None


def _in_folder(folder: Path, serial: str) -> bytes:
    """`SERIAL.pem` with both or with `SERIAL-key.pem` beside it, or `SERIAL.crt` and `SERIAL.key`."""
    if not folder.is_dir():
        raise UsageError(
            f"--certificates: {folder} is neither a folder nor a file; expected a folder with SERIAL.pem of each "
            "device, or the PEM file of an authority that issues them"
        )
    both, beside, *parts = (folder / f"{serial}{ending}" for ending in (".pem", "-key.pem", ".crt", ".key"))
    files = [both, *([beside] if beside.is_file() else [])] if both.is_file() else parts
    try:
        return b"\n".join(pem_file(file) for file in files)
    except OSError as error:
        raise UsageError(f"--certificates: cannot read {both} nor {parts[0].name} and {parts[1].name} there: "
                         f"{error.strerror or error}") from None  # fmt: skip


def _read(serial: str, pem: bytes) -> ClientCertificate:
    from fleetrig.simulator.certificates.pem import client_certificate_in

    try:
        return client_certificate_in(pem)
    except ValueError as wrong:
        raise UsageError(f"the certificate of {serial}: {wrong}") from None
