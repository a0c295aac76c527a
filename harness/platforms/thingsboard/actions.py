"""Performing ThingsBoard's words of `do`: each a director, so that it runs in virtual and in real time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE
from fleetrig.harness.platforms.thingsboard.memory_actions import (
    factory_reset,
    lose_credentials,
    restore_credentials,
)
from fleetrig.harness.platforms.thingsboard.setup import configure, save_profile
from fleetrig.harness.platforms.thingsboard.thingsboard_run import ThingsBoardRun
from fleetrig.harness.platforms.thingsboard.words import (
    Configure,
    DeleteRecords,
    FactoryReset,
    ImportDevices,
    LoseCredentials,
    Rename,
    ResetProvisioning,
    RestoreCredentials,
    Rotate,
)
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.unit_list import read_units
from fleetrig.simulator.contract.identity import ClientCertificate, Credential
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, MqttBasic, OwnCertificate
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice


def import_devices(run: ThingsBoardRun, words: ImportDevices) -> Director[None]:
    """With a list, its tokens and labels are the ones that count."""
    lines = _lines(run, words)
    for start in range(0, len(lines), words.batch):
        yield from run.admin.import_devices(run.profile_name, lines[start : start + words.batch])


def _lines(run: ThingsBoardRun, words: ImportDevices) -> list[dict[str, str]]:
    given = {key: text for key, text in (("name", words.name), ("description", words.description)) if text}
    if words.csv is None:
        lines = [
            {"serial": device.serial, **given, **_brought_along(device)}
            for device in run.context.select_devices(words.only)
        ]
    else:
        lines = [
            {**given, **unit.attributes, "serial": run.context.prefix + unit.serial, "token": unit.token or ""}
            for unit in read_units(words.csv)
        ]
    for line in lines:
        run.context.secrets.learn("access-token", line.get("token", ""))
    return [{key: text.replace("{serial}", line["serial"]) for key, text in line.items()} for line in lines]


def _brought_along(device: Device) -> dict[str, str]:
    """Columns of the device's own credentials; none for those that the server makes."""
    assert isinstance(device.behaviour, ThingsBoardDevice)
    match device.behaviour.own:
        case AccessToken(token):
            return {"token": token}
        case MqttBasic(client_id, user_name, password):
            return {"client_id": client_id, "user_name": user_name, "password": password}
        case OwnCertificate(leaf_pem):
            return {"certificate": "".join(leaf_pem.splitlines()[1:-1])}
        case _:
            return {}


def delete(run: ThingsBoardRun, words: DeleteRecords) -> Director[None]:
    """Raises BrokenBench for a record that is not there: nothing would be tried then."""
    for serial in run.context.record_names(words.only):
        name = serial if words.name is None else words.name.replace("{serial}", serial)
        yield from run.admin.delete_device((yield from run.device_id(name)))


def reset_provisioning(run: ThingsBoardRun, words: ResetProvisioning) -> Director[None]:
    for serial in run.context.record_names(words.only):
        yield from run.admin.delete_attribute((yield from run.device_id(serial)), PROVISION_STATE)


def rename(run: ThingsBoardRun, words: Rename) -> Director[None]:
    for serial in run.context.record_names(words.only):
        name = words.to.replace("{serial}", serial)
        yield from run.admin.save_device({**(yield from run.record_of(serial)), "name": name})
        run.renamed[serial] = name


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
    credentials = yield from run.admin.credentials((yield from run.device_id(serial)))
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
    DeleteRecords: delete,
    ResetProvisioning: reset_provisioning,
    FactoryReset: factory_reset,
    LoseCredentials: lose_credentials,
    RestoreCredentials: restore_credentials,
    Rename: rename,
    Rotate: rotate,
}
"""Word -> what performs it."""
