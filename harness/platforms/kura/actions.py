"""Performing Kura's words of `do`: each a director, so that it runs in virtual and in real time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.harness.platforms.kura.air_actions import (
    load_certificates,
    roll_back_configuration,
    snapshot,
    start_provisioning,
    stop_provisioning,
    write_component,
    write_provisioning,
)
from fleetrig.harness.platforms.kura.control_action import send_control
from fleetrig.harness.platforms.kura.device_actions import factory_reset, give, set_clock, write_on_console
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.record import known_connection, known_device, users_of
from fleetrig.harness.platforms.kura.request_calls import change_request, delete_request, find_request
from fleetrig.harness.platforms.kura.setup import ask_for_request, configure, new_signing_certificate
from fleetrig.harness.platforms.kura.signers import signers_of
from fleetrig.harness.platforms.kura.words import (
    ConfigureServices,
    Couple,
    CreateRequest,
    DeleteRequest,
    Disable,
    DisableRequest,
    Enable,
    EnableRequest,
    FactoryReset,
    Kick,
    LoadCertificates,
    OfRequest,
    PreregisterGateways,
    ResetJob,
    ResetLockout,
    RevokeUser,
    RollBack,
    Rotate,
    SendControl,
    SetClock,
    StartProvisioning,
    StopJob,
    StopProvisioning,
    TakeSnapshot,
    WriteConfiguration,
    WriteProvisioning,
)
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.flows.kura.components import TRANSPORT_PID

# -- the registry


def preregister(run: KuraRun, words: PreregisterGateways) -> Director[None]:
    scope = run.scope(words.account)
    for serial in run.context.serials(words.only):
        about = {"clientId": run.names(serial).client_id, "status": "ENABLED", "serialNumber": serial}
        yield from run.admin.create(f"{scope}/devices", about)


def delete(run: KuraRun, words: Delete) -> Director[None]:
    for serial in run.context.record_names(words.only):
        yield from run.admin.delete((yield from known_device(run, serial)))


def disable(run: KuraRun, words: Disable) -> Director[None]:
    yield from switch(run, words.what, words.only, "DISABLED")


def enable(run: KuraRun, words: Enable) -> Director[None]:
    yield from switch(run, words.what, words.only, "ENABLED")


def switch(run: KuraRun, what: str, only: str, status: str) -> Director[None]:
    for serial in run.context.record_names(only):
        path = yield from (known_device(run, serial) if what == "device" else known_user(run, serial))
        yield from run.admin.change(path, {"status": status})


def known_user(run: KuraRun, serial: str) -> AdminCall[str]:
    """The path of the user with whom a device signed in last. Raises BrokenBench where there is none."""
    path, connection = yield from known_connection(run, serial)
    user_id = connection.get("userId")
    if not user_id:
        raise BrokenBench(f"the connection of {serial} has no user")
    return f"{path.partition('/')[0]}/users/{user_id}"


def revoke_user(run: KuraRun, words: RevokeUser) -> Director[None]:
    """Raises BrokenBench for a device that never signed in there: nothing would be tried then."""
    scope = run.scope(words.account)
    for serial in run.context.record_names(words.only):
        connection = yield from run.admin.connection(scope, run.names(serial).client_id)
        if connection is None or not connection.get("userId"):
            raise BrokenBench(f"{serial} never signed in to the account {run.first_account}")
        yield from run.admin.delete(f"{scope}/users/{connection['userId']}")


def reset_lockout(run: KuraRun, words: ResetLockout) -> Director[None]:
    """Of all users that a device may have: those with its name, and those of its connections."""
    for serial in run.context.record_names(words.only):
        users = yield from users_of(run, serial)
        if not users:
            raise BrokenBench(f"{run.context.server.name} knows no user of {serial}")
        for scope, user_id in users:
            for credential in (yield from run.admin.credentials(scope, user_id)):
                path = f"/v1/{scope}/credentials/{run.admin.part(credential, str, 'id')}/_unlock"
                yield from run.admin.call("POST", path, expect=(200, 204))


def couple(run: KuraRun, words: Couple) -> Director[None]:
    given = {"userCouplingMode": words.mode, "allowUserChange": words.allow_user_change}
    members = {name: value for name, value in given.items() if value is not None}
    for serial in run.context.record_names(words.only):
        path, _ = yield from known_connection(run, serial)
        yield from run.admin.change(f"{path}/options", members)


def kick(run: KuraRun, words: Kick) -> Director[None]:
    for serial in run.context.record_names(words.only):
        path, _ = yield from known_connection(run, serial)
        yield from run.admin.call("POST", f"/v1/{path}/_disconnect", expect=(204,))


# -- provision requests


def ask_for_requests(run: KuraRun, words: CreateRequest) -> Director[None]:
    for device in run.context.select_devices(words.only):
        yield from ask_for_request(run, device.serial, words, overwrite=words.overwrite)
        if words.tell_device:
            give(run, device)


def delete_requests(run: KuraRun, words: DeleteRequest) -> Director[None]:
    for request in (yield from requests_of(run, words)):
        yield from delete_request(run.admin, str(request["id"]))


def change_requests(run: KuraRun, words: OfRequest, members: Mapping[str, Any]) -> Director[None]:
    for request in (yield from requests_of(run, words)):
        yield from change_request(run.admin, request, members)


def change_jobs(run: KuraRun, words: OfRequest, status: str) -> Director[None]:
    """A job is changed by its status within the request: how the vendor's console does it is not public."""
    for request in (yield from requests_of(run, words)):
        job = {**(request.get("provisionJob") or {}), "status": status}
        yield from change_request(run.admin, request, {"provisionJob": job})


