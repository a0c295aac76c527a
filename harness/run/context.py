"""Everything that a scenario's words work on: the bench, the server, the devices, and what was made for the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from fleetrig.harness.checks.model_watch import ModelWatch
from fleetrig.harness.external.view import device_view
from fleetrig.harness.platform import Platform, Work
from fleetrig.harness.run.known_deviations import Known
from fleetrig.harness.scenario_file.scenario import Devices, Scenario
from fleetrig.harness.servers.under_test import ServerUnderTest
from fleetrig.harness.verdict import PhaseResult
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, TlsCredential
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.director import Driver
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Behaviour

if TYPE_CHECKING:  # serial ports and what hangs on them are for runs with boards
    from fleetrig.harness.run.run_boards import RunBoards


@dataclass(slots=True)
class Device:
    """One unit on the bench. Behaviour and credential can be changed; changes take effect at power-on."""

    identity: DeviceIdentity
    credential: Credential | None
    behaviour: Behaviour
    """The platform's own, before a test has changed anything about it."""
    agent: Agent

    @property
    def serial(self) -> str:
        return self.identity.serial


@dataclass(slots=True)
class Progress:
    """The progress of a run. It outlives the director, so that an aborted run keeps the results so far."""

    done: list[PhaseResult] = field(default_factory=list)
    phase: str = ""
    """The phase that is under way."""
    began_us: int = 0

    def broken(self, why: str, now_us: int) -> tuple[PhaseResult, ...]:
        """All phases so far, the one under way as broken."""
        if not self.phase:
            return tuple(self.done)
        return (*self.done, PhaseResult(self.phase, (), to_s(now_us - self.began_us), why))


def default_behaviour(behaviour: Behaviour) -> Behaviour:
    """Devices behave as their platform's flow does."""
    return behaviour


