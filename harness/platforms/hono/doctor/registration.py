"""Whether a device is registered, would be provisioned, and may send (spec 2.2, 2.3, 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hono.doctor.facts import (
    TYPES,
    Anchor,
    DeviceRecord,
    Facts,
    Kind,
    TenantRecord,
    counts_now,
    objects,
)
from fleetrig.harness.platforms.hono.doctor.identity import LEGAL_ID, Identity
from fleetrig.harness.platforms.hono.doctor.names import how_they_differ
from fleetrig.harness.platforms.hono.doctor.trust import quoted_dn
from fleetrig.harness.servers.description import did_you_mean

PROVISIONS_OTHERS: Final = "auto-provisioning-enabled"
"""The authority of a gateway that may bring devices of its own."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The device that has the credentials, and the entry."""

    device: DeviceRecord
    entry: Mapping[str, Any]


def owner_of(facts: Facts, auth_id: str) -> Owner | None:
    for device in facts.devices or ():
        if (entry := device.entry(facts.presented.kind, auth_id)) is not None:
            return Owner(device, entry)
    return None


def credentials_causes(facts: Facts, tenant: TenantRecord, owner: Owner, auth_id: str) -> Iterator[Diagnosis]:
    """About credentials that are there."""
    kind, entry, device = facts.presented.kind, owner.entry, owner.device
    select = f'(.[]|select(.type=="{TYPES[kind]}" and .["auth-id"]=={_jq(auth_id)}))'
    if entry.get("enabled") is False:
        more = (
            " The registry then takes the device for an unknown one: each attempt fails on the auth-id, and a stock "
            "registry makes one more device without credentials (an orphan) each time."
        ) if kind is Kind.CERTIFICATE else ""  # fmt: skip
        yield Diagnosis(
            "credentials-disabled", Weight.CAUSE,
            f"The {kind} credentials {quoted_dn(auth_id)} of device {quoted(device.id)} are disabled.{more}",
            "Enable them.", facts.shell.credentials(tenant.id, device.id, f"{select}.enabled=true"),
        )  # fmt: skip
    yield from _secrets(facts, owner, auth_id)
    yield from _bound(facts, entry, auth_id)


def _secrets(facts: Facts, owner: Owner, auth_id: str) -> Iterator[Diagnosis]:
    secrets = objects(owner.entry.get("secrets"))
    flaws = [counts_now(one, facts.now) for one in secrets]
    if not secrets or not all(flaws):
        return
    is_certificate = facts.presented.kind is Kind.CERTIFICATE
    name = "secret-not-yet-valid" if flaws[0].startswith("counts") else "secret-out-of-date"
    name = "secret-disabled" if flaws[0] == "is disabled" else name
    yield Diagnosis(
        name, Weight.LIKELY if is_certificate else Weight.CAUSE,
        f"No secret of the credentials {quoted_dn(auth_id)} of device {quoted(owner.device.id)} counts now: it "
        f"{flaws[0]}."
        + (" A JDBC registry then finds no credentials; MongoDB does not look." if is_certificate else ""),
        "Send the credentials with new dates; a secret that keeps its id keeps its password.",
    )  # fmt: skip


def _bound(facts: Facts, entry: Mapping[str, Any], auth_id: str) -> Iterator[Diagnosis]:
    ext = entry.get("ext")
    wanted = ext.get("client-id") if isinstance(ext, dict) else None
    if wanted is None or facts.adapter != "hono-mqtt" or wanted == facts.presented.client_id:
        return
    got = facts.presented.client_id
    yield Diagnosis(
        "client-id-bound", Weight.CAUSE,
        f"The credentials {quoted_dn(auth_id)} are bound to the MQTT client id {quoted(str(wanted))} (ext.client-id), "
        f"and the device says {quoted(got) if got else 'none'}: then they are not found.",
        "Let the device use that client id (here: --client-id), or take client-id out of ext.",
    )  # fmt: skip


def device_causes(facts: Facts, tenant: TenantRecord, device: DeviceRecord) -> Iterator[Diagnosis]:
    if not device.is_enabled:
        yield Diagnosis(
            "device-disabled", Weight.CAUSE,
            f"The device {quoted(device.id)} is disabled: 404 over HTTP, CONNACK 5, 4.04 over CoAP.",
            "Enable it.", facts.shell.device(tenant.id, device.id, ".enabled=true"),
        )  # fmt: skip


# -- a device that nobody knows


def unknown_device(facts: Facts, tenant: TenantRecord, anchor: Anchor | None, made: Identity) -> Iterator[Diagnosis]:
    """A certificate whose credentials are not registered: what keeps it from being provisioned."""
    if anchor is None or not anchor.provisions:
        yield from _not_provisioned(facts, tenant, anchor, made.auth_id)
        return
    yield from made.of_new
    by_id = {one.id: one for one in facts.devices or ()}
    if made.device_id is not None and made.device_id in by_id:
        yield Diagnosis(
            "device-id-taken", Weight.CAUSE,
            f"The template makes the device-id {quoted(made.device_id)}, and there is such a device already, without "
            f"the auth-id {quoted_dn(made.auth_id)}: 409 each time, CONNACK 5.",
            "Give that device x509-cert credentials with this auth-id, delete it, or change the template.",
        )  # fmt: skip
    most = tenant.most_devices
    if most is not None and facts.devices is not None and facts.knows_all_devices and len(facts.devices) >= most:
        yield Diagnosis(
            "device-limit", Weight.CAUSE,
            f"{tenant.at_start} may have {most} devices and has {len(facts.devices)}: nobody is "
            "provisioned any more (403, CONNACK 5).",
            "Raise max-devices, or delete devices: look for those without credentials, which lost races leave behind.",
            facts.shell.tenant(tenant.id, f'.["registration-limits"]["max-devices"]={most + 1}'),
        )  # fmt: skip


