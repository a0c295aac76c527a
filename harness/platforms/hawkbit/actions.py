"""Performing hawkBit's words of `do`: each a director, so that it runs in virtual and in real time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, cast

from fleetrig.harness.external.program_failed import never_called
from fleetrig.harness.platforms.hawkbit.cleanup import value_before
from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun, policy_of
from fleetrig.harness.platforms.hawkbit.preregistration import preregister
from fleetrig.harness.platforms.hawkbit.rollouts import move_rollout, roll_out
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, HEADER_AUTHORITY
from fleetrig.harness.platforms.hawkbit.updates import made_set
from fleetrig.harness.platforms.hawkbit.words import (
    Cancel,
    Configure,
    Deploy,
    MoveRollout,
    PreregisterTargets,
    RequestAttributes,
    RetireAuthorities,
    Rollout,
    Rotate,
    SetAttributes,
    SetConfirmation,
)
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S, to_us
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import Credential, GatewayToken, TargetToken
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Pause
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice

FIRST_CONTACT_WITHIN_S: Final = 60.0
POLL_EVERY_S: Final = 0.25


def configure(run: HawkbitRun, settings: Mapping[str, Any]) -> Director[None]:
    """Changes the tenant's configuration. On a shared server only what differs, and previous values are recorded.

    Raises BrokenBench for a setting that could not be restored.
    """
    if run.context.server.is_own:
        yield from run.admin.configure(settings)
        return
    before = yield from run.admin.read_config()
    changed = {key: value for key, value in settings.items() if key not in before or before[key].get("value") != value}
    for key in changed:
        if key not in before:
            raise BrokenBench(f"{run.context.server.name} does not show the setting {key}, so it could not be put back "
                              "afterwards: is it spelt right, and may the account read it?")  # fmt: skip
        run.configured.setdefault(key, value_before(before[key]))
    yield from run.admin.configure(changed)


def deploy(run: HawkbitRun, words: Deploy) -> Director[None]:
    """Makes an update and assigns it, by default once the server has heard of each device."""
    serials = run.context.serials(words.to)
    if not words.before_contact:
        yield from wait_for_first_contact(run, serials)
    set_id = yield from made_set(run, words.version, words.size_bytes, words.modules)
    yield from run.admin.assign(set_id, serials, words.type, **assignment_of(words, run.context.driver.now_us()))


def assignment_of(words: Deploy, now_us: int) -> dict[str, Any]:
    """The fields of an assignment beside the target and the type (§1.4)."""
    fields: dict[str, Any] = {}
    if words.force_after_s is not None:
        fields["forcetime"] = (now_us + to_us(words.force_after_s)) // US_PER_MS
    if words.confirmation_required is not None:
        fields["confirmationRequired"] = words.confirmation_required
    if (window := words.window) is not None:
        opens_us = now_us + to_us(window.opens_after_s or 0.0)
        schedule = window.schedule or once_at(opens_us)
        fields["maintenanceWindow"] = {
            "schedule": schedule, "duration": window.duration, "timezone": window.timezone,
        }  # fmt: skip
    return fields


def once_at(at_us: int) -> str:
    """A Quartz cron for one second, in UTC; a part of a second counts as a whole one."""
    at = datetime.fromtimestamp(math.ceil(at_us / US_PER_S), UTC)
    return f"{at.second} {at.minute} {at.hour} {at.day} {at.month} ? {at.year}"


def wait_for_first_contact(run: HawkbitRun, serials: Sequence[str]) -> Director[None]:
    """There would be no target to deploy to: raises ProgramFailed for programs under test that have not called in time
    or cannot any more, and BrokenBench for devices of ours."""
    deadline_us = run.context.driver.now_us() + int(FIRST_CONTACT_WITHIN_S * 1e6)
    is_external = run.context.scenario.devices.external
    for serial in serials:
        while True:
            target = yield from run.admin.target(serial)
            if target is not None and target.get("updateStatus") != "unknown":
                break
            is_late, is_on = run.context.driver.now_us() > deadline_us, run.context.devices[serial].agent.is_on
            if is_external and (is_late or not is_on):
                raise never_called(serial, FIRST_CONTACT_WITHIN_S, is_on=is_on)
            if is_late:
                raise BrokenBench(f"{serial} did not call the server within {FIRST_CONTACT_WITHIN_S:g} s, so there is "
                                  "nobody to deploy to; say before_contact: true to assign all the same")  # fmt: skip
            yield Pause(POLL_EVERY_S, POLL_EVERY_S, "first contact")


def cancel(run: HawkbitRun, words: Cancel) -> Director[None]:
    """Cancels the latest open action of each device, or that of one version."""
    of = "" if words.version is None else f" of version {words.version}"
    for serial in run.context.serials(words.only):
        action_id = yield from open_action(run, serial, words.version)
        if action_id is None:
            raise BrokenBench(f"{serial} has no open action{of} that could be cancelled; deploy something first")
        yield from run.admin.cancel_action(serial, action_id)


def open_action(run: HawkbitRun, serial: str, version: str | None) -> Director[int | None]:
    """The newest action that is neither finished nor being cancelled."""
    admin = run.admin
    for action in (yield from admin.actions(serial)):
        if not action.get("active") or action.get("status") == "canceling":
            continue
        if version is None or (yield from admin.action_set(serial, action["id"])) == run.set_ids.get(version, 0):
            return int(action["id"])
    return None


def rotate(run: HawkbitRun, words: Rotate) -> Director[None]:
    """New secrets on the server. Devices that get them are restarted at once and use them from then on."""
    if words.what in ("certificate", "authority"):
        yield from rotate_certificates(run, words)
        return
    if words.what == "gateway_token":
        run.gateway_key = run.context.new_token("next gateway key")
        run.context.secrets.learn("gateway-token", run.gateway_key)
        yield from configure(run, {GATEWAY_KEY: run.gateway_key})
    for device in run.context.select_devices(words.only):
        if words.what == "target_token":
            run.learn_token(device.serial, run.context.new_token(f"next token of {device.serial}"))
            yield from run.admin.update_target(device.serial, {"securityToken": run.tokens[device.serial]})
        if words.tell_device:
            visit(run, device, words.what)


def rotate_certificates(run: HawkbitRun, words: Rotate) -> Director[None]:
    """Certificates of the newest authority; a new authority is trusted first, by the proxy and by the tenant."""
    if words.what == "authority":
        run.certificates.add_authority()
        yield from configure(run, {HEADER_AUTHORITY: ",".join(run.certificates.told_as())})
    for device in run.context.select_devices(words.only) if words.tell_device else ():
        certificate = run.certificates.issue("certificate", device.serial)
        reprogram(run, device, settings_of(device), certificate)


def retire_authorities(run: HawkbitRun, _: RetireAuthorities) -> Director[None]:
    """The tenant forgets all authorities but the newest; a proxy may go on verifying what the others have issued."""
    yield from configure(run, {HEADER_AUTHORITY: ",".join(run.certificates.told_as(only_newest=True))})


def visit(run: HawkbitRun, device: Device, what: str) -> None:
    """Gives the device its current token and power-cycles it, as a technician would."""
    is_gateway = what == "gateway_token"
    credential = GatewayToken(run.gateway_key) if is_gateway else TargetToken(run.tokens[device.serial])
    reprogram(run, device, settings_of(device), credential)


def set_attributes(run: HawkbitRun, words: SetAttributes) -> Director[None]:
    """Devices report these from now on; running ones are restarted, as after an update of their software."""
    yield from ()
    for device in run.context.select_devices(words.only):
        settings = replace(settings_of(device), attributes=dict(words.attributes), attributes_mode=words.mode)
        reprogram(run, device, settings, device.credential)


def set_confirmation(run: HawkbitRun, words: SetConfirmation) -> Director[None]:
    """Devices answer so from now on; running ones are restarted."""
    yield from ()
    for device in run.context.select_devices(words.only):
        reprogram(run, device, replace(settings_of(device), confirmation=policy_of(words)), device.credential)


def settings_of(device: Device) -> HawkbitSettings:
    """Returns the device's current settings."""
    return cast(HawkbitDevice, device.behaviour).settings


