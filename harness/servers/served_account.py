"""Who administers a server of ours, as its control interface tells it: the password by reference, never in clear."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.servers.address import host_of, is_loopback
from fleetrig.harness.servers.secrets import checked_account, from_environment, secret_from
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.json_types import Json

WELL_KNOWN: Final = "well-known"
"""In place of a password: the one of every fresh server of the platform."""
AS_GIVEN: Final = "as given"
"""In place of a password: only who started the server knows it."""


@dataclass(frozen=True, slots=True)
class ServedAccount:
    """`password` is `WELL_KNOWN`, `AS_GIVEN`, `env:NAME`, or the path of a file on the machine of the server."""

    user: str
    password: str

    def to_json(self) -> dict[str, Json]:
        return {"user": self.user, "password": self.password}


def served_account(account: UserPassword, well_known: UserPassword, reference: str | None) -> ServedAccount:
    """`reference`: what the command line named for the password, if it did."""
    if account == well_known:
        return ServedAccount(account.user, WELL_KNOWN)
    if reference is None:
        return ServedAccount(account.user, AS_GIVEN)
    return ServedAccount(account.user, reference if reference.startswith("env:") else str(Path(reference).absolute()))


def administrator_of(
    account: ServedAccount,
    well_known: UserPassword,
    where: str,
    url: str,
    environ: Mapping[str, str] = os.environ,
) -> UserPassword:
    """Raises UsageError for a password that cannot be known here; `where` is the control interface, `url` the server.

    What another machine names is not read: it could have any secret of this one sent to itself.
    """
    is_here = is_loopback(host_of(where)) and is_loopback(host_of(url))
    try:
        password = _password_of(account, well_known, environ, is_here=is_here)
    except UsageError as wrong:
        raise UsageError(
            f"the password of {account.user} on the server at {where} is not known here: {wrong}. Give a SERVER.yaml "
            f"with `control: {where}`, `user: {account.user}` and `password: env:NAME`"
        ) from None
    return checked_account(account.user, password, f"the account that {where} tells")


def _password_of(account: ServedAccount, well_known: UserPassword, environ: Mapping[str, str], *, is_here: bool) -> str:
    if account.password == WELL_KNOWN:
        return well_known.password
    if account.password == AS_GIVEN:
        raise UsageError("only who started the server knows it")
    if not is_here:
        raise UsageError(f"{account.password} is of the server's machine, and no secret of this one is sent elsewhere")
    if account.password.startswith("env:"):
        return from_environment(account.password, environ)
    return secret_from(account.password, "the server's --admin-password")
