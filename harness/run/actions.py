"""Performing the words of `do`: each a director over the context, so that it runs in virtual and in real time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY
from fleetrig.harness.run.context import Device, RunContext
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


def perform(context: RunContext, words: ActionWord) -> Director[None]:  # noqa: C901 (a table: one line for each word)
    """One action."""
    match words:
        case Configure():
            yield from configure(context, words.settings)
        case Preregister():
            yield from preregister(context, words)
        case PowerOn():
            power_on(context, words)
        case PowerCut():
            for device in context.chosen(words.only):
                context.driver.power_cut(device.agent)
        case PowerCycle():
            power_cycle(context, context.chosen(words.only), words.off_s)
        case Wait():
            yield Pause(words.for_s, words.for_s, "scenario")
        case Deploy():
            yield from deploy(context, words)
        case Cancel():
            yield from cancel(context, words)
        case Delete():
            for serial in context.serials(words.only):
                yield from context.server.admin.delete_target(serial)
        case Rotate():
            yield from rotate(context, words)
        case SetAttributes():
            set_attributes(context, words)
        case RequestAttributes():
            for serial in context.serials(words.only):
                yield from context.server.admin.update_target(serial, {"requestAttributes": True})


def configure(context: RunContext, settings: Mapping[str, Any]) -> Director[None]:
    """Changes the tenant's configuration. On a server that others use too only what differs, and what it was is noted.

    Raises BrokenBench for a setting that could not be put back.
    """
    if context.server.is_own:
        yield from context.server.admin.configure(settings)
        return
    before = yield from context.server.admin.read_config()
    changed = {key: value for key, value in settings.items() if key not in before or before[key].get("value") != value}
    for key in changed:
        if key not in before:
            raise BrokenBench(f"{context.server.name} does not show the setting {key}, so it could not be put back "
                              "afterwards: is it spelt right, and may the account read it?")  # fmt: skip
        was = None if before[key].get("global", True) else before[key].get("value")
        context.configured.setdefault(key, was)
    yield from context.server.admin.configure(changed)


def preregister(context: RunContext, words: Preregister) -> Director[None]:
    """Makes the targets; with a list, its tokens are the ones that count."""
    if words.csv is None:
        serials: Sequence[str] = context.serials(words.only)
    else:
        units = read_units(words.csv)
        serials = [context.prefix + unit.serial for unit in units]
        for unit in units:
            context.learn_token(
                context.prefix + unit.serial, unit.token or context.new_token(f"token of {unit.serial}")
            )
    targets = [target_body(context, words, serial) for serial in serials]
    for start in range(0, len(targets), words.batch):
        yield from context.server.admin.create_targets(targets[start : start + words.batch])


def target_body(context: RunContext, words: Preregister, serial: str) -> dict[str, str]:
    body = {"controllerId": serial, "securityToken": context.tokens[serial]}
    for key, text in (("name", words.name), ("description", words.description)):
        if text is not None:
            body[key] = text.replace("{serial}", serial)
    return body


def power_on(context: RunContext, words: PowerOn) -> None:
    """Starts devices one by one over the spread; with `cut_at` each loses its power once at that point."""
    devices = [device for device in context.chosen(words.only) if not device.agent.is_on]
    spread_s = words.spread_s or context.scenario.devices.start_spread_s
    for position, device in enumerate(devices):
        watch = context.watch if position == 0 else None
        if words.cut_at is not None:
            watch = context.cuts[device.serial] = PowerWatch(words.cut_at, words.off_s)
        context.driver.power_on(device.agent, after_s=spread_s * position / max(1, len(devices)), watch=watch)


def power_cycle(context: RunContext, devices: Sequence[Device], off_s: float) -> None:
    for device in devices:
        context.driver.power_cut(device.agent)
        context.driver.power_on(device.agent, after_s=off_s)


def deploy(context: RunContext, words: Deploy) -> Director[None]:
    """Makes an update and assigns it, by default once the server has heard of each device."""
    serials = context.serials(words.to)
    if not words.before_contact:
        yield from wait_for_first_contact(context, serials)
    admin = context.server.admin
    if words.version not in context.set_ids:
        image, file = image_of(context, words)
        name = f"{context.prefix or 'fleetrig-'}image"
        context.set_ids[words.version] = yield from admin.create_update(name, words.version, image, file)
    yield from admin.assign(context.set_ids[words.version], serials, words.type)


def wait_for_first_contact(context: RunContext, serials: Sequence[str]) -> Director[None]:
    """Raises BrokenBench when devices have not called in time: there would be nobody to deploy to."""
    deadline_us = context.driver.now_us() + int(FIRST_CONTACT_WITHIN_S * 1e6)
    for serial in serials:
        while True:
            target = yield from context.server.admin.target(serial)
            if target is not None and target.get("updateStatus") != "unknown":
                break
            if context.driver.now_us() > deadline_us:
                raise BrokenBench(f"{serial} did not call the server within {FIRST_CONTACT_WITHIN_S:g} s, so there is "
                                  "nobody to deploy to; say before_contact: true to assign all the same")  # fmt: skip
            yield Pause(LOOK_EVERY_S, LOOK_EVERY_S, "first contact")


def image_of(context: RunContext, words: Deploy) -> tuple[bytes, str]:
    """What is deployed, and the name of its file. Raises BrokenBench for an image that cannot be read."""
    if context.image is None:
        return image_bytes(words.version, words.size_bytes), f"{words.version}.img"
    try:
        return context.image.read_bytes(), context.image.name
    except OSError as wrong:
        raise BrokenBench(f"cannot read the image {context.image}: {wrong.strerror or wrong}") from None


def image_bytes(version: str, size_bytes: int) -> bytes:
    """An image that is different for each version and the same in each run."""
    block = hashlib.sha256(version.encode()).digest()
    return (block * (size_bytes // len(block) + 1))[:size_bytes]


def cancel(context: RunContext, words: Cancel) -> Director[None]:
    """Cancels the latest open action of each device, or that of one version."""
    of = "" if words.version is None else f" of version {words.version}"
    for serial in context.serials(words.only):
        action_id = yield from open_action(context, serial, words.version)
        if action_id is None:
            raise BrokenBench(f"{serial} has no open action{of} that could be cancelled; deploy something first")
        yield from context.server.admin.cancel_action(serial, action_id)


def open_action(context: RunContext, serial: str, version: str | None) -> Director[int | None]:
    """The newest action that is neither over nor being cancelled already."""
    admin = context.server.admin
    for action in (yield from admin.actions(serial)):
        if not action.get("active") or action.get("status") == "canceling":
            continue
        if version is None or (yield from admin.action_set(serial, action["id"])) == context.set_ids.get(version, 0):
            return int(action["id"])
    return None


def rotate(context: RunContext, words: Rotate) -> Director[None]:
    """New tokens on the server; told devices hold them from their next power-on, which follows at once."""
    if words.what == "gateway_token":
        context.gateway_key = context.new_token("next gateway key")
        context.secrets.learn("gateway-token", context.gateway_key)
        yield from configure(context, {GATEWAY_KEY: context.gateway_key})
    for device in context.chosen(words.only):
        if words.what == "target_token":
            context.learn_token(device.serial, context.new_token(f"next token of {device.serial}"))
            yield from context.server.admin.update_target(
                device.serial, {"securityToken": context.tokens[device.serial]}
            )
        if words.tell_device:
            visit(context, device, words.what)


def visit(context: RunContext, device: Device, what: str) -> None:
    """A technician burns the present token in and switches the device off and on."""
    token = context.gateway_key if what == "gateway_token" else context.tokens[device.serial]
    context.reprogram(device, device.settings, GatewayToken(token) if what == "gateway_token" else TargetToken(token))
    if device.agent.is_on:
        power_cycle(context, [device], off_s=0.0)


def set_attributes(context: RunContext, words: SetAttributes) -> None:
    """Devices report these from now on; running ones are restarted, as after an update of their software."""
    for device in context.chosen(words.only):
        settings = replace(device.settings, attributes=dict(words.attributes), attributes_mode=words.mode)
        context.reprogram(device, settings, device.credential)
        if device.agent.is_on:
            power_cycle(context, [device], off_s=0.0)
