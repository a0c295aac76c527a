"""A ThingsBoard device and our server, in virtual time and over sockets: what happened to the device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.checks.event_folds import NeverFold, OrderFold, TimesPerDeviceFold
from fleetrig.harness.checks.fold import Fold
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.scenario_file.values import Times
from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.thingsboard.mqtt.peer_certificates import text_of
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3
from fleetrig.reference_server.platforms.thingsboard.state.devices import NewDevice, create_device, device_named
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.people import open_installation
from fleetrig.reference_server.platforms.thingsboard.state.profiles import create_profile, profile_named
from fleetrig.reference_server.platforms.thingsboard.state.records import TENANT, DeviceProfile, ProvisionType
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, OwnCertificate, ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.conversation.both_times import Story, trusting, until_it_ends

SERIAL = "dev-1"
KEY = ProvisionKey("a-provision-key", "a-provision-secret")
PORTS = {"mqtt": 1883, "mqtts": 8883, "http": 8080, "https": 8443, "coap": 5683, "coaps": 5684}
HASTE: Mapping[str, Any] = {
    "backoff": Backoff(base_s=0.02, cap_s=0.04, floor_s=0.01),
    "telemetry_interval_s": 0.03,
    "telemetry_messages": 2,
}
PLANT = CertificateAuthority("plant", VIRTUAL_EPOCH_US, valid_days=20_000.0)
"""Its certificates are good in virtual time and today."""
PLANT_DER = PLANT.certificate.public_bytes(Encoding.DER)


def chain_of(leaf: ClientCertificate) -> ClientCertificate:
    """With its authority, by which the profile is found."""
    return replace(leaf, chain=(leaf.chain[0], PLANT_DER))


CHAIN = chain_of(PLANT.issue_client(SERIAL))


@dataclass(frozen=True)
class TbScript:
    """How the device provisions itself, what it brings along and what is done to it."""

    by: str = "mqtt"
    """The scheme."""
    reports_by: str = ""
    own: Credentials | None = None
    key: ProvisionKey | None = KEY
    shows: ClientCertificate | None = None
    strategy: ProvisionType = ProvisionType.ALLOW_CREATE
    generation: Profile = Profile.CURRENT
    listed: tuple[str, ...] = ()
    """Devices that an operator has imported."""
    faults: tuple[Fault, ...] = ()
    cut: Callable[[], PowerCutTrigger | None] = lambda: None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schemes(self) -> list[str]:
        return sorted({self.by, self.reports_by or self.by})


@dataclass(frozen=True)
class Told(Story):
    """One run, and what the device and the server know at its end."""

    memory: Mapping[str, Json]
    exists: bool

    @property
    def verdicts(self) -> dict[str, str]:
        checks = expectations()
        for event in self.events:
            for check in checks.values():
                check.step(event)
        return {name: check.status().value for name, check in checks.items()}

    @property
    def steps(self) -> list[str]:
        """What it did and heard, in short."""
        quiet = ("entered", "remembered")
        return [f"{kind} {name}".strip() for kind, name, *_ in self.device_lane if kind not in quiet]

    @property
    def stages(self) -> list[str]:
        return [str(stage) for kind, _, stage, *_ in self.device_lane if kind == "entered"]


def lives() -> Lives:
    return Lives([SERIAL])


def expectations() -> dict[str, Fold]:
    """What is expected of a device that nothing disturbs."""
    return {
        "in order": OrderFold([Pattern("received", name=name) for name in ("provision", "telemetry")], [SERIAL]),
        "provisions once": TimesPerDeviceFold(
            Pattern("received", name="provision"), [SERIAL], Times(at_least=1, at_most=1), lives()
        ),
        "gets every answer": NeverFold(Pattern("no_reply"), lives()),
    }


def built(script: TbScript, store: Store) -> ThingsBoardPlatform:
    """A server that its operator has prepared; whatever it draws is the same in both times."""
    blobs: Blobs = None  # type: ignore[assignment] # the platform keeps no files
    made = ThingsBoardPlatform(store, blobs, SeededEntropy(1), Settings(script.generation))
    registry = made.registry
    open_installation(registry, VIRTUAL_EPOCH_US)
    tenant_id = next(iter(store.scan(TENANT, "installation"))).id
    for name, key, strategy, more in (
        ("make", KEY.key, script.strategy, {"provisionDeviceSecret": KEY.secret}),
        ("chain", sha3(text_of(PLANT_DER)), ProvisionType.CERTIFICATE_CHAIN,
         {"certificateRegExPattern": "(.*)", "allowCreateNewDevicesByX509Certificate": True}),
    ):  # fmt: skip
        data = {"provisionConfiguration": {"type": strategy, **more}}
        create_profile(
            registry,
            DeviceProfile(
                registry.new_id(VIRTUAL_EPOCH_US), tenant_id, 0, name,
                provision_type=strategy, provision_device_key=key, profile_data=data,
            ),
        )  # fmt: skip
    profile = profile_named(registry, tenant_id, "make")
    assert profile is not None
    for serial in script.listed:
        create_device(registry, profile, NewDevice(serial), VIRTUAL_EPOCH_US)
    return made


def exists(made: ThingsBoardPlatform) -> bool:
    tenant_id = next(iter(made.registry.store.scan(TENANT, "installation"))).id
    return device_named(made.registry, tenant_id, SERIAL) is not None


def device(script: TbScript, url: Callable[[str], str]) -> Agent:
    settings = ThingsBoardSettings(
        url(script.by), url(script.reports_by) if script.reports_by else "", **{**HASTE, **script.settings}
    )
    return Agent(DeviceIdentity(SERIAL), ThingsBoardDevice(settings, script.key, script.own), script.shows)


def in_virtual_time(script: TbScript) -> Told:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    store, plan = MemoryStore(), FaultPlan(Random(1).random)
    made = built(script, store)
    bench = VirtualBench(Server(made, store, plan, trace, Secrets()), trace, seed=1)
    for fault in script.faults:
        plan.add(fault, bench.now_us())
    agent = device(script, lambda scheme: f"{scheme}://tb.test:{PORTS[scheme]}")
    bench.power_on(agent, trigger=script.cut())
    assert bench.run(until_it_ends(events)), Story(events).device_lane[-9:]
    return Told(events, dict(agent.remembered), exists(made))


def over_sockets(script: TbScript) -> Told:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    made: list[ThingsBoardPlatform] = []
    agents: list[Agent] = []

    def build(store: Store, blobs: object, entropy: object) -> ThingsBoardPlatform:
        made.append(built(script, store))
        return made[-1]

    listeners = dict.fromkeys(script.schemes, ANY_LOOPBACK_PORT)
    options = ServerOptions((PlatformOptions("thingsboard", build, listeners, ClientAuth.ANY),))

    async def told() -> None:
        async with (
            ReferenceServer(options, trace) as server,
            RealBench(trace, seed=1, verify=trusting(server)) as bench,
        ):
            for fault in script.faults:
                server.add_fault(fault)
            agents.append(device(script, lambda scheme: server.url("thingsboard", scheme)))
            bench.power_on(agents[-1], trigger=script.cut())
            assert await bench.run(until_it_ends(events)), Story(events).device_lane[-9:]
            assert server.bugs == []

    asyncio.run(told())
    return Told(events, dict(agents[-1].remembered), exists(made[-1]))


def same_in_both(script: TbScript) -> Told:
    """What happened in virtual time, once it is that in real time too."""
    virtual, real = in_virtual_time(script), over_sockets(script)
    assert real.device_lane == virtual.device_lane
    assert real.verdicts == virtual.verdicts
    assert real.memory == virtual.memory
    assert real.exists is virtual.exists
    return virtual


def own_certificate() -> OwnCertificate:
    return OwnCertificate.of(CHAIN)
