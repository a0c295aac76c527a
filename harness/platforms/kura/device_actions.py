"""Words of `do` that a technician performs on devices themselves: each switches them off for that, and on again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleetrig.harness.platforms.kura.device_settings import behaviour_of
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.words import FactoryReset, SetClock
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.simulator.drivers.director import Director


def give(run: KuraRun, device: Device) -> None:
    """What the run has for the device now: user, password, activation key. A device that is on restarts."""
    run.context.reprogram(device, run.credential_of(device.serial), behaviour_of(run, device.serial))
    if device.agent.is_on:
        power_cycle(run.context, [device], off_s=0.0)


def factory_reset(run: KuraRun, words: FactoryReset) -> Director[None]:
    """A device that is a program finds an empty folder."""
    yield from ()
    for device in run.context.select_devices(words.only):
        run.context.driver.power_cut(device.agent)
        run.context.forget(device.agent)
        run.context.rewrote(device.serial, None)
        run.context.switched_on.add(device.serial)
        run.context.driver.power_on(device.agent, after_s=0.0)


def set_clock(run: KuraRun, words: SetClock) -> Director[None]:
    yield from ()
    for device in run.context.select_devices(words.only):
        run.clocks[device.serial] = words.ahead_s - words.behind_s
        give(run, device)


def write_on_console(run: KuraRun, device: Device, pid: str, values: Mapping[str, Any]) -> None:
    """Properties of a component, written into what the device remembers."""
    raise NotImplementedError