def _not_provisioned(facts: Facts, tenant: TenantRecord, anchor: Anchor | None, auth_id: str) -> Iterator[Diagnosis]:
    near = next(_near(facts, auth_id), None)
    if near is not None:
        yield near
        return
    if anchor is None:
        return
    is_seen = facts.devices is not None and facts.knows_all_devices
    alone = " (auto-provision-as-gateway alone does nothing)" if anchor.as_gateway else ""
    who = "no device has" if is_seen else "a device gets in only if it has"
    yield Diagnosis(
        "auto-provisioning-off", Weight.CAUSE if is_seen or facts.is_offline else Weight.LIKELY,
        f"The authority {quoted_dn(anchor.subject_dn)} has auto-provisioning-enabled false, as it is by "
        f"default{alone}, and {who} x509-cert credentials {quoted_dn(auth_id)}: 401, CONNACK 4.",
        "Switch auto-provisioning on, or register the device with these credentials.",
        facts.shell.tenant(tenant.id, f'.["trusted-ca"][{anchor.position}]["auto-provisioning-enabled"]=true')
        if tenant.id else (),
    )  # fmt: skip


def _near(facts: Facts, auth_id: str) -> Iterator[Diagnosis]:
    """Credentials that somebody meant for this certificate."""
    for device in facts.devices or ():
        for entry in device.entries or ():
            if entry.get("type") != TYPES[Kind.CERTIFICATE]:
                continue
            how = how_they_differ(str(entry.get("auth-id")), auth_id)
            if how is not None:
                yield Diagnosis(
                    f"auth-id-{how[0].removeprefix('dn-')}", Weight.CAUSE,
                    f"Device {quoted(device.id)} has x509-cert credentials {quoted_dn(str(entry.get('auth-id')))}, the "
                    f"certificate gives {quoted_dn(auth_id)}: {how[1]}. They are compared letter by letter.",
                    "Register the credentials with this auth-id; with cert (Base64 of the DER) nobody has to write it.",
                )  # fmt: skip


# -- gateways


def gateway_causes(facts: Facts, tenant: TenantRecord, gateway: DeviceRecord) -> Iterator[Diagnosis]:
    """Whether it may send for another device."""
    wanted = facts.presented.acts_for
    if not wanted or wanted == gateway.id or facts.devices is None:
        return
    edge = next((one for one in facts.devices if one.id == wanted), None)
    may_provision = PROVISIONS_OTHERS in gateway.words("authorities")
    if edge is None and not may_provision:
        yield Diagnosis(
            "gateway-without-authority", Weight.CAUSE,
            f"There is no device {quoted(wanted)}{did_you_mean(wanted, [one.id for one in facts.devices])}, and the "
            f"gateway {quoted(gateway.id)} may not bring devices of its own: its authorities lack {PROVISIONS_OTHERS}. "
            "Told as 404.",
            "Register the device with the gateway in via, or give the gateway the authority.",
            facts.shell.device(tenant.id, gateway.id, f'.authorities+=["{PROVISIONS_OTHERS}"]'),
        )  # fmt: skip
    elif edge is None and not LEGAL_ID.fullmatch(wanted):
        yield Diagnosis(
            "edge-device-id-illegal", Weight.CAUSE,
            f"{quoted(wanted)} is no device-id: it may have letters, digits and - _ . : = only. Told as 400.",
            "Let the gateway call the device otherwise.",
        )  # fmt: skip
    elif edge is not None and not edge.is_enabled:
        yield Diagnosis(
            "edge-device-disabled", Weight.CAUSE,
            f"The device {quoted(wanted)}, for which the gateway sends, is disabled: 404.",
            "Enable it.", facts.shell.device(tenant.id, edge.id, ".enabled=true"),
        )  # fmt: skip
    elif edge is not None and not _acts_for(gateway, edge):
        have = ", ".join(map(quoted, edge.words("via"))) or "nobody"
        yield Diagnosis(
            "gateway-not-in-via", Weight.CAUSE,
            f"The gateway {quoted(gateway.id)} may not send for {quoted(wanted)}: its via has {have}, its viaGroups "
            "none of which the gateway is memberOf. Told as 403.",
            "Add the gateway to the device's via.",
            facts.shell.device(tenant.id, edge.id, f'.via+=["{gateway.id}"]'),
        )  # fmt: skip


def _acts_for(gateway: DeviceRecord, edge: DeviceRecord) -> bool:
    return gateway.id in edge.words("via") or bool(set(gateway.words("memberOf")) & set(edge.words("viaGroups")))


def _jq(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
