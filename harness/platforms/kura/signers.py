"""Who signs the control messages of an account: certificates with the usage of device management (spec 3.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.simulator.drivers.director import AdminCall

SIGNS: Final = "DEVICE_MANAGEMENT"
VALID: Final = "VALID"
CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate that signs control messages of an account."""

    id: str
    scope_id: str
    """Of the account that has it: this one, or one above it."""
    alias: str
    chain: tuple[str, ...]
    """PEM, its own first; the last is its root, or the highest that the server shows."""

    @property
    def own_pem(self) -> str:
        return self.chain[0]

    @property
    def root_pem(self) -> str:
        return self.chain[-1]


def signers_of(admin: KuraAdmin, scope_id: str) -> AdminCall[Sequence[Signer]]:
    """Those of an account and those that it inherits, the one in use first. None where a server shows none."""
    path = f"/v1/{scope_id}/certificateInfos?usage={SIGNS}"
    request = admin.request("GET", path)
    response = yield from admin.send(request)
    if response.status in (404, 405, 501):
        return ()
    listed = admin.part(admin.read(request, response, (200,)), list, "items")
    return [signer for one in listed if (signer := signer_in(admin.part(one, dict))) is not None]


def signer_in(document: Mapping[str, Any]) -> Signer | None:
    """None for a certificate that signs nothing, or no longer."""
    usages = {str(one.get("name")) for one in document.get("certificateUsages") or ()}
    chain = tuple(CERTIFICATE.findall(str(document.get("certificate") or "")))
    if SIGNS not in usages or document.get("status", VALID) != VALID or not chain:
        return None
    where = (str(document.get("id")), str(document.get("scopeId")))
    return Signer(*where, str(document.get("name")), chain)
