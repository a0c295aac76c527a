"""Words of `do` that a technician performs on devices themselves: each switches them off for that, and on again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platforms.kura.device_settings import behaviour_of
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.words import FactoryReset, SetClock
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Remember
from fleetrig.simulator.flows.kura.components import PROVISIONING_PID
from fleetrig.simulator.flows.kura.life import COMPONENTS
from fleetrig.simulator.stages import Stage

FLAGS: Final = frozenset({"enabled", "provisioned"})
"""Of the ProvisioningService: what a technician brings leaves them as they are."""


def give(run: KuraRun, device: Device) -> None:
    """What the run has for the device now: user, password, activation key.

    A device that is on restarts, and so does one that has given up: its program is over, its power is not.
    """
    run.visited.add(device.serial)
    credential, behaviour = run.credential_of(device.serial), behaviour_of(run, device.serial)
    is_on, known = device.agent.is_on, configured(device)
    has_given_up = device.serial in run.context.switched_on and device.agent.stage is Stage.REFUSED
    if is_on:
        run.context.driver.power_cut(device.agent)
    run.context.reprogram(device, credential, behaviour)
    if PROVISIONING_PID in known:
        flags = {name: value for name, value in known[PROVISIONING_PID].items() if name in FLAGS}
        rewrite(run, device, {**known, PROVISIONING_PID: flags})
    if is_on or has_given_up:
        power_cycle(run.context, [device], off_s=0.0)


def factory_reset(run: KuraRun, words: FactoryReset) -> Director[None]:
    """A device that is a program finds an empty folder."""
    yield from ()
    for device in run.context.select_devices(words.only):
        run.context.driver.power_cut(device.agent)
        run.context.forget(device.agent)
        run.context.rewrote(device.serial, None)
        power_cycle(run.context, [device], off_s=0.0)


def set_clock(run: KuraRun, words: SetClock) -> Director[None]:
    """Nothing else about the devices is changed."""
    yield from ()
    for device in run.context.select_devices(words.only):
        run.clocks[device.serial] = words.ahead_s - words.behind_s
        run.context.reprogram(device, device.credential, behaviour_of(run, device.serial))
        if device.agent.is_on:
            power_cycle(run.context, [device], off_s=0.0)


def write_on_console(run: KuraRun, device: Device, pid: str, values: Mapping[str, Any]) -> None:
    """Properties of a component, written into what the device remembers; it starts again."""
    run.context.driver.power_cut(device.agent)
    known = configured(device)
    rewrite(run, device, {**known, pid: {**known.get(pid, {}), **values}})
    power_cycle(run.context, [device], off_s=0.0)


def configured(device: Device) -> dict[str, dict[str, Json]]:
    """Pid -> properties: what the device remembers of its configuration, beside what the factory gave it."""
    known = device.agent.remembered.get(COMPONENTS)
    if not isinstance(known, dict):
        return {}
    return {pid: dict(values) for pid, values in known.items() if isinstance(values, dict)}


def rewrite(run: KuraRun, device: Device, components: Mapping[str, Json]) -> None:
    """Of a device that is off."""
    memory: dict[str, Json] = {COMPONENTS: dict(components)}
    device.agent.settle(Remember(memory))
    run.context.rewrote(device.serial, memory)
