"""One power cycle of a gateway: what it knows and remembers, what time it is, and what is still to be done.

Time is counted in seconds since power-on, by what effects say that they took; each look at the clock sets it right.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnack
from fleetrig.simulator.effects import (
    Await,
    Connect,
    Effect,
    Enter,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    connect,
    pause,
    read_clock,
    tell,
    wait_for,
)
from fleetrig.simulator.flows.kura.components import (
    CLOUD_PID,
    DATA_PID,
    PIDS,
    PROVISIONING_PID,
    TRANSPORT_PID,
    CloudService,
    DataService,
    MqttDataTransport,
    PropertyValues,
    ProvisioningService,
    changed,
)
from fleetrig.simulator.flows.kura.naming import mac_of, sanitised, serial_number_of, with_colons
from fleetrig.simulator.flows.kura.payload import Metric
from fleetrig.simulator.flows.kura.settings import DISCONNECT, KuraSettings, LocalChange
from fleetrig.simulator.flows.kura.store import MessageStore
from fleetrig.simulator.stages import Stage

Doing = Generator[Effect, Outcome, None]
Work = Callable[[], Doing]
FOREVER_S: Final = 86_400.0
ROUNDING_S: Final = 1e-6
FLAGS: Final = ("enabled", "provisioned")
"""Of the ProvisioningService: they say how far it is."""
FACTORY_PID: Final = "service.factoryPid"
COMPONENTS, SIGNED, PREVIOUS = "components", "signed", "previous"
"""Keys of what is remembered: configurations that were changed; that control messages must be signed; the
configuration before a move that is not confirmed yet."""


@dataclass(slots=True)
class GatewayLife:
    """What was remembered survives the power, the rest does not."""

    settings: KuraSettings
    device: DeviceIdentity
    memory: dict[str, Json]
    stage: Stage
    provisioning: ProvisioningService
    transport: MqttDataTransport
    data: DataService
    cloud: CloudService
    store: MessageStore
    changes: list[LocalChange]
    """That an operator is still to make."""
    now_s: float = 0.0
    looked_us: int | None = None
    looked_s: float = 0.0
    agenda: list[tuple[float, int, Work]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)
    reloads: bool = False
    """Its transport was configured anew: it leaves, and comes back with that (spec 4.3)."""
    reboots_at_s: float | None = None
    """When an installation has it reboot."""
    watchdog_at_s: float | None = None
    """When its watchdog has it reboot, unless it is connected before."""
    attempts: int = 0
    """Of provisioning, since it was started."""
    next_attempt_s: float | None = None
    """When the next one is due; None: none is wanted."""
    target_failures: int = 0
    """In a row, after a move."""
    is_switched_off: bool = False
    """An operator has disconnected it by hand: it stays so until its configuration changes, or until it restarts."""
    next_telemetry_s: float = 0.0
    messages: int = 0
    """Telemetry that left in this power cycle."""
    provision_tokens: Mapping[str, str] | None = None
    """While it is connected to the provision broker."""
    birth_parts: dict[str, bytes] = field(default_factory=dict)
    announcement: int = 0
    """Counts what BIRTH and APPS wait for: the timer of an earlier change does nothing."""
    announces_birth: bool = False
    apps_copy: Mapping[str, Metric] | None = None
    """What APPS said last, if there was one: each later BIRTH is followed by it (spec 2.2)."""
    workers: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """When each of the two threads for requests is free again."""
    held: dict[str, Any] = field(default_factory=dict)
    """What handlers keep while the power is on, by their app id."""

    # Who it is

    @property
    def mac(self) -> str:
        return mac_of(self.settings.hardware, self.device.serial)

    @property
    def serial_number(self) -> str:
        return serial_number_of(self.settings.hardware, self.device.serial)

    def client_id(self, configured: str, *, colons: bool) -> str:
        """As it is used; a MAC with or without colons when none is configured."""
        wanted = self.settings.client_id_with_colons
        mac = with_colons(self.mac) if (colons if wanted is None else wanted) else self.mac
        return sanitised(configured or mac)

    @property
    def target_client_id(self) -> str:
        return self.client_id(self.transport.client_id, colons=True)

    @property
    def tokens(self) -> Mapping[str, str]:
        """What `#name` in a topic stands for, in the session that is."""
        if self.provision_tokens is not None:
            return self.provision_tokens
        return {"account-name": self.transport.account_name, "client-id": self.target_client_id}

    @property
    def must_be_signed(self) -> bool:
        """Control messages on the target connection."""
        rule = self.settings.signed_control
        return rule == "always" or (rule == "once-provisioned" and bool(self.memory.get(SIGNED)))

    def has_quirk(self, word: str) -> bool:
        return word in self.settings.quirks

    @property
    def is_done(self) -> bool:
        wanted = self.settings.telemetry_messages
        return wanted is not None and self.messages >= wanted

    # Time

    def clock_us(self) -> Generator[Effect, Outcome, int]:
        """What its clock shows, which may be wrong."""
        us = yield from read_clock()
        if self.looked_us is not None:
            self.now_s = max(self.now_s, self.looked_s + to_s(us - self.looked_us))
        self.looked_us, self.looked_s = us, self.now_s
        right_after_s = self.settings.clock_right_after_s
        is_wrong = right_after_s is None or self.now_s < right_after_s
        return us + (to_us(self.settings.clock_error_s) if is_wrong else 0)

    def clock_ms(self) -> Generator[Effect, Outcome, int]:
        return (yield from self.clock_us()) // 1_000

    def rest(
        self, at_least_s: float, at_most_s: float, why: str, *, whole_s: bool = False
    ) -> Generator[Effect, Outcome, float]:
        """Pauses; the seconds that were drawn."""
        seconds = yield from pause(Pause(at_least_s, at_most_s, why, whole_s=whole_s))
        self.now_s += seconds
        return seconds

    def listen(
        self, name: str, patterns: tuple[str, ...], for_s: float, left_s: float = 0.0
    ) -> Generator[Effect, Outcome, Reply[Envelope] | NoReply]:
        """`left_s`: as `Await` has it."""
        for_s = max(0.0, for_s)
        came = yield from wait_for(Await(name, patterns, for_s, for_s, left_s=max(0.0, left_s)))
        self.now_s += came.after_s
        return came

    def call(self, wanted: Connect) -> Generator[Effect, Outcome, Reply[MqttConnack] | NoReply]:
        """A CONNECT and its answer."""
        answer = yield from connect(wanted)
        self.now_s += answer.after_s
        assert isinstance(answer, Reply | NoReply), f"a CONNECT was answered with {answer!r}"
        return answer

    def say(self, name: str, envelope: Envelope) -> Generator[Effect, Outcome, bool]:
        """False without connection."""
        sent = yield from tell(name, envelope)
        self.now_s += sent.after_s
        return not isinstance(sent, NoReply)

    # What is to be done later

    def later(self, after_s: float, work: Work) -> None:
        insort(self.agenda, (self.now_s + after_s, next(self.numbers), work), key=lambda one: one[:2])

    def is_due(self, at_s: float) -> bool:
        """Sums of seconds are not exact."""
        return self.now_s >= at_s - ROUNDING_S

    def next_work_s(self) -> float:
        """When something is to be done that needs no other connection."""
        dues = [self.now_s + FOREVER_S, *(due_s for due_s, *_ in self.agenda[:1])]
        return min(dues + [change.after_s for change in self.changes[:1]])

    def next_due_s(self) -> float:
        """The same, or when it leaves what it is at: to be provisioned, or to reboot."""
        others = (at_s for at_s in (self.reboots_at_s, self.watchdog_at_s, self.next_attempt_s) if at_s is not None)
        return min([self.next_work_s(), *others])

    def do_what_is_due(self) -> Doing:
        """Changes of an operator first."""
        while self.changes and self.is_due(self.changes[0].after_s):
            change = self.changes.pop(0)
            self.is_switched_off = change.pid == DISCONNECT
            yield from self.configure({change.pid: change.properties})
        while self.agenda and self.is_due(self.agenda[0][0]):
            work = self.agenda.pop(0)[2]
            yield from work()

    @property
    def is_to_provision(self) -> bool:
        """An attempt is due."""
        return self.next_attempt_s is not None and self.is_due(self.next_attempt_s)

    def restart_provisioning(self) -> None:
        """Its configuration was written: attempts are counted anew (spec 1.4)."""
        self.attempts = 0
        self.next_attempt_s = self.now_s if self.provisioning.enabled else None

    @property
    def is_to_reboot(self) -> bool:
        return any(at_s is not None and self.is_due(at_s) for at_s in (self.reboots_at_s, self.watchdog_at_s))

    # What it remembers

    def keep(self, **what: Any) -> Doing:
        """Writes it down; None forgets."""
        self.memory.update(what)
        for key in [key for key, value in self.memory.items() if value is None]:
            del self.memory[key]
        yield Remember(what)

    def enter(self, stage: Stage, why: str = "") -> Doing:
        """Asks for a move only when it is one."""
        if stage is not self.stage:
            self.stage = stage
            yield Enter(stage, why)

    @property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """Configurations that were changed: pid -> property -> value."""
        found = self.memory.get(COMPONENTS)
        return {pid: dict(values) for pid, values in found.items() if isinstance(values, dict)} if isinstance(
            found, dict) else {}  # fmt: skip

    def configure(self, wanted: Mapping[str, PropertyValues]) -> Doing:
        """Writes properties of components; a component that rejects them keeps what it had (spec 3.2)."""
        before = self.transport
        overrides = self.overrides
        for pid, given in wanted.items():
            values = by_operator(given) if pid == PROVISIONING_PID else given
            if self._adopt(pid, values):
                overrides[pid] = {**overrides.get(pid, {}), **values}
        if overrides != self.overrides:
            yield from self.keep(components=overrides)
        self.reloads = self.reloads or self.transport != before
        self.is_switched_off = self.is_switched_off and not {TRANSPORT_PID, DATA_PID} & wanted.keys()

    def restore(self, overrides: Mapping[str, PropertyValues]) -> Doing:
        """A snapshot: what it says, and all else as at the factory. How far provisioning is, is no part of that."""
        now = self.overrides.get(PROVISIONING_PID, {})
        flags: dict[str, Any] = {name: now[name] for name in FLAGS if name in now}
        content: dict[str, dict[str, Any]] = {pid: dict(values) for pid, values in overrides.items()}
        content[PROVISIONING_PID] = {
            **{name: value for name, value in content.get(PROVISIONING_PID, {}).items() if name not in FLAGS}, **flags,
        }  # fmt: skip
        before = self.transport
        yield from self.keep(components=content)
        self.adopt_overrides()
        self.reloads = self.reloads or self.transport != before

    def adopt_overrides(self) -> None:
        """What is written down is how the gateway is configured from now on."""
        self.provisioning, self.transport, self.data, self.cloud = components_of(self.settings, self.overrides)
        self.store.data = self.data
        self.birth_parts.clear()
        self.restart_provisioning()

    def why_rejected(self, wanted: Mapping[str, PropertyValues]) -> str:
        """Of configurations; empty when all components take theirs."""
        try:
            components_of(self.settings, {**self.overrides, **wanted})
        except UsageError as wrong:
            return str(wrong)
        return ""

    def _adopt(self, pid: str, values: PropertyValues) -> bool:
        """False for a component that rejects them, or that is not here and cannot be made (no factory pid)."""
        try:
            match PIDS.get(pid):
                case type() as kind if kind is ProvisioningService:
                    self.provisioning = changed(self.provisioning, values)
                    self.restart_provisioning()
                case type() as kind if kind is MqttDataTransport:
                    self.transport = changed(self.transport, values)
                case type() as kind if kind is DataService:
                    self.data = changed(self.data, values)
                    self.store.data = self.data
                case type() as kind if kind is CloudService:
                    self.cloud = changed(self.cloud, values)
                    self.birth_parts.clear()
                case _:
                    return pid in self.overrides or FACTORY_PID in values
        except UsageError:
            return False
        return True


def by_operator(values: PropertyValues) -> PropertyValues:
    """`provisioned` is read-only: starting the process sets it back, and nothing else that is written changes it."""
    if values.get("enabled") is True:
        return {**values, "provisioned": False}
    return {name: value for name, value in values.items() if name != "provisioned"}


def switched_on(settings: KuraSettings, device: DeviceIdentity, remembered: Mapping[str, Json]) -> GatewayLife:
    """All it knows is what it was made with and what it remembered."""
    found = remembered.get(COMPONENTS)
    provisioning, transport, data, cloud = components_of(settings, found if isinstance(found, dict) else {})
    life = GatewayLife(
        settings,
        device,
        dict(remembered),
        Stage(str(remembered.get("stage", Stage.BLANK))),
        provisioning,
        transport,
        data,
        cloud,
        MessageStore(data),
        sorted(settings.local_changes, key=lambda change: change.after_s),
    )
    life.restart_provisioning()
    return life


def components_of(
    settings: KuraSettings, overrides: Mapping[str, Any]
) -> tuple[ProvisioningService, MqttDataTransport, DataService, CloudService]:
    """As the factory has configured them, with what was changed since. Raises UsageError for what they reject."""
    return (
        changed(settings.provisioning, overrides.get(PROVISIONING_PID, {})),
        changed(settings.transport, overrides.get(TRANSPORT_PID, {})),
        changed(settings.data, overrides.get(DATA_PID, {})),
        changed(settings.cloud, overrides.get(CLOUD_PID, {})),
    )
