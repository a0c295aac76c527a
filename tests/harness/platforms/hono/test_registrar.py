"""Units that stay: a tenant that trusts their authority, and a device that is there once a board has called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleetrig.harness.platform import UnitSite
from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.platform import admin_of
from fleetrig.harness.platforms.hono.registrar import HonoRegistrar
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.platforms.hono.vocabulary import PROGRAM_VALUES
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.trust import verify_with
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall, Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import HonoSettings
from fleetrig.simulator.stages import Stage
from tests.harness.served import Served

pytestmark = pytest.mark.slow

T = TypeVar("T")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    options = [word for name in SERVER.listeners for word in (f"--{name}", "127.0.0.1:0")]
    with Served(tmp_path_factory.mktemp("served"), "--platform", "hono", *options) as server:
        yield server.ready


@pytest.fixture
def group(request: pytest.FixtureRequest) -> str:
    """The tenant of a test, and whom it trusts: no two tenants may trust the same authority."""
    return f"line-{request.node.name.replace('[', '-').replace(']', '')}"[:60]


@pytest.fixture
def authority(group: str) -> CertificateAuthority:
    return CertificateAuthority(group, WallClock().now_us())


@pytest.fixture
def site(served: Mapping[str, str], group: str, authority: CertificateAuthority) -> UnitSite:
    listeners = {"https": f"https://{served['https']}", "mqtts": served["mqtts"]}
    server = RemoteServer(f"http://{served['registry']}", SERVER.account, tenant=SERVER.tenant, listeners=listeners)
    return UnitSite(server, Secrets(), lambda: "0" * 32, group=group, authority_pem=authority.certificate_pem)


def registrar_of(site: UnitSite) -> HonoRegistrar:
    return HonoRegistrar(site, admin_of(site.server))


def ask(call: Callable[[], AdminCall[T]]) -> T:
    async def asked() -> T:
        async with RealBench(Trace()) as bench:
            return await bench.run(call())

    return asyncio.run(asked())


def call_in(ready: Mapping[str, str], authority: CertificateAuthority, url: str, serial: str) -> Stage:
    """A board with its certificate calls; the stage that it came to."""
    settings = HonoSettings(url, telemetry_messages=1, timeout_s=20.0, refused_tries=1)
    agent = Agent(DeviceIdentity(serial), HonoDevice(settings), authority.issue_client(serial))

    def switched_on(bench: RealBench) -> Director[Any]:
        bench.power_on(agent)
        yield Until(lambda: agent.stage in (Stage.ONLINE, Stage.REFUSED), 20.0)

    async def called() -> None:
        verify = verify_with(Path(ready["ca"]), insecure=False)
        async with RealBench(Trace(), verify=verify) as bench:
            await bench.run(switched_on(bench))

    asyncio.run(called())
    return Stage(agent.stage)


def test_a_unit_is_seen_once_its_certificate_has_made_it_known(
    site: UnitSite, served: Mapping[str, str], authority: CertificateAuthority
) -> None:
    registrar = registrar_of(site)
    ask(lambda: registrar.prepare(frozenset()))
    assert not ask(lambda: registrar.knows("GW-1"))
    given = ask(lambda: registrar.make_known("GW-1", frozenset())).given
    assert set(PROGRAM_VALUES) <= set(given)
    assert not ask(lambda: registrar.sighting("GW-1")).is_seen
    assert call_in(served, authority, given["adapter_url"], "GW-1") is Stage.ONLINE
    assert ask(lambda: registrar.sighting("GW-1")).is_seen
    assert ask(lambda: registrar.knows("GW-1"))


def test_a_unit_that_was_there_before_has_to_call_again(
    site: UnitSite, served: Mapping[str, str], authority: CertificateAuthority
) -> None:
    registrar = registrar_of(site)
    ask(lambda: registrar.prepare(frozenset()))
    url = ask(lambda: registrar.make_known("GW-1", frozenset())).given["adapter_url"]
    call_in(served, authority, url, "GW-1")
    again = registrar_of(site)
    ask(lambda: again.prepare(frozenset()))
    ask(lambda: again.make_known("GW-1", frozenset()))
    assert not ask(lambda: again.sighting("GW-1")).is_seen
    call_in(served, authority, url, "GW-1")
    assert ask(lambda: again.sighting("GW-1")).is_seen


def test_a_tenant_of_others_is_not_changed(site: UnitSite) -> None:
    registrar = registrar_of(site)
    ask(lambda: admin_for(site).create_tenant({"ext": {"theirs": True}}))
    with pytest.raises(UsageError, match="name another tenant with --profile"):
        ask(lambda: registrar.prepare(frozenset()))
    assert ask(lambda: admin_for(site).tenant_document()) == {"ext": {"theirs": True}}


def admin_for(site: UnitSite) -> HonoAdmin:
    admin = admin_of(site.server)
    admin.tenant = site.group
    return admin


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"authority_pem": b""}, "say with --authority DIR who signs for them"),
        ({"listener": "mqtt"}, "units show certificates over TLS"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_board_is_touched(
    site: UnitSite, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        ask(lambda: registrar_of(replace(site, **change)).prepare(frozenset()))
