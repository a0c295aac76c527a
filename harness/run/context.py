"""Everything that a scenario's words work on: the bench, the server, the devices, and what was made for the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fleetrig.harness.run.known_deviations import Known
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.servers.under_test import ServerUnderTest
from fleetrig.harness.verdict import PhaseResult
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, GatewayToken, TargetToken
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.director import Driver
from fleetrig.simulator.drivers.power_watch import PowerWatch
from fleetrig.simulator.fleet import HawkbitProgram, burn
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import hawkbit


@dataclass(slots=True)
class Device:
    """One unit on the bench. Settings and credential can be changed, as by a technician; they count at power-on."""

    identity: DeviceIdentity
    settings: HawkbitSettings
    credential: Credential | None
    agent: Agent

    @property
    def serial(self) -> str:
        return self.identity.serial


@dataclass(slots=True)
class Course:
    """How far a run has come. It outlives the director, so that a run that breaks keeps what was judged before."""

    done: list[PhaseResult] = field(default_factory=list)
    phase: str = ""
    """The phase that is under way."""
    began_us: int = 0

    def broken(self, why: str, now_us: int) -> tuple[PhaseResult, ...]:
        """All phases so far, the one under way as broken."""
        if not self.phase:
            return tuple(self.done)
        return (*self.done, PhaseResult(self.phase, (), to_s(now_us - self.began_us), why))


@dataclass(slots=True)
class Rig:
    scenario: Scenario
    bench: Driver
    server: ServerUnderTest
    secrets: Secrets
    new_token: Callable[[str], str]
    """A fresh token for a purpose: real chance in real time, a hash of seed and purpose in virtual time."""
    results: Path
    """The folder for records."""
    prefix: str = ""
    """Before every name on a server that others use too."""
    program: HawkbitProgram = hawkbit
    watch: PowerWatch | None = None
    """In a dry run: lists the points of the first device at which power can be cut."""
    devices: dict[str, Device] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """The target token that the server shall know for a serial."""
    gateway_key: str = ""
    cuts: dict[str, PowerWatch] = field(default_factory=dict)
    """By serial: the watch that is to cut a device's power once."""
    set_ids: dict[str, int] = field(default_factory=dict)
    """Distribution sets that were made, by version."""
    configured: dict[str, Any] = field(default_factory=dict)
    """Keys of the tenant's configuration that were changed on a server that others use too, and what they were
    before; None where the default was in force."""
    fault_ids: list[int] = field(default_factory=list)
    """Faults that were added to the server."""
    course: Course = field(default_factory=Course)
    image: Path | None = None
    """What `deploy` gives to devices, in place of an image made for the run."""
    output_of: Callable[[str], str] = lambda serial: ""
    """What the program of a device has written; devices of our own write nothing."""
    known: Known = field(default_factory=Known)
    """Where this device or server is known to deviate."""

    def chosen(self, only: str = "*") -> list[Device]:
        """The devices whose serial, without the prefix, fits the glob."""
        return [
            device for serial, device in self.devices.items() if fnmatchcase(serial.removeprefix(self.prefix), only)
        ]

    def serials(self, only: str = "*") -> list[str]:
        return [device.serial for device in self.chosen(only)]

    def tell(self, kind: str, name: str, reason: str = "") -> None:
        """The bench lane: what the director does."""
        hide = self.secrets.hide
        self.bench.trace.emit(self.bench.now_us(), Lane.BENCH, kind, name=hide(name), reason=hide(reason))

    def learn_token(self, serial: str, token: str) -> None:
        """The server shall know this token for the serial; it is masked from now on."""
        self.tokens[serial] = token
        self.secrets.learn("target-token", token)

    def reprogram(self, device: Device, settings: HawkbitSettings, credential: Credential | None) -> None:
        """Burns other settings into a device."""
        device.settings, device.credential = settings, credential
        device.agent.reprogram(burn(settings, credential, self.program))


def build_devices(rig: Rig) -> None:
    """Builds the scenario's fleet: who they are, which credential they hold, how their make behaves."""
    template = rig.scenario.devices
    shared = device_settings(rig)
    for unit in template.units():
        serial = rig.prefix + unit.serial
        identity = DeviceIdentity(serial, rig.server.admin.tenant, template.model, template.hw_revision)
        rig.learn_token(serial, unit.token or rig.new_token(f"token of {unit.serial}"))
        settings = shared if not unit.attributes else device_settings(rig, unit.attributes)
        credential = first_credential(rig, serial)
        agent = Agent(identity, burn(settings, credential, rig.program))
        rig.devices[serial] = Device(identity, settings, credential, agent)


def device_settings(rig: Rig, more_attributes: Mapping[str, str] | None = None) -> HawkbitSettings:
    """The `devices` block as a make of device."""
    template = rig.scenario.devices
    return HawkbitSettings(
        server_url=rig.server.url,
        attributes={**template.attributes, **(more_attributes or {})},
        attributes_mode=template.attributes_mode,
        backoff=template.backoff.to_backoff(),
        timeout_s=template.timeout_s,
        default_interval_s=template.interval_s,
        poll_jitter=template.poll_jitter,
        install_s=template.install_time_s,
    )


def first_credential(rig: Rig, serial: str) -> Credential | None:
    """What the factory burns in."""
    match rig.scenario.devices.credential:
        case "target_token":
            return TargetToken(rig.tokens[serial])
        case "wrong_target_token":
            wrong = rig.new_token(f"wrong token of {serial}")
            rig.secrets.learn("target-token", wrong)
            return TargetToken(wrong)
        case "gateway_token":
            return GatewayToken(rig.gateway_key)
        case "none":
            return None


def seeded_tokens(seed: int) -> Callable[[str], str]:
    """Tokens for virtual time: the same seed gives the same run."""
    return lambda purpose: hashlib.sha256(f"{seed}/{purpose}".encode()).hexdigest()[:32]
