"""Which certificates are accepted: those of the system's authorities, of a given CA, or any."""

from __future__ import annotations

import ssl
from pathlib import Path

from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import UsageError


def verify_with(ca: Path | None, *, insecure: bool, file_ca: Path | None = None) -> ssl.SSLContext | bool:
    """How certificates are checked; True stands for the system's authorities.

    `ca` comes from `--ca` and wins over `file_ca`, which a SERVER.yaml names. Raises UsageError for a CA that cannot be
    read.
    """
    if ca is not None and insecure:
        raise UsageError("--ca and --insecure contradict each other: give one of them")
    if insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    trusted = ca or file_ca
    if trusted is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(trusted))
    except ssl.SSLError:
        raise UsageError(f"the CA {trusted} holds no PEM certificate (-----BEGIN CERTIFICATE-----)") from None
    except OSError as wrong:
        raise UsageError(f"cannot read the CA {trusted}: {why_unread(trusted, wrong)}") from None


def context_of(verify: ssl.SSLContext | bool) -> ssl.SSLContext | None:
    """For clients of the standard library: None for plain HTTP and for the system's authorities."""
    return verify if isinstance(verify, ssl.SSLContext) else None