def reprogram(run: HawkbitRun, device: Device, settings: HawkbitSettings, credential: Credential | None) -> None:
    """Gives a device new settings and credential; a device that is on restarts."""
    run.context.reprogram(device, credential, HawkbitDevice(settings, credential))
    if device.agent.is_on:
        power_cycle(run.context, [device], off_s=0.0)


def delete(run: HawkbitRun, words: Delete) -> Director[None]:
    for serial in run.context.serials(words.only):
        yield from run.admin.delete_target(serial)


def request_attributes(run: HawkbitRun, words: RequestAttributes) -> Director[None]:
    for serial in run.context.serials(words.only):
        yield from run.admin.update_target(serial, {"requestAttributes": True})


PERFORM: Final[Mapping[type[ActionWord], Callable[[HawkbitRun, Any], Director[None]]]] = {
    Configure: lambda run, words: configure(run, words.values),
    PreregisterTargets: preregister,
    Deploy: deploy,
    Rollout: roll_out,
    MoveRollout: move_rollout,
    Cancel: cancel,
    Delete: delete,
    Rotate: rotate,
    RetireAuthorities: retire_authorities,
    SetAttributes: set_attributes,
    SetConfirmation: set_confirmation,
    RequestAttributes: request_attributes,
}
"""Word -> what performs it."""
