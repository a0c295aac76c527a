"""Performing the words of `do`: each a director over the rig, so that it runs in virtual and in real time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY
from fleetrig.harness.run.context import Device, Rig
from fleetrig.harness.scenario_file.action_words import (
    Cancel,
    Configure,
    Delete,
    Deploy,
    PowerCut,
    PowerCycle,
    PowerOn,
    Preregister,
    RequestAttributes,
    Rotate,
    SetAttributes,
    Wait,
)
from fleetrig.harness.scenario_file.unit_list import read_units
from fleetrig.harness.scenario_file.words import ActionWord
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import GatewayToken, TargetToken
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.power_watch import PowerWatch
from fleetrig.simulator.effects import Pause

FIRST_CONTACT_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.25


def perform(rig: Rig, words: ActionWord) -> Director[None]:  # noqa: C901 (a table: one line for each word)
    """One action."""
    match words:
        case Configure():
            yield from configure(rig, words.settings)
        case Preregister():
            yield from preregister(rig, words)
        case PowerOn():
            power_on(rig, words)
        case PowerCut():
            for device in rig.chosen(words.only):
                rig.bench.power_cut(device.agent)
        case PowerCycle():
            power_cycle(rig, rig.chosen(words.only), words.off_s)
        case Wait():
            yield Pause(words.for_s, words.for_s, "scenario")
        case Deploy():
            yield from deploy(rig, words)
        case Cancel():
            yield from cancel(rig, words)
        case Delete():
            for serial in rig.serials(words.only):
                yield from rig.server.admin.delete_target(serial)
        case Rotate():
            yield from rotate(rig, words)
        case SetAttributes():
            set_attributes(rig, words)
        case RequestAttributes():
            for serial in rig.serials(words.only):
                yield from rig.server.admin.update_target(serial, {"requestAttributes": True})


def configure(rig: Rig, settings: Mapping[str, Any]) -> Director[None]:
    """Changes the tenant's configuration. On a server that others use too only what differs, and what it was is noted.

    Raises BrokenBench for a setting that could not be put back.
    """
    if rig.server.is_own:
        yield from rig.server.admin.configure(settings)
        return
    before = yield from rig.server.admin.read_config()
    changed = {key: value for key, value in settings.items() if key not in before or before[key].get("value") != value}
    for key in changed:
        if key not in before:
            raise BrokenBench(f"{rig.server.name} does not show the setting {key}, so it could not be put back "
                              "afterwards: is it spelt right, and may the account read it?")  # fmt: skip
        was = None if before[key].get("global", True) else before[key].get("value")
        rig.configured.setdefault(key, was)
    yield from rig.server.admin.configure(changed)


def preregister(rig: Rig, words: Preregister) -> Director[None]:
    """Makes the targets; with a list, its tokens are the ones that count."""
    if words.csv is None:
        serials: Sequence[str] = rig.serials(words.only)
    else:
        units = read_units(words.csv)
        serials = [rig.prefix + unit.serial for unit in units]
        for unit in units:
            rig.learn_token(rig.prefix + unit.serial, unit.token or rig.new_token(f"token of {unit.serial}"))
    targets = [target_body(rig, words, serial) for serial in serials]
    for start in range(0, len(targets), words.batch):
        yield from rig.server.admin.create_targets(targets[start : start + words.batch])


def target_body(rig: Rig, words: Preregister, serial: str) -> dict[str, str]:
    body = {"controllerId": serial, "securityToken": rig.tokens[serial]}
    for key, text in (("name", words.name), ("description", words.description)):
        if text is not None:
            body[key] = text.replace("{serial}", serial)
    return body


def power_on(rig: Rig, words: PowerOn) -> None:
    """Starts devices one by one over the spread; with `cut_at` each loses its power once at that point."""
    devices = [device for device in rig.chosen(words.only) if not device.agent.is_on]
    spread_s = words.spread_s or rig.scenario.devices.start_spread_s
    for position, device in enumerate(devices):
        watch = rig.watch if position == 0 else None
        if words.cut_at is not None:
            watch = rig.cuts[device.serial] = PowerWatch(words.cut_at, words.off_s)
        rig.bench.power_on(device.agent, after_s=spread_s * position / max(1, len(devices)), watch=watch)


def power_cycle(rig: Rig, devices: Sequence[Device], off_s: float) -> None:
    for device in devices:
        rig.bench.power_cut(device.agent)
        rig.bench.power_on(device.agent, after_s=off_s)


def deploy(rig: Rig, words: Deploy) -> Director[None]:
    """Makes an update and assigns it, by default once the server has heard of each device."""
    serials = rig.serials(words.to)
    if not words.before_contact:
        yield from wait_for_first_contact(rig, serials)
    admin = rig.server.admin
    if words.version not in rig.set_ids:
        image, file = image_of(rig, words)
        name = f"{rig.prefix or 'fleetrig-'}image"
        rig.set_ids[words.version] = yield from admin.create_update(name, words.version, image, file)
    yield from admin.assign(rig.set_ids[words.version], serials, words.type)


def wait_for_first_contact(rig: Rig, serials: Sequence[str]) -> Director[None]:
    """Raises BrokenBench when devices have not called in time: there would be nobody to deploy to."""
    deadline_us = rig.bench.now_us() + int(FIRST_CONTACT_WITHIN_S * 1e6)
    for serial in serials:
        while True:
            target = yield from rig.server.admin.target(serial)
            if target is not None and target.get("updateStatus") != "unknown":
                break
            if rig.bench.now_us() > deadline_us:
                raise BrokenBench(f"{serial} did not call the server within {FIRST_CONTACT_WITHIN_S:g} s, so there is "
                                  "nobody to deploy to; say before_contact: true to assign all the same")  # fmt: skip
            yield Pause(LOOK_EVERY_S, LOOK_EVERY_S, "first contact")


def image_of(rig: Rig, words: Deploy) -> tuple[bytes, str]:
    """What is deployed, and the name of its file. Raises BrokenBench for an image that cannot be read."""
    if rig.image is None:
        return image_bytes(words.version, words.size_bytes), f"{words.version}.img"
    try:
        return rig.image.read_bytes(), rig.image.name
    except OSError as wrong:
        raise BrokenBench(f"cannot read the image {rig.image}: {wrong.strerror or wrong}") from None


def image_bytes(version: str, size_bytes: int) -> bytes:
    """An image that is different for each version and the same in each run."""
    block = hashlib.sha256(version.encode()).digest()
    return (block * (size_bytes // len(block) + 1))[:size_bytes]


def cancel(rig: Rig, words: Cancel) -> Director[None]:
    """Cancels the latest open action of each device, or that of one version."""
    of = "" if words.version is None else f" of version {words.version}"
    for serial in rig.serials(words.only):
        action_id = yield from open_action(rig, serial, words.version)
        if action_id is None:
            raise BrokenBench(f"{serial} has no open action{of} that could be cancelled; deploy something first")
        yield from rig.server.admin.cancel_action(serial, action_id)


def open_action(rig: Rig, serial: str, version: str | None) -> Director[int | None]:
    """The newest action that is neither over nor being cancelled already."""
    admin = rig.server.admin
    for action in (yield from admin.actions(serial)):
        if not action.get("active") or action.get("status") == "canceling":
            continue
        if version is None or (yield from admin.action_set(serial, action["id"])) == rig.set_ids.get(version, 0):
            return int(action["id"])
    return None


def rotate(rig: Rig, words: Rotate) -> Director[None]:
    """New tokens on the server; told devices hold them from their next power-on, which follows at once."""
    if words.what == "gateway_token":
        rig.gateway_key = rig.new_token("next gateway key")
        rig.secrets.learn("gateway-token", rig.gateway_key)
        yield from configure(rig, {GATEWAY_KEY: rig.gateway_key})
    for device in rig.chosen(words.only):
        if words.what == "target_token":
            rig.learn_token(device.serial, rig.new_token(f"next token of {device.serial}"))
            yield from rig.server.admin.update_target(device.serial, {"securityToken": rig.tokens[device.serial]})
        if words.tell_device:
            visit(rig, device, words.what)


def visit(rig: Rig, device: Device, what: str) -> None:
    """A technician burns the present token in and switches the device off and on."""
    token = rig.gateway_key if what == "gateway_token" else rig.tokens[device.serial]
    rig.reprogram(device, device.settings, GatewayToken(token) if what == "gateway_token" else TargetToken(token))
    if device.agent.is_on:
        power_cycle(rig, [device], off_s=0.0)


def set_attributes(rig: Rig, words: SetAttributes) -> None:
    """Devices report these from now on; running ones are restarted, as after an update of their software."""
    for device in rig.chosen(words.only):
        settings = replace(device.settings, attributes=dict(words.attributes), attributes_mode=words.mode)
        rig.reprogram(device, settings, device.credential)
        if device.agent.is_on:
            power_cycle(rig, [device], off_s=0.0)
