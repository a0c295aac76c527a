"""The server that units are to be of, and who signs for them, as the options of `board bring-up` name them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.bench.unit_provisioning import UnitProvisioning
from fleetrig.harness.platform import Platform, UnitSite
from fleetrig.hil.board import BoardSpec
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench

TOKEN_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class UnitServer:
    """`authority` is the folder of who signs; None if nobody does."""

    site: UnitSite
    platform: Platform
    authority: Path | None
    verify: ssl.SSLContext | bool
    seen_within_s: float

    def check(self, spec: BoardSpec) -> None:
        """Raises UsageError for a board that makes its key, if nobody signs for it, and the other way round."""
        assert spec.provisioning is not None
        if spec.provisioning.key and self.authority is None:
            raise UsageError(
                f"{spec.name} makes its own key: say who signs for it, --authority DIR (`fleetrig ca new`)"
            )
        if self.authority is not None and not spec.provisioning.key:
            raise UsageError(f"--authority signs for boards that make their keys, and {spec.name} has no `csr`")

    @asynccontextmanager
    async def connected(self, specs: Sequence[BoardSpec]) -> AsyncIterator[UnitProvisioning]:
        """Once the server has been asked, and is ready for these boards. Raises BrokenBench, UsageError."""
        assert self.platform.registrar is not None
        sign_for = None
        if self.authority is not None:
            sign_for = self._signing(self.authority)
        async with RealBench(Trace(), verify=self.verify) as operator:
            provisioning = UnitProvisioning(
                self.platform.registrar(self.site), self.site, operator, self.seen_within_s, self.site.server.control,
                sign_for,
            )  # fmt: skip
            await provisioning.prepare(specs)
            yield provisioning
