"""What runs on a fake board that has a network: our own device of a platform, as the file with its identity says."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Final

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Behaviour

IDENTITY: Final = "/data/identity"
"""As the emulated gateway has it: URL, TENANT, ID and TOKEN, as NAME='value'."""

GivenDevice = Callable[[Mapping[str, str]], tuple[DeviceIdentity, Behaviour]]
"""What a program is told (`external.command.values_of`) -> who a device of ours is that is told the same."""


class FakeAgent:
    """A `BoardAgent`. Its device remembers what it stored while its identity stays; a run's trace has none of it."""

    def __init__(self, given: GivenDevice) -> None:
        self._given = given
        self._bench = RealBench(Trace())
        self._identity = b""
        self._agent: Agent | None = None

    def hear(self, stored: Mapping[str, bytes] | None) -> None:
        """What is stored on the board, which is up; None when it goes down."""
        identity = (stored or {}).get(IDENTITY, b"")
        if self._agent is not None and (stored is None or identity != self._identity):
            self._bench.power_cut(self._agent)
        if not identity:
            return
        if identity != self._identity or self._agent is None:
            self._identity, self._agent = identity, self._made(identity)
        self._bench.power_on(self._agent)

    def _made(self, identity: bytes) -> Agent:
        return Agent(*self._given(values_in(identity.decode(errors="replace"))))

    async def close(self) -> None:
        async with self._bench:
            pass
        if self._bench.failure is not None:
            raise self._bench.failure


def values_in(text: str) -> dict[str, str]:
    """`URL='http://h'` as `url`: what a shell would read."""
    pairs = (word.partition("=") for word in shlex.split(text))
    return {name.lower(): value for name, _, value in pairs}
