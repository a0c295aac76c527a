"""Words of `do` that change what devices remember: each switches them off for that, and on again."""

from __future__ import annotations

from collections.abc import Mapping

from fleetrig.harness.platforms.thingsboard.issued_credentials import credentials_on_server, secrets_in
from fleetrig.harness.platforms.thingsboard.thingsboard_run import ThingsBoardRun
from fleetrig.harness.platforms.thingsboard.words import FactoryReset, LoseCredentials, RestoreCredentials
from fleetrig.harness.run.context import Device
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.effects import Remember
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, to_memory
from fleetrig.simulator.stages import Stage

CREDENTIALS_LOST: Mapping[str, Json] = {"credentials": None}


def factory_reset(run: ThingsBoardRun, words: FactoryReset) -> Director[None]:
    """A device that is a program finds an empty folder."""
    yield from ()
    for device in run.context.select_devices(words.only):
        switch_off(run, device)
        run.context.forget(device.agent)
        run.context.rewrote(device.serial, None)
        switch_on(run, device)


def lose_credentials(run: ThingsBoardRun, words: LoseCredentials) -> Director[None]:
    yield from ()
    for device in run.context.select_devices(words.only):
        write_into(run, device, CREDENTIALS_LOST)


def restore_credentials(run: ThingsBoardRun, words: RestoreCredentials) -> Director[None]:
    for device in run.context.select_devices(words.only):
        given = yield from stored_credentials(run, device.serial)
        for kind, secret in secrets_in(given):
            run.context.secrets.learn(kind, secret)
        memory = {"stage": Stage.ENROLLED.value, "credentials": to_memory(given), "asked": None, "fault": None}
        write_into(run, device, memory)


def stored_credentials(run: ThingsBoardRun, serial: str) -> AdminCall[Credentials]:
    """Those that the server has. Raises BrokenBench where no device of ours can use them."""
    stored = yield from run.admin.credentials((yield from run.device_id(serial)))
    given = credentials_on_server(stored)
    if given is None:
        raise BrokenBench(f"{serial} has {stored.get('credentialsType')}, which no device of ours can use")
    return given


def write_into(run: ThingsBoardRun, device: Device, memory: Mapping[str, Json]) -> None:
    """None forgets a key."""
    switch_off(run, device)
    device.agent.settle(Remember(memory))
    run.context.rewrote(device.serial, memory)
    switch_on(run, device)


def switch_off(run: ThingsBoardRun, device: Device) -> None:
    run.context.driver.power_cut(device.agent)


def switch_on(run: ThingsBoardRun, device: Device) -> None:
    run.context.switched_on.add(device.serial)
    run.context.driver.power_on(device.agent, after_s=0.0)
