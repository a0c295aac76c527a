"""Performing ThingsBoard's words of `do`: each a director, so that it runs in virtual and in real time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, id_of
from fleetrig.harness.platforms.thingsboard.setup import configure, save_profile
from fleetrig.harness.platforms.thingsboard.thingsboard_run import ThingsBoardRun
from fleetrig.harness.platforms.thingsboard.words import (
    Configure,
    FactoryReset,
    ImportDevices,
    ResetProvisioning,
    Rotate,
)
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete
from fleetrig.harness.scenario_file.unit_list import read_units
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate, Credential
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.effects import Behaviour


def import_devices(run: ThingsBoardRun, words: ImportDevices) -> Director[None]:
    """With a list, its tokens and labels are the ones that count."""
    lines = _lines(run, words)
    for start in range(0, len(lines), words.batch):
        yield from run.admin.import_devices(run.profile_name, lines[start : start + words.batch])


def _lines(run: ThingsBoardRun, words: ImportDevices) -> list[dict[str, str]]:
    given = {key: text for key, text in (("name", words.name), ("description", words.description)) if text}
    if words.csv is None:
        lines = [{"serial": serial, **given} for serial in run.context.serials(words.only)]
    else:
        lines = [
            {**given, **unit.attributes, "serial": run.context.prefix + unit.serial, "token": unit.token or ""}
            for unit in read_units(words.csv)
        ]
    for line in lines:
        run.context.secrets.learn("access-token", line.get("token", ""))
    return [{key: text.replace("{serial}", line["serial"]) for key, text in line.items()} for line in lines]


def device_id(run: ThingsBoardRun, serial: str) -> AdminCall[str]:
    """Raises BrokenBench for a device that the server does not know."""
    device = yield from run.admin.device(serial)
    if device is None:
        raise BrokenBench(f"{run.context.server.name} knows no device {serial}")
    return id_of(device)


def delete(run: ThingsBoardRun, words: Delete) -> Director[None]:
    for serial in run.context.serials(words.only):
        yield from run.admin.delete_device((yield from device_id(run, serial)))


def reset_provisioning(run: ThingsBoardRun, words: ResetProvisioning) -> Director[None]:
    for serial in run.context.serials(words.only):
        yield from run.admin.delete_attribute((yield from device_id(run, serial)), PROVISION_STATE)


def factory_reset(run: ThingsBoardRun, words: FactoryReset) -> Director[None]:
    """Devices that forget what they remember, and from then on are new ones; programs find an empty folder."""
    yield from ()
    for device in run.context.select_devices(words.only):
        run.context.driver.power_cut(device.agent)
        run.context.forget(device.agent)
        run.context.switched_on.add(device.serial)
        run.context.driver.power_on(device.agent, after_s=0.0)


def rotate(run: ThingsBoardRun, words: Rotate) -> Director[None]:
    match words.what:
        case "provision_secret":
            yield from rotate_secret(run, words)
        case "access_token":
            for serial in run.context.serials(words.only):
                yield from replace_token(run, serial)
        case _:
            renew_certificates(run, words)


def rotate_secret(run: ThingsBoardRun, words: Rotate) -> Director[None]:
    run.new_key("next")
    yield from save_profile(run)
    for device in run.context.select_devices(words.only) if words.tell_device else ():
        kind = run.context.scenario.devices.credential
        shown = cast(ClientCertificate | None, device.credential)
        reprogram(run, device, device.credential, run.behaviour(device.serial, kind, run.key, shown))


def replace_token(run: ThingsBoardRun, serial: str) -> Director[None]:
    credentials = yield from run.admin.credentials((yield from device_id(run, serial)))
    token = run.context.new_token(f"next token of {serial}")[:20]
    run.context.secrets.learn("access-token", token)
    changed = {"credentialsType": "ACCESS_TOKEN", "credentialsId": token, "credentialsValue": None}
    yield from run.admin.save_credentials({**credentials, **changed})


def renew_certificates(run: ThingsBoardRun, words: Rotate) -> None:
    for device in run.context.select_devices(words.only):
        assert isinstance(device.credential, ClientCertificate)
        reprogram(run, device, run.certificates.renewed(device.credential), device.behaviour)


def reprogram(run: ThingsBoardRun, device: Device, credential: Credential | None, behaviour: Behaviour) -> None:
    """Gives a device another secret or certificate; a device that is on restarts."""
    run.context.reprogram(device, credential, behaviour)
    if device.agent.is_on:
        power_cycle(run.context, [device], off_s=0.0)


PERFORM: Final[Mapping[type[ActionWord], Callable[[ThingsBoardRun, Any], Director[None]]]] = {
    Configure: lambda run, words: configure(run, words.values),
    ImportDevices: import_devices,
    Delete: delete,
    ResetProvisioning: reset_provisioning,
    FactoryReset: factory_reset,
    Rotate: rotate,
}
"""Word -> what performs it."""
