"""A unit and its server: made known, given its identity over the console, restarted, and seen by the server.

One for all boards of a command. What is platform's own stands in its `UnitRegistrar`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from fleetrig.harness.bench.console_provisioning import places_of, provision_over_console
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.platform import UnitCredential, UnitRegistrar, UnitSighting, UnitSite
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.consoles.boot_watch import Notice
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.identity_over_console import Sign, Written, fingerprint
from fleetrig.hil.units.unit_record import UnitIdentity, UnitRecord
from fleetrig.hil.units.unit_records import UnitRefused
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Pause

ASK_EVERY_S: Final = 0.5
SEEN_WITHIN_S: Final = 120.0
"""How long a board may take from its start with an identity until its server has seen it."""
TOKEN_BYTES: Final = 16
TROUBLE: Final = ("panicked", "loops")
"""After which no board polls: nobody needs to wait."""
CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class UnitNotSeen(BoardFailed):
    """The board has its identity, and its server has not heard of it."""


@dataclass(frozen=True, slots=True)
class GivenIdentity:
    """What a unit has now, fit for its record: fingerprints and no secrets."""

    credential_kind: str
    credential_fingerprint: str
    written: Written

    def in_record(self, record: UnitRecord) -> UnitRecord:
        return replace(
            record,
            credential_kind=self.credential_kind,
            credential_fingerprint=self.credential_fingerprint,
            written=dict(self.written.fingerprints),
        )


@dataclass
class SeenStart:
    """A start of a board with its identity. Whatever it says from then on is heard: make it before the restart."""

    console: Console
    trouble: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._told, self.console.on_notice = self.console.on_notice, self._noticed

    def is_in_trouble(self) -> bool:
        return bool(self.trouble)

    def _noticed(self, notice: Notice) -> None:
        self._told(notice)
        if notice.what in TROUBLE:
            self.trouble.append(notice)


@dataclass(slots=True)
class UnitProvisioning:
    """`operator` is an account's connection to the server; `sign_for` gives our authority's signature for a serial."""

    registrar: UnitRegistrar
    site: UnitSite
    operator: RealBench
    seen_within_s: float
    control: ControlInterface | None = None
    sign_for: Callable[[str], Sign] | None = None
    _since: int = field(default=0, init=False)
    """The number of the server's last event before the first unit."""

    @property
    def server(self) -> str:
        return self.site.server.url

    def configuration_sha256(self, spec: BoardSpec) -> str:
        """Of all that is the same for units of this kind: the server, and the texts with their places still open."""
        assert spec.provisioning is not None
        site = self.site
        about = [site.server.platform, site.server.url, site.server.tenant, site.listener, site.group]
        text = json.dumps([*about, asdict(spec.provisioning)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    async def prepare(self, specs: Sequence[BoardSpec]) -> None:
        """Once, before any board is touched. Raises BrokenBench, UsageError."""
        await self.operator.run(self.registrar.prepare(frozenset().union(*map(places_of, specs))))
        if self.control is not None:
            self._since = await self.operator.run(self.control.last_number())

    async def check_is_new(self, identity: UnitIdentity, *, was_tried: bool) -> None:
        """Before its board is touched. Raises UnitRefused: the server has such a unit, and we have not made it."""
        if not was_tried and await self.operator.run(self.registrar.knows(identity.serial)):
            raise UnitRefused(
                f"{self.server} knows {identity.serial} already, and no record here says that it was tried before: it "
                "may be another's; take the next serial number, or say --again to give it a new credential"
            )

    async def give(self, board: OpenedBoard, identity: UnitIdentity) -> GivenIdentity:
        """Makes the unit known, and writes what that gave. Raises what `provision_over_console` and admins raise."""
        unit = await self.operator.run(self.registrar.make_known(identity.serial, places_of(board.spec)))
        signed: list[bytes] = []
        sign = None if self.sign_for is None else _noting(self.sign_for(identity.serial), signed)
        values = {**unit.given, "mac": identity.mac}
        written = await provision_over_console(board, values, self.site.secrets, sign)
        if signed:
            return GivenIdentity("certificate", fingerprint(_leaf_der(signed[0])), written)
        return GivenIdentity(unit.credential.kind, _fingerprint(unit.credential), written)

    async def await_seen(self, start: SeenStart, serial: str) -> UnitSighting:
        """After its restart. Raises UnitNotSeen with what the server knows, PortLost, BrokenBench."""
        listening = asyncio.create_task(start.console.listen(self.seen_within_s))
        asking = asyncio.create_task(self.operator.run(self._until_seen(serial, start.is_in_trouble)))
        try:
            await asyncio.wait((asking, listening), return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            sighting = await asking
        finally:
            for task in (asking, listening):
                task.cancel()
            await asyncio.gather(asking, listening, return_exceptions=True)
        if sighting.is_seen:
            return sighting
        waited = f"within {self.seen_within_s:g} s of its restart"
        for what, line in start.trouble[:1]:
            waited = f"and the board {what} after its restart ({line})"
        refused = await self._last_refusal(serial)
        raise UnitNotSeen(
            f"{self.server} has not seen {serial} {waited}: {sighting.said}{refused}; does the board reach that "
            "server, and does it read what was written?"
        )

    def _until_seen(self, serial: str, is_over: Callable[[], bool]) -> Director[UnitSighting]:
        deadline_us = self.operator.now_us() + to_us(self.seen_within_s)
        while True:
            sighting = yield from self.registrar.sighting(serial)
            if sighting.is_seen or is_over() or self.operator.now_us() >= deadline_us:
                return sighting
            yield Pause(ASK_EVERY_S, ASK_EVERY_S, "until the unit is seen")

    async def _last_refusal(self, serial: str) -> str:
        """Why a reference server let it not in, if that is told."""
        if self.control is None:
            return ""
        refusal = await self.operator.run(self._refusal(self.control, serial))
        if refusal is None:
            return ""
        status = f" with {refusal.envelope.line}" if refusal.envelope is not None else ""
        return f", it refused it{status}: {self.site.secrets.hide(refusal.reason)}"

    def _refusal(self, control: ControlInterface, serial: str) -> AdminCall[TraceEvent | None]:
        last: TraceEvent | None = None
        number = self._since
        while True:
            page = yield from control.events_since(number)
            number = page.until
            for event in page.events:
                if event.kind == "refused" and event.device == serial:
                    last = event
            if page.is_all:
                return last


def sighting_in_record(sighting: UnitSighting) -> Callable[[UnitRecord], UnitRecord]:
    """A credential that the server has made meanwhile is the one that counts."""
    made = sighting.credential
    if made is None:
        return lambda record: record
    return lambda record: replace(record, credential_kind=made.kind, credential_fingerprint=_fingerprint(made))


def _noting(sign: Sign, signed: list[bytes]) -> Sign:
    def note(request: bytes) -> bytes:
        signed.append(sign(request))
        return signed[-1]

    return note


def _leaf_der(chain_pem: bytes) -> bytes:
    found = CERTIFICATE.search(chain_pem.decode("ascii"))
    assert found is not None
    return ssl.PEM_cert_to_DER_cert(found.group())


def _fingerprint(credential: UnitCredential) -> str:
    return fingerprint(credential.secret.encode()) if credential.secret else ""