def requests_of(run: KuraRun, words: OfRequest) -> AdminCall[list[dict[str, Any]]]:
    """As they are now. Raises BrokenBench for a device that has none: nothing would be tried then."""
    found = []
    for serial in run.context.record_names(words.only):
        made = run.request_of(serial)
        scope = run.scope(words.account or made.account)
        request = yield from find_request(run.admin, scope, run.names(serial).client_id)
        if request is None:
            raise BrokenBench(f"{run.context.server.name} has no provision request for {serial} any more")
        found.append(request)
    return found


# -- secrets


def rotate(run: KuraRun, words: Rotate) -> Director[None]:
    if words.what == "signing_certificate":
        yield from replace_signing_certificate(run, words.account)
        return
    for device in run.context.select_devices(words.only):
        of = run.names(device.serial).serial
        run.versions[of] = run.versions.get(of, 0) + 1
        path = yield from known_user(run, device.serial)
        scope, _, user_id = path.split("/")
        yield from run.admin.reset_password(scope, user_id, run.account_password(device.serial))
        if not words.tell_device:
            continue
        run.told[of] = run.versions[of]
        if run.kind == "password":
            give(run, device)
        else:
            write_on_console(run, device, TRANSPORT_PID, {"password": run.account_password(device.serial)})


def replace_signing_certificate(run: KuraRun, account: str | None) -> Director[None]:
    """A new one, which signs from now on; devices know nothing of it."""
    name = account or run.first_account
    scope, older = run.scope(account), run.signers.get(name, ())
    yield from new_signing_certificate(run, name)
    for one in older:
        if one.scope_id == scope:
            yield from run.admin.change(f"{scope}/certificateInfos/{one.id}", {"status": "REVOKED"})
    run.signers[name] = yield from signers_of(run.admin, run.scope(name))


PERFORM: Final[Mapping[type[ActionWord], Callable[[KuraRun, Any], Director[None]]]] = {
    ConfigureServices: lambda run, words: configure(run, words.values),
    PreregisterGateways: preregister,
    Delete: delete,
    CreateRequest: ask_for_requests,
    DeleteRequest: delete_requests,
    DisableRequest: lambda run, words: change_requests(run, words, {"status": "DISABLED"}),
    EnableRequest: lambda run, words: change_requests(run, words, {"status": "ENABLED"}),
    StopJob: lambda run, words: change_jobs(run, words, "STOPPING"),
    ResetJob: lambda run, words: change_jobs(run, words, "CREATED"),
    Disable: disable,
    Enable: enable,
    RevokeUser: revoke_user,
    ResetLockout: reset_lockout,
    Couple: couple,
    Kick: kick,
    LoadCertificates: load_certificates,
    WriteProvisioning: write_provisioning,
    WriteConfiguration: write_component,
    TakeSnapshot: snapshot,
    RollBack: roll_back_configuration,
    StartProvisioning: start_provisioning,
    StopProvisioning: stop_provisioning,
    SendControl: send_control,
    FactoryReset: factory_reset,
    SetClock: set_clock,
    Rotate: rotate,
}
"""Word -> what performs it."""
