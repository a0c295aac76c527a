"""A gateway and our Kura server, in virtual time and over sockets: what happened to the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_name
from fleetrig.reference_server.platforms.kura.state.installation import open_installation
from fleetrig.reference_server.platforms.kura.state.provision_requests import (
    RequestDraft,
    create_request,
    requests_for,
)
from fleetrig.reference_server.platforms.kura.state.settings import Account, Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.flows.kura.components import DataService, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings
from tests.conversation.both_times import Story, until_it_ends

SERIAL = "gw-1"
USER, PASSWORD = "bootstrap-user", "Open-Sesame-1"
VIRTUAL_URL = "mqtt://kura.test:1883"


@dataclass(frozen=True)
class KuraScript:
    """How the gateway provisions itself, and what is done to it."""

    password: str = PASSWORD
    provisioning: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    cut: Callable[[], PowerCutTrigger | None] = lambda: None


@dataclass(frozen=True)
class Provisioned(Story):
    """One run, and what the gateway and the server know at its end."""

    memory: Mapping[str, Json]
    job: str

    @property
    def steps(self) -> list[str]:
        """What it did and heard, in short."""
        quiet = ("entered", "remembered")
        return [f"{kind} {name}".strip() for kind, name, *_ in self.device_lane if kind not in quiet]

    @property
    def stages(self) -> list[str]:
        return [str(stage) for kind, _, stage, *_ in self.device_lane if kind == "entered"]


def built(store: Store) -> KuraPlatform:
    """A server whose operator has made one provision request; whatever it draws is the same in both times."""
    blobs: Blobs = None  # type: ignore[assignment] # the platform keeps no files
    made = KuraPlatform(store, blobs, SeededEntropy(1), Settings(accounts=(Account("acct", "admin", PASSWORD),)))
    open_installation(made.registry, VIRTUAL_EPOCH_US)
    account = account_by_name(made.registry, "acct")
    assert account is not None
    draft = RequestDraft(account.id, SERIAL, username=USER, password=PASSWORD, retry_max_attempts=-1)
    with store.transaction():
        create_request(made.registry, draft, VIRTUAL_EPOCH_US, "admin")
    return made


def gateway(script: KuraScript, url: str) -> Agent:
    """In haste: what takes seconds is Kura's own law, which has no less than one."""
    service = ProvisioningService(
        enabled=True,
        ca_authentication=False,
        broker_url=url,
        username=USER,
        password=script.password,
        client_id=SERIAL,
        **{"retry_interval_s": 1, "timeout_s": 10, **script.provisioning},
    )
    settings = KuraSettings(
        provisioning=service,
        data=DataService(retry_interval_s=1, rate_limit=False),
        staging_s=0.05,
        telemetry_interval_s=0.05,
        telemetry_messages=2,
        telemetry_qos=1,
    )
    return Agent(DeviceIdentity(SERIAL), KuraGateway(settings))


def in_virtual_time(script: KuraScript) -> Provisioned:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    store, plan = MemoryStore(), FaultPlan(Random(1).random)
    made = built(store)
    made.listens_at({"mqtt": VIRTUAL_URL})
    bench = VirtualBench(Server(made, store, plan, trace, Secrets()), trace, seed=1)
    for fault in script.faults:
        plan.add(fault, bench.now_us())
    agent = gateway(script, VIRTUAL_URL)
    bench.power_on(agent, trigger=script.cut())
    assert bench.run(until_it_ends(events)), Story(events).device_lane[-9:]
    return Provisioned(events, dict(agent.remembered), job_of(made))


def job_of(made: KuraPlatform) -> str:
    return str(requests_for(made.registry, SERIAL)[0].job.status)


def over_sockets(script: KuraScript) -> Provisioned:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    made: list[KuraPlatform] = []
    agents: list[Agent] = []

    def build(store: Store, blobs: object, entropy: object) -> KuraPlatform:
        del blobs, entropy
        made.append(built(store))
        return made[-1]

    options = ServerOptions((PlatformOptions("kura", build, {"mqtt": ANY_LOOPBACK_PORT, "http": ANY_LOOPBACK_PORT}),))

    async def told() -> None:
        async with ReferenceServer(options, trace) as server, RealBench(trace, seed=1) as bench:
            for fault in script.faults:
                server.add_fault(fault)
            agents.append(gateway(script, server.url("kura", "mqtt")))
            bench.power_on(agents[-1], trigger=script.cut())
            assert await bench.run(until_it_ends(events)), Story(events).device_lane[-9:]
            assert server.bugs == []

    asyncio.run(told())
    return Provisioned(events, dict(agents[-1].remembered), job_of(made[-1]))


def same_in_both(script: KuraScript) -> Provisioned:
    """What happened in virtual time, once it is that in real time too. Numbers of snapshots are dates."""
    virtual, real = in_virtual_time(script), over_sockets(script)
    assert real.steps == virtual.steps
    assert real.stages == virtual.stages
    assert real.memory.keys() == virtual.memory.keys()
    assert real.job == virtual.job
    return virtual
