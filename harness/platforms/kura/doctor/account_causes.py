"""The account that the gateway calls, and the device that its BIRTH is to make (spec 1.1, 5.1, 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Purpose
from fleetrig.harness.platforms.kura.doctor.names import bare_mac
from fleetrig.harness.platforms.kura.doctor.records import AccountRecord
from fleetrig.harness.servers.description import did_you_mean

LIMITS: Final = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
"""The service whose configuration holds an account's limit of devices."""
NOT_KNOWN: Final = -1


def account_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Whether the account is there, and is the right one; then what it says of the device."""
    name, server = facts.gateway.account, facts.server
    if facts.purpose is Purpose.PROVISIONING and name and name != facts.provisioning_account:
        yield Diagnosis(
            "account-not-provisioning", Weight.CAUSE,
            f"account-name is {quoted(name)}; gateways are provisioned in the account "
            f"{quoted(facts.provisioning_account)}, "
            "which all share. The account to which the gateway is to belong stands in its provision request.",
            f"Set account-name of ProvisioningService to {quoted(facts.provisioning_account)}.",
        )  # fmt: skip
        return
    if facts.purpose is Purpose.CONNECTION and name == facts.provisioning_account:
        yield Diagnosis(
            "account-is-provisioning", Weight.CAUSE,
            f"The gateway's own connection calls the account {quoted(name)}, which is for being provisioned alone.",
            "Set topic.context.account-name to the account to which the gateway belongs, or provision it.",
        )  # fmt: skip
        return
    known = [one.name for one in server.accounts]
    if name and known and name not in known:
        yield Diagnosis(
            "account-unknown", Weight.CAUSE if server.knows_all_accounts else Weight.LIKELY,
            f"There is no account {quoted(name)}{did_you_mean(name, known)}.",
            "Correct the account name of the gateway, or create the account.",
        )  # fmt: skip
    if facts.purpose is Purpose.CONNECTION and server.account is not None:
        yield from _device(facts, server.account)


def _device(facts: Facts, account: AccountRecord) -> Iterator[Diagnosis]:
    device, connection = facts.server.device, facts.server.connection
    if device is None:
        if facts.server.knows_device:
            yield from _limit(facts, account)
        return
    if not device.is_enabled:
        yield Diagnosis(
            "device-disabled", Weight.CAUSE,
            f"The device {quoted(device.text('clientId'))} is DISABLED. (Kapua itself lets it in nevertheless.)",
            "Enable it (PUT with status ENABLED and the optlock that was read last).",
            facts.shell.api(
                "PUT", f"/{account.scope_id}/devices/{device.id}", {**device.document, "status": "ENABLED"}
            ),
        )  # fmt: skip
    serial, mac = device.text("serialNumber"), bare_mac(facts.gateway.mac)
    interfaces = device.text("connectionInterface").upper().replace(":", "")
    is_other_serial = serial and facts.gateway.serial and serial != facts.gateway.serial
    is_other_mac = mac and interfaces and mac not in interfaces
    if is_other_serial or is_other_mac:
        told = quoted(serial) if is_other_serial else quoted(device.text("connectionInterface"))
        live = " It is connected now." if connection is not None and connection.status == "CONNECTED" else ""
        yield Diagnosis(
            "client-id-of-another-gateway", Weight.CAUSE,
            f"Another gateway calls itself {quoted(facts.gateway.client_id)}: the last BIRTH with this client id told "
            "of "
            f"{'the serial number' if is_other_serial else 'the interface'} {told}.{live} Two gateways with one "
            "client id "
            "throw each other out, every few seconds.",
            "Give each gateway a client id of its own.",
        )  # fmt: skip


def _limit(facts: Facts, account: AccountRecord) -> Iterator[Diagnosis]:
    most = account.devices_at_most
    if most is None or most == NOT_KNOWN or account.devices < most:
        return
    yield Diagnosis(
        "no-device-limit", Weight.CAUSE,
        f"The account {quoted(account.name)} may have {most} devices, and has {account.devices}: the gateway is let "
        "in, its "
        "BIRTH is accepted, and no device is made of it; nobody is told.",
        "Allow the account devices (infiniteChildEntities true, or a larger maxNumberChildEntities).",
        facts.shell.api("PUT", f"/{account.scope_id}/serviceConfigurations/{LIMITS}", {
            "id": LIMITS,
            "properties": {"property": [
                {"name": "infiniteChildEntities", "type": "Boolean", "value": ["true"]},
            ]},
        }),
    )  # fmt: skip
