"""Our authority signs what boards ask for: `ca sign` for units, with the subject that they are to have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fleetrig.harness.commands.ca.folder import opened
from fleetrig.harness.commands.ca.issue import chain_pem
from fleetrig.harness.commands.ca.options import now_us, validity_of
from fleetrig.hil.consoles.identity_over_console import IdentityFailed, Sign
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.certificates.signing_request import read_request, requested_profile


def certificate_of(folder: Path) -> bytes:
    """Of the authority that signs, in PEM. Raises UsageError for what is none."""
    with opened(folder) as held:
        return held.issuing(now_us()).certificate_pem


def signing(folder: Path) -> Callable[[str], Sign]:
    """Serial -> who signs for it."""
    return lambda serial: lambda request: _signed(folder, serial, request)


def _signed(folder: Path, serial: str, request: bytes) -> bytes:
    """The chain as the board shows it, the root included. Whatever name the board asks for, it gets its own.

    Raises IdentityFailed for what is no request, UsageError for what the folder lacks.
    """
    at_us = now_us()
    try:
        asked = read_request(request)
        profile = requested_profile(
            asked, validity_of(at_us, None, None, None), subject=distinguished_name(f"CN={serial}"), takes_names=False
        )
    except ValueError as wrong:
        raise IdentityFailed(f"the board's signing request cannot be signed: {wrong}") from None
    with opened(folder) as held:
        authority = held.issuing(at_us)
        certificate = authority.issue(profile, asked.public_key(), serial)
        held.note([certificate])
    return chain_pem(authority, certificate, without_root=False)
