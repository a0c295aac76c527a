"""How a scenario is run, beyond what its file says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleetrig.harness.external.command import DeviceCommand
from fleetrig.harness.fleets.engine_choice import EngineName
from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.known_deviations import Peer
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.trace import ChoosesDevice, TraceListener
from fleetrig.simulator.effects import Behaviour


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run a scenario: given by the command, never by the scenario file."""

    real_time: bool = False
    as_load: bool = False
    """In real time, driven by a load generator."""
    against: RemoteServer | None = None
    servers: Mapping[str, RemoteServer] = field(default_factory=dict)
    """Platform -> the same as a server of that platform, where scenarios of several are run."""
    profile: str = ""
    """The generation of our own server; empty for the newest of the scenario's platform."""
    seed: int = 1
    results: Path = Path("fleetrig-results")
    trace: Path | None = None
    """Where to keep the trace, for every verdict; if None, only failures keep theirs, in `results`."""
    keeps_trace: bool = False
    """Every verdict keeps its trace: a page is made of it."""
    verify: ssl.SSLContext | bool = True
    listener: TraceListener | None = None
    """Sees the events as they happen."""
    progress: Callable[[int, int], None] = lambda now_us, until_us: None
    """Is told by the array engine, whose devices leave no events, how far it is since its beginning."""
    traced_devices: ChoosesDevice | None = None
    """Whose events the trace file gets; None for those of all devices."""
    behaviour: Callable[[Behaviour], Behaviour] = default_behaviour
    """Applied to the behaviour of each device; tests pass devices that misbehave."""
    device: DeviceCommand | None = None
    """The device under test: a program for scenarios with external devices."""
    own_device: bool = False
    """Our own simulated device takes the place of an external one."""
    bench: Path | None = None
    """The bench file with the boards; None for boards that are emulated here."""
    desk: Path | None = None
    """Where those who share its boards note who has which; None for the machine's usual place."""
    known: Peer | None = None
    """Where the device or server under test is known to deviate."""
    engine: EngineName | None = None
    """In virtual time; None: by size, and by what the scenario asks."""
    is_open: bool = False
    """In virtual time: devices keep to a schedule as in a load run, however long answers take."""
    again: tuple[str, ...] = ()
    """Further command-line words, besides the run's name and seed, that repeat the run."""
    broken_off: Callable[[Report], object] = lambda _: None
    """Receives the report so far of a run that Ctrl-C or a bug of fleetrig interrupted."""

    @property
    def time(self) -> str:
        if self.as_load:
            return "load"
        is_real = self.real_time or self.against is not None or self.device is not None
        return "real" if is_real else "virtual"

    @property
    def needs_exact(self) -> str:
        """What of these options only the exact engine can do; empty when there is nothing."""
        if self.trace is not None:
            return "the array engine leaves no trace (--trace)"
        if self.is_open or self.behaviour is not default_behaviour or self.own_device:
            return "its devices are asked to behave otherwise"
        return ""

    @property
    def verb(self) -> str:
        """The verb of the command that makes such a run."""
        return "load" if self.as_load else "run"

    def for_scenario(self, scenario: Scenario) -> RunOptions:
        """Boards know real time only; a server may be one of several platforms."""
        options = replace(self, against=self.servers.get(scenario.platform, self.against))
        return replace(options, real_time=True) if scenario.boards else options
