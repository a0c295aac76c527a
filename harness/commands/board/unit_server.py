"""The server that units are to be of, and who signs for them, as the options of `board bring-up` name them."""

from __future__ import annotations

import secrets as chance
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fleetrig.harness.bench.console_provisioning import check_can_be_provisioned
from fleetrig.harness.bench.unit_provisioning import TOKEN_BYTES, UnitProvisioning
from fleetrig.harness.platform import Platform, UnitSite, platform_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.address import name_in_url
from fleetrig.harness.servers.description import description_of, expected
from fleetrig.harness.servers.server_file import platform_named_by, remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.consoles.identity_over_console import Sign
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench


@dataclass(frozen=True, slots=True)
class UnitServer:
    """`authority` is the folder of who signs; None if nobody does."""

    site: UnitSite
    platform: Platform
    authority: Path | None
    verify: ssl.SSLContext | bool
    seen_within_s: float

    def check(self, spec: BoardSpec) -> None:
        """Before any board is touched. Raises UsageError: it cannot be given an identity of this platform."""
        check_can_be_provisioned(spec, self.platform, is_signed=self.authority is not None)
        assert spec.provisioning is not None
        if self.authority is not None and not spec.provisioning.key:
            raise UsageError(f"--authority signs for boards that make their keys, and {spec.name} has no `csr`")

    @asynccontextmanager
    async def connected(self, specs: Sequence[BoardSpec]) -> AsyncIterator[UnitProvisioning]:
        """Once the server has been asked, and is ready for these boards. Raises BrokenBench, UsageError."""
        assert self.platform.registrar is not None
        sign_for = None if self.authority is None else self._signing(self.authority)
        async with RealBench(Trace(), verify=self.verify) as operator:
            provisioning = UnitProvisioning(
                self.platform.registrar(self.site), self.site, operator, self.seen_within_s, self.site.server.control,
                sign_for,
            )  # fmt: skip
            await provisioning.prepare(specs)
            yield provisioning

    def _signing(self, folder: Path) -> Callable[[str], Sign]:
        # Only here: the library takes long to import, and most units need no certificates.
        from fleetrig.harness.commands.board.unit_signing import signing

        return signing(folder)


def unit_server(
    against: str,
    platform_name: str | None,
    *,
    listener: str,
    group: str,
    authority: Path | None,
    ca: Path | None,
    insecure: bool,
    may_change_settings: bool,
    seen_within_s: float,
) -> UnitServer:
    """Raises UsageError, FileMistakes."""
    name = platform_name or platform_named_by(against)
    if name is None:
        raise UsageError(f"--platform is missing: what is the server at {against}? {expected('', tuple(PLATFORMS))}")
    platform = platform_of(name)
    server = remote_server_from(against, name, may_change_settings=may_change_settings)
    if listener and listener not in (known := description_of(name).listeners):
        raise UsageError(f"--transport {listener!r}: {expected(listener, known)}")
    pem = b"" if authority is None else _certificate_of(authority)
    site = UnitSite(
        server, Secrets(), lambda: chance.token_hex(TOKEN_BYTES), listener, name_in_url(group, "--profile"), pem
    )
    return UnitServer(site, platform, authority, verify_with(ca, insecure=insecure, file_ca=server.ca), seen_within_s)


def _certificate_of(folder: Path) -> bytes:
    from fleetrig.harness.commands.board.unit_signing import certificate_of

    return certificate_of(folder)
