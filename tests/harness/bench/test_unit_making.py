"""What stands in a unit's record at each step towards its server, whatever ends the attempt there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.unit_bring_up import UnitMaking
from fleetrig.harness.bench.unit_climbs import UnitOrder
from fleetrig.harness.bench.unit_provisioning import UnitProvisioning
from fleetrig.harness.platform import UnitCredential, UnitSighting, UnitSite, UnitValues
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.units.bring_up import Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.harness.bench.factory import IDENTITY, Factory

pytestmark = pytest.mark.slow

URL = "http://127.0.0.1:1"
SITE = UnitSite(RemoteServer(URL, UserPassword("admin", "admin")), Secrets(), lambda: "token")
UNIT = UnitIdentity("GW-1")

Step = Callable[[], None]


def nothing() -> None:
    pass


class WatchedRegistrar:
    """A server of which nothing is there; what happens when it is asked is handed in."""

    def __init__(self, on_make_known: Step = nothing, on_sighting: Step = nothing) -> None:
        self.known = False
        self._on_make_known = on_make_known
        self._on_sighting = on_sighting

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        del places
        yield from ()

    def knows(self, serial: str) -> AdminCall[bool]:
        del serial
        yield from ()
        return self.known

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        del places
        yield from ()
        self.known = True
        self._on_make_known()
        given = {"url": URL, "tenant": "DEFAULT", "id": serial, "token": "0123456789abcdef"}
        return UnitValues(given, UnitCredential("target_token", given["token"]))

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        yield from ()
        self._on_sighting()
        return UnitSighting(True, f"{serial} is there")


@pytest.fixture
def records(tmp_path: Path) -> UnitRecords:
    return UnitRecords(tmp_path / "units")


@pytest.fixture
def make(tmp_path: Path, records: UnitRecords):
    """One attempt on a board, with its server as the registrar says it."""
    with Factory(tmp_path, "hawkbit") as factory:
        factory.add("left", calls=lambda identity: 0)
        spec = read_bench(factory.write_bench()).board("left")
        order = UnitOrder(spec, UNIT, "here", Rung.PROVISIONED, tmp_path)

        async def attempt(registrar: WatchedRegistrar) -> UnitRecord:
            clock = WallClock()
            async with RealBench(Trace()) as operator:
                provisioning = UnitProvisioning(registrar, SITE, operator, 30.0)
                desk = Reservations(tmp_path / "desk", clock)
                making = UnitMaking(records, desk, clock, lambda name: tmp_path, provisioning=provisioning)
                return await making.make(order)

        yield lambda registrar: asyncio.run(attempt(registrar))


def test_the_server_stands_in_the_record_before_the_server_knows_the_unit(make, records) -> None:
    """So a bench that dies in between may try the unit again, and nobody takes it for another's."""
    stood: list[UnitRecord] = []

    def dies() -> None:
        stood.extend(records.of("GW-1"))
        raise BrokenBench("the power of the bench went")

    registrar = WatchedRegistrar(on_make_known=dies)
    assert make(registrar).verdict is UnitVerdict.BROKEN
    assert [(record.verdict, record.server) for record in stood] == [(UnitVerdict.UNFINISHED, URL)]
    assert registrar.known
    assert make(WatchedRegistrar()).verdict is UnitVerdict.PASSED


def test_what_was_written_stands_in_the_record_while_the_server_is_asked(make, records) -> None:
    stood: list[UnitRecord] = []
    make(WatchedRegistrar(on_sighting=lambda: stood.extend(records.of("GW-1"))))
    assert [(record.verdict, record.credential_kind, [*record.written]) for record in stood] == [
        (UnitVerdict.UNFINISHED, "target_token", [IDENTITY])
    ]


@pytest.mark.parametrize(
    ("moment", "condition"),
    [
        ("on_make_known", "on the way to an identity, of which it may have a part"),
        ("on_sighting", "given its identity, and its server has not seen it yet"),
    ],
)
def test_a_stop_says_in_what_condition_the_board_is(make, records, moment: str, condition: str) -> None:
    def stop() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        make(WatchedRegistrar(**{moment: stop}))
    (record,) = records.of("GW-1")
    assert record.reason == f"stopped; the board is {condition}: begin anew"
    assert record.phases[-1].verdict is UnitVerdict.STOPPED
