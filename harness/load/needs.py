"""The calculator: what a load run needs of this machine, said before it starts."""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

OWN_FILES: Final = 128
"""Of a process, besides those of its devices: libraries, the trace, workers' connections."""
PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_PORTS: Final = 28_232
MOST_FILLED: Final = 0.95
"""Of the ports of an address: finding one of the last free ones takes long, and closed connections keep theirs."""
LOOPBACK: Final = "127.0.0.{0}"
MOST_LOOPBACK: Final = 250


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What this machine has."""

    files: int
    """Open files of a process, at most."""
    ports: int
    """Ports of one source address towards one server."""


def limits_here() -> HostLimits:
    """Those of this machine."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return HostLimits(sys.maxsize if hard == resource.RLIM_INFINITY else hard, ports_here())


def ports_here() -> int:
    """How many ports the system gives to outgoing connections."""
    try:
        first, last = map(int, PORT_RANGE.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return USUAL_PORTS
    return last - first + 1


@dataclass(frozen=True, slots=True)
class LoadNeeds:
    """What a run needs: one connection for each device."""

    devices: int
    processes: int
    limits: HostLimits

    @property
    def files(self) -> int:
        """Open files of each process."""
        return math.ceil(self.devices / self.processes) + OWN_FILES

    @property
    def addresses(self) -> int:
        """Source addresses, so that there are ports enough."""
        return max(1, math.ceil(self.devices / self.most_per_address))

    @property
    def most_per_address(self) -> int:
        """Devices that can connect from one source address."""
        return int(self.limits.ports * MOST_FILLED)

    def sentence(self) -> str:
        """`31,000 devices need 31,000 ports: 2 source addresses; 31,128 open files`."""
        one = self.devices == 1
        devices = "1 device needs 1 port" if one else f"{self.devices:,} devices need {self.devices:,} ports"
        several = self.addresses > 1
        ports = f"{self.limits.ports:,} each" if several else f"{self.limits.ports:,}"
        addresses = f"{self.addresses} source address{'es' * several} with {ports}"
        return f"{devices}: {addresses}; {self.files:,} open files{' in each process' * (self.processes > 1)}"

    def sources(self, given: tuple[str, ...], *, is_loopback: bool) -> tuple[str, ...]:
        """The addresses to connect from: those given, else as many of loopback as are needed; empty: the system's.

        Raises BrokenBench when there are too few of anything.
        """
        if self.files > self.limits.files:
            most = max(0, (self.limits.files - OWN_FILES) * self.processes)
            raise BrokenBench(
                f"{self.sentence()}, and the limit here is {self.limits.files:,}: start from a shell where `ulimit "
                f"-Hn` shows more, take more processes (--workers), or at most {most:,} devices (--users)"
            )
        if given or self.addresses == 1:
            if given and len(given) < self.addresses:
                raise BrokenBench(
                    f"{self.sentence()}, but --source-address names {len(given)}: name more, or use fewer devices"
                )
            return given
        if not is_loopback:
            raise BrokenBench(
                f"{self.sentence()}, but connections leave from one: give each that this machine has with "
                "--source-address, or spread the devices over machines (--master, --worker HOST)"
            )
        return tuple(LOOPBACK.format(number) for number in range(1, min(self.addresses, MOST_LOOPBACK) + 1))
