"""Performing Hono's words of `do`: each a director, so that it runs in virtual and in real time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.harness.platforms.hono.admin import PROVISIONS_OTHERS, JsonDict
from fleetrig.harness.platforms.hono.command_action import send_command
from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.record import known_device
from fleetrig.harness.platforms.hono.setup import configure, replace_tenant
from fleetrig.harness.platforms.hono.words import (
    AddCredentials,
    Authorize,
    ConfigureTenant,
    DeleteTenant,
    Disable,
    Enable,
    RegisterDevices,
    RetireTenantAuthorities,
    RotateCredentials,
    SendCommand,
    Switched,
    TrustAuthority,
)
from fleetrig.harness.run.actions import power_cycle
from fleetrig.harness.run.context import Device
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate, Credential
from fleetrig.simulator.drivers.director import Director


def register(run: HonoRun, words: RegisterDevices) -> Director[None]:
    """Two requests a device, as the management API wants it: the device, then its credentials (spec 1.2, 1.3)."""
    for serial in run.context.serials(words.only):
        yield from run.admin.create_device(serial, {})
        if words.credentials:
            yield from run.admin.replace_credentials(serial, run.stored_credentials(serial))


def add_credentials(run: HonoRun, words: AddCredentials) -> Director[None]:
    for serial in run.context.serials(words.only):
        device_id = yield from known_device(run, serial)
        yield from run.admin.replace_credentials(device_id, run.stored_credentials(serial))


def delete(run: HonoRun, words: Delete) -> Director[None]:
    for serial in run.context.record_names(words.only):
        yield from run.admin.delete_device((yield from known_device(run, serial)))


def delete_tenant(run: HonoRun, _: DeleteTenant) -> Director[None]:
    yield from run.admin.delete_tenant()


def disable(run: HonoRun, words: Disable) -> Director[None]:
    yield from switch(run, words.what, words.only, is_on=False)


def enable(run: HonoRun, words: Enable) -> Director[None]:
    yield from switch(run, words.what, words.only, is_on=True)


def switch(run: HonoRun, what: Switched, only: str, *, is_on: bool) -> Director[None]:
    if what == "tenant":
        run.is_enabled = is_on
        yield from replace_tenant(run)
        return
    for serial in run.context.record_names(only):
        device_id = yield from known_device(run, serial)
        if what == "device":
            yield from change_device(run, device_id, {"enabled": is_on})
        else:
            yield from switch_credentials(run, device_id, is_on=is_on)


def switch_credentials(run: HonoRun, device_id: str, *, is_on: bool) -> Director[None]:
    """Raises BrokenBench for a device that has none: nothing would be tried then."""
    entries = yield from run.admin.credentials(device_id)
    if not entries:
        raise BrokenBench(f"the device {device_id} has no credentials that could be {'en' if is_on else 'dis'}abled")
    yield from run.admin.replace_credentials(device_id, [{**entry, "enabled": is_on} for entry in entries])


def authorize(run: HonoRun, words: Authorize) -> Director[None]:
    authorities = [PROVISIONS_OTHERS] if words.may_provision else []
    for serial in run.context.serials(words.only):
        yield from change_device(run, (yield from known_device(run, serial)), {"authorities": authorities})


def trust_authority(run: HonoRun, _: TrustAuthority) -> Director[None]:
    newest = run.newest_authority
    run.trusted = [*(one for one in run.trusted if one != newest), newest]
    yield from replace_tenant(run)


def retire_authorities(run: HonoRun, words: RetireTenantAuthorities) -> Director[None]:
    run.trusted = [] if words.all else [run.newest_authority]
    yield from replace_tenant(run)


def rotate(run: HonoRun, words: RotateCredentials) -> Director[None]:
    if words.what == "authority":
        run.certificates.add_authority()
        yield from trust_authority(run, TrustAuthority())
    for device in run.context.select_devices(words.only):
        if words.is_about_certificates():
            assert isinstance(device.credential, ClientCertificate)
            renewed = run.certificates.renewed(device.credential, same_subject=words.what != "subject")
            reprogram(run, device, renewed)
        else:
            yield from replace_secret(run, device, tell_device=words.tell_device)


def replace_secret(run: HonoRun, device: Device, *, tell_device: bool) -> Director[None]:
    serial = device.serial
    run.versions[serial] = run.versions.get(serial, 0) + 1
    device_id = yield from known_device(run, serial)
    yield from run.admin.replace_credentials(device_id, run.stored_credentials(serial))
    if tell_device:
        run.told[serial] = run.versions[serial]
        reprogram(run, device, run.credential_of(serial))


def reprogram(run: HonoRun, device: Device, credential: Credential) -> None:
    """Gives a device another secret or certificate; a device that is on restarts."""
    run.context.reprogram(device, credential, run.behaviour(device.serial, credential))
    if device.agent.is_on:
        power_cycle(run.context, [device], off_s=0.0)


def change_device(run: HonoRun, device_id: str, members: JsonDict) -> Director[None]:
    """A PUT replaces all, so it is read first; an empty member goes away."""
    device = yield from run.admin.device(device_id)
    changed = {**(device or {}), **members}
    document = {name: value for name, value in changed.items() if name != "status" and value not in ([], {})}
    yield from run.admin.replace_device(device_id, document)


PERFORM: Final[Mapping[type[ActionWord], Callable[[HonoRun, Any], Director[None]]]] = {
    ConfigureTenant: lambda run, words: configure(run, words.values),
    RegisterDevices: register,
    AddCredentials: add_credentials,
    Delete: delete,
    DeleteTenant: delete_tenant,
    Disable: disable,
    Enable: enable,
    TrustAuthority: trust_authority,
    RetireTenantAuthorities: retire_authorities,
    RotateCredentials: rotate,
    Authorize: authorize,
    SendCommand: send_command,
}
"""Word -> what performs it."""
