"""Performing words that ask something of devices over the air: each waits until the device has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platforms.kura.device_actions import write_on_console
from fleetrig.harness.platforms.kura.device_management import (
    SIGNING_STORE,
    TRUST_STORE,
    load_certificate,
    roll_back,
    take_snapshot,
    write_configuration,
)
from fleetrig.harness.platforms.kura.device_settings import provisioning_of
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.record import known_device
from fleetrig.harness.platforms.kura.words import (
    LoadCertificates,
    RollBack,
    StartProvisioning,
    StopProvisioning,
    SwitchProvisioning,
    TakeSnapshot,
    WriteConfiguration,
    WriteProvisioning,
)
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.flows.kura.components import PROVISIONING_PID, values_of

FLAGS: Final = frozenset({"enabled", "provisioned"})
"""Of the ProvisioningService: they come last, in a request of their own (spec 3.7)."""
BEGINS: Final[Mapping[str, Any]] = {"enabled": True, "provisioned": False}
ENDS: Final[Mapping[str, Any]] = {"enabled": False}


def load_certificates(run: KuraRun, words: LoadCertificates) -> Director[None]:
    """Raises BrokenBench for an account whose certificates nobody knows, and for a device that keeps another one."""
    for serial in run.context.record_names(words.only):
        account = words.account or run.request_of(serial).account
        signers = run.signers.get(account)
        if not signers:
            raise BrokenBench(f"{run.context.server.name} shows no certificate that signs for the account {account}")
        device, signer = (yield from known_device(run, serial)), signers[0]
        if "signing" in words.what:
            yield from load_certificate(run.admin, device, SIGNING_STORE, signer.alias, signer.own_pem)
        if "authority" in words.what:
            yield from load_certificate(run.admin, device, TRUST_STORE, f"ca-{signer.alias}", signer.root_pem)


def write_provisioning(run: KuraRun, words: WriteProvisioning) -> Director[None]:
    form = getattr(run.context.scenario.devices, "client_id", None) or "serial"
    for serial in run.context.record_names(words.only):
        run.request_of(serial)
        wanted = values_of(provisioning_of(run, serial, form))
        values = {name: value for name, value in wanted.items() if name not in FLAGS}
        device = yield from known_device(run, serial)
        yield from write_configuration(run.admin, device, PROVISIONING_PID, values)


def write_component(run: KuraRun, words: WriteConfiguration) -> Director[None]:
    for serial in run.context.record_names(words.only):
        values = {name: _for(serial, value) for name, value in words.properties.items()}
        device = yield from known_device(run, serial)
        yield from write_configuration(run.admin, device, words.component, values)


def snapshot(run: KuraRun, words: TakeSnapshot) -> Director[None]:
    for serial in run.context.record_names(words.only):
        yield from take_snapshot(run.admin, (yield from known_device(run, serial)))


def roll_back_configuration(run: KuraRun, words: RollBack) -> Director[None]:
    for serial in run.context.record_names(words.only):
        yield from roll_back(run.admin, (yield from known_device(run, serial)))


def start_provisioning(run: KuraRun, words: StartProvisioning) -> Director[None]:
    yield from switch_provisioning(run, words, BEGINS)


def stop_provisioning(run: KuraRun, words: StopProvisioning) -> Director[None]:
    yield from switch_provisioning(run, words, ENDS)


def switch_provisioning(run: KuraRun, words: SwitchProvisioning, values: Mapping[str, Any]) -> Director[None]:
    if words.on == "console":
        for device in run.context.select_devices(words.only):
            write_on_console(run, device, PROVISIONING_PID, values)
        return
    for serial in run.context.record_names(words.only):
        device_path = yield from known_device(run, serial)
        yield from write_configuration(run.admin, device_path, PROVISIONING_PID, values)


def _for(serial: str, value: Any) -> Any:
    return value.replace("{serial}", serial) if isinstance(value, str) else value
