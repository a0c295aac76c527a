"""One call of `fleetrig deploy`: an update brought to devices and followed there, or called off and removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetrig.harness.desk.deploying import Deployer, Deploying, DeploySite, DeskUpdate, DeviceEnd, UpdateFile
from fleetrig.harness.desk.following import follow, summary_of
from fleetrig.harness.desk.named_devices import named_devices
from fleetrig.harness.desk.operated_server import OperatedServer
from fleetrig.harness.desk.published_files import published_files
from fleetrig.harness.desk.update_files import named_update
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import finish_despite_stop, tell
from fleetrig.harness.servers.description import expected
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.realtime import RealBench


@dataclass(frozen=True, slots=True)
class DeployOrder:
    """What is to be done, as the options say it. Empty words stand for what is usual on the platform."""

    files: tuple[UpdateFile, ...]
    to: Sequence[str]
    name: str
    version: str
    kind: str
    urgency: str
    waits: bool
    within_s: float | None
    serve_at: Address

    def update_for(self, platform: str, offered: Deploying) -> DeskUpdate:
        """Raises UsageError for what the platform does not have."""
        kind, urgency = self.kind or offered.kinds[0], self.urgency or offered.urgencies[0]
        if kind not in offered.kinds:
            raise UsageError(f"--type {kind!r}: {expected(kind, offered.kinds)} on {platform}")
        if urgency not in offered.urgencies:
            raise UsageError(f"--{urgency}: {platform} has no such updates")
        if len(self.files) > offered.most_files:
            most = "one file" if offered.most_files == 1 else f"{offered.most_files} files"
            raise UsageError(f"{len(self.files)} files: an update on {platform} has {most} at most")
        name, version = (offered.own_name(self.files[0].path) if self.files else None) or ("", "")
        return named_update(self.files, self.name or name, self.version or version, kind, urgency)


@dataclass(frozen=True, slots=True)
class Deployment:
    """`say` prints a line."""

    bench: RealBench
    deployer: Deployer
    update: DeskUpdate
    say: Callable[[str], object]

    async def deploy(self, devices: Sequence[str]) -> None:
        """If anything goes wrong, what was made is removed. Raises BrokenBench, UsageError, CancelledError."""
        try:
            said = await self.bench.run(self.deployer.deploy(self.update, devices))
        except (FleetrigError, asyncio.CancelledError):
            await finish_despite_stop(self._take_back())
            raise
        for line in said:
            self.say(line)

    async def follow(self, devices: Sequence[str], within_s: float | None) -> Exit:
        following = follow(self.deployer, devices, self.say, self.bench.now_us, within_s)
        ends = await self.bench.run(following)
        self.say(summary_of(ends))
        return Exit.PASSED if set(ends.values()) == {DeviceEnd.INSTALLED} else Exit.FAILED

    async def remove(self, devices: Sequence[str]) -> None:
        for line in await self.bench.run(self.deployer.remove(self.update, devices)):
            self.say(line)

    async def _take_back(self) -> None:
        """What went wrong before is told by whoever calls."""
        try:
            await self.bench.run(self.deployer.take_back())
        except BrokenBench as wrong:
            tell(f"not all of {self.update.title} could be removed again ({wrong}): say --remove once the server can")


async def carry_out(
    operated: OperatedServer, offered: Deploying, order: DeployOrder, say: Callable[[str], object], *, removes: bool
) -> Exit:
    """Devices are looked for before anything is made. Raises UsageError, BrokenBench, CancelledError."""
    update = order.update_for(operated.platform, offered)
    async with published_files(order.serve_at) as published, operated.bench() as bench:
        deployer = offered.deployer(DeploySite(operated.server, Secrets(), published.publish))
        devices = await bench.run(named_devices(order.to, deployer.knows, deployer.devices))
        deployment = Deployment(bench, deployer, update, say)
        if removes:
            await deployment.remove(devices)
            return Exit.PASSED
        await deployment.deploy(devices)
        if order.waits or offered.publishes:
            return await deployment.follow(devices, order.within_s)
        say("the same with --wait shows how it goes, with --remove it is taken back")
        return Exit.PASSED