@dataclass(slots=True)
class RunContext:
    scenario: Scenario
    platform: Platform
    driver: Driver
    server: ServerUnderTest
    secrets: Secrets
    new_token: Callable[[str], str]
    """Makes a token for a purpose: random in real time, a hash of seed and purpose in virtual time."""
    results: Path
    """The folder for records."""
    prefix: str = ""
    """Prefix of every name on a shared server."""
    behaviour: Callable[[Behaviour], Behaviour] = default_behaviour
    """Applied to the behaviour of each device: tests make devices that misbehave."""
    watch: PowerCutTrigger | None = None
    """In a dry run: lists the points of the first device at which power can be cut."""
    devices: dict[str, Device] = field(default_factory=dict)
    behind: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Gateway -> the serials of those behind it that have no connection of their own."""
    cuts: dict[str, PowerCutTrigger] = field(default_factory=dict)
    """Serial -> the watch that cuts the device's power once."""
    touched: set[str] = field(default_factory=set)
    """The devices that an action could have made known to the server so far."""
    switched_on: set[str] = field(default_factory=set)
    """The devices that were switched on so far."""
    heard: set[str] = field(default_factory=set)
    """The devices that the server has heard so far, where the server says what they do."""
    fault_ids: list[int] = field(default_factory=list)
    """Faults that were added to the server."""
    fault_on_its_way: Fault | None = None
    """The fault that the server was asked to add and has not answered yet."""
    progress: Progress = field(default_factory=Progress)
    image: Path | None = None
    """What `deploy` gives to devices, in place of an image made for the run."""
    output_of: Callable[[str], str] = lambda serial: ""
    """Returns the output of a device's program; simulated devices have none."""
    forget: Callable[[Agent], None] = Agent.forget
    """Has a device that is off forget all that it has stored."""
    view: Callable[[TraceEvent], Iterable[TraceEvent]] = device_view
    """What checks get to see of an event."""
    model_watch: ModelWatch | None = None
    """Follows the devices with their models, where the scenario asks for that."""
    boards: RunBoards | None = None
    """The boards that the scenario works on; None for a scenario without."""
    known: Known = field(default_factory=Known)
    """Where this device or server is known to deviate."""
    cohorts: dict[str, Devices] = field(default_factory=dict)
    """Serial -> the block of its cohort, where the fleet has several."""
    work: Work = field(init=False)
    """The platform's part in this run."""

    def __post_init__(self) -> None:
        self.work = self.platform.work(self)
        if self.scenario.devices.cohorts:
            self.cohorts = dict(cohort_blocks(self.scenario.devices, self.prefix))

    def devices_block(self, serial: str) -> Devices:
        """What the file says of a device."""
        return self.cohorts.get(serial, self.scenario.devices)

    def select_devices(self, only: str = "*") -> list[Device]:
        """The devices whose serial, without the prefix, fits the glob."""
        return [
            device for serial, device in self.devices.items() if fnmatchcase(serial.removeprefix(self.prefix), only)
        ]

    def select_powered(self, only: str = "*") -> list[list[Device]]:
        """The devices whose power hangs together, for each that fits the glob: alone, or all of a gateway.

        The gateway comes first.
        """
        groups: dict[str, list[Device]] = {}
        for device in self.select_devices(only):
            groups.setdefault(device.identity.gateway or device.serial, [])
        for device in self.devices.values():
            group = groups.get(device.identity.gateway or device.serial)
            if group is not None:
                group.append(device)
        return list(groups.values())

    @property
    def played(self) -> frozenset[str]:
        """The devices that boards play."""
        return frozenset(self.prefix + serial for serial in self.scenario.played.values())

    def serials(self, only: str = "*") -> list[str]:
        return [device.serial for device in self.select_devices(only)]

    def record_names(self, only: str = "*") -> list[str]:
        """The names under which the server has devices, those included that only their gateway speaks for."""
        names = [name for serial in self.devices for name in (serial, *self.behind.get(serial, ()))]
        return [name for name in names if fnmatchcase(name.removeprefix(self.prefix), only)]

    def rewrote(self, serial: str, memory: Mapping[str, Json] | None) -> None:
        """Tells whoever follows the device that somebody has changed what it remembers; None: it has lost all."""
        if self.model_watch is not None:
            self.model_watch.rewrote(serial, memory)

    def emit(self, kind: str, name: str, reason: str = "") -> None:
        """The bench lane: what the director does."""
        hide = self.secrets.hide
        self.driver.trace.emit(self.driver.now_us(), Lane.BENCH, kind, name=hide(name), reason=hide(reason))

    def reprogram(self, device: Device, credential: Credential | None, behaviour: Behaviour) -> None:
        """Gives a device another credential and behaviour."""
        device.credential, device.behaviour = credential, behaviour
        device.agent.reprogram(self.behaviour(behaviour), tls_credential_of(credential))


def cohort_blocks(devices: Devices, prefix: str) -> Iterator[tuple[str, Devices]]:
    """Serial and block of each device of a fleet with cohorts."""
    units = devices.units()
    for _, count, block in devices.makes():
        yield from ((prefix + unit.serial, block) for unit in islice(units, count))


def build_devices(context: RunContext) -> None:
    """Builds the scenario's fleet: identity, credential and behaviour of each device."""
    template = context.scenario.devices
    for unit in template.units():
        serial = context.prefix + unit.serial
        gateway = context.prefix + unit.gateway if unit.gateway else ""
        tenant = context.server.admin.tenant
        identity = DeviceIdentity(serial, tenant, template.model, template.hw_revision, gateway)
        credential, behaviour = context.work.device(identity, unit)
        agent = Agent(identity, context.behaviour(behaviour), tls_credential_of(credential))
        context.devices[serial] = Device(identity, credential, behaviour, agent)
        if template.children_are_silent and template.children:
            context.behind[serial] = tuple(context.prefix + child for child in template.children_of(unit.serial))
    if context.boards is not None:
        for role, serial in context.scenario.played.items():
            context.boards.bench.play(role, context.devices[context.prefix + serial].agent)


def tls_credential_of(credential: Credential | None) -> TlsCredential | None:
    """What a device's connections show in handshakes: transports see to that, not its behaviour."""
    return credential if isinstance(credential, TlsCredential) else None


def seeded_tokens(seed: int) -> Callable[[str], str]:
    """Tokens for virtual time: the same seed gives the same run."""
    return lambda purpose: hashlib.sha256(f"{seed}/{purpose}".encode()).hexdigest()[:32]
