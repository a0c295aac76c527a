"""Why a device with credentials is not let in (spec 3.1, 3.3, 3.4): slips in them, and what the server has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.thingsboard.doctor.facts import TYPES, DeviceRecord, Facts, Kind, Said, masked
from fleetrig.harness.platforms.thingsboard.doctor.near import QUOTES, but_for, hint
from fleetrig.harness.platforms.thingsboard.doctor.tenant import basic_parts, holds
from fleetrig.harness.platforms.thingsboard.doctor.way import PROVISION, Over

INHERENT: Final = frozenset({"captured-by-provision", "wrong-transport", "token-malformed"})
"""What refuses a device whatever the server has."""


def slips(facts: Facts) -> Iterator[Diagnosis]:
    """What shows without looking at the server."""
    presented, over = facts.presented, facts.way.over
    yield from _wrong_transport(facts.presented.kind, over)
    if presented.kind is Kind.REQUEST:
        return
    if over.plain == Over.MQTT and PROVISION in (presented.client_id, presented.user_name, presented.token):
        yield Diagnosis(
            "captured-by-provision", Weight.CAUSE,
            f"With {PROVISION!r} as client id or user name every CONNECT is a session that provisions, whatever "
            "credentials it has: it is accepted, and closed at the first message.",
            "Use another client id for ordinary logins.",
        )  # fmt: skip
    token = presented.token
    if presented.kind is Kind.ACCESS_TOKEN and (slip := _slip(token)):
        yield Diagnosis(
            "token-malformed", Weight.LIKELY,
            f"The access token as given {slip}, and the server compares every character.",
            "Store the bare token on the device.",
        )  # fmt: skip


def _slip(token: str) -> str:
    if not token.strip():
        return "is empty"
    if token != token.strip():
        return "begins or ends with a blank or a line end"
    if len(token) > 1 and token[0] in QUOTES and token[0] == token[-1]:
        return "stands in quotes"
    return "begins with the word Bearer" if token.startswith("Bearer ") else ""


def _wrong_transport(kind: Kind, over: Over) -> Iterator[Diagnosis]:
    if kind is Kind.MQTT_BASIC and over.plain != Over.MQTT:
        yield _not_over(f"MQTT_BASIC credentials work over MQTT only; {over} takes access tokens.")
    if kind is Kind.CERTIFICATE and over not in (Over.MQTTS, Over.COAPS):
        yield _not_over(
            f"A certificate is shown in a TLS handshake over MQTT (mqtts) or CoAP (coaps), never over {over}."
        )


def _not_over(cause: str) -> Diagnosis:
    return Diagnosis(
        "wrong-transport", Weight.CAUSE, cause,
        "Let the device use the other transport, or change its credentials to an access token.",
    )  # fmt: skip


def login_causes(facts: Facts) -> Iterator[Diagnosis]:
    """By what the account's tenant has; nothing without an account."""
    tenant, presented = facts.tenant, facts.presented
    if tenant is None or presented.kind not in (Kind.ACCESS_TOKEN, Kind.MQTT_BASIC):
        return
    device = tenant.device
    if device is not None and holds(device, presented):
        return
    if tenant.owner:
        yield from _of_another(facts, tenant.owner)
    elif facts.name and device is None:
        yield Diagnosis(
            "no-such-device", Weight.CAUSE,
            f"The tenant has no device {quoted(facts.name)}: it was deleted, renamed, or never made, and its "
            f"credentials went with it.{hint(facts.name, tenant.names, 'device')}",
            "Let the device be provisioned anew, or correct the name.",
        )  # fmt: skip
    elif device is not None:
        yield from _other_credentials(facts, device)
    elif tenant.knows_all and not _was_let_in(facts):
        yield Diagnosis(
            "nobody-has-it", Weight.CAUSE,
            f"No device of this tenant has these credentials ({presented}): the device was deleted, its credentials "
            "were changed, or it belongs to another tenant.",
            "Let the device be provisioned anew, or enter these credentials at its device (Devices > its name > Manage "
            "credentials). With --name this page compares with one device.",
        )  # fmt: skip


def _was_let_in(facts: Facts) -> bool:
    return facts.heard is not None and facts.heard.said is Said.LET_IN


def _of_another(facts: Facts, owner: str) -> Iterator[Diagnosis]:
    if not facts.name:
        return
    own = "which has others" if facts.tenant is not None and facts.tenant.device else "which there is none of"
    yield Diagnosis(
        "credentials-of-another", Weight.LIKELY,
        f"These credentials are those of device {quoted(owner)}, not of {quoted(facts.name)}, {own}: whatever this "
        "device sends appears there.",
        f"Give the device its own, or correct the name here: --name {quoted(owner)}.",
    )  # fmt: skip


def _other_credentials(facts: Facts, device: DeviceRecord) -> Iterator[Diagnosis]:
    presented = facts.presented
    wanted = TYPES[presented.kind]
    if device.credentials_type != wanted:
        yield Diagnosis(
            "other-credentials-type", Weight.CAUSE,
            f"Device {quoted(device.name)} has credentials of the type {device.credentials_type}, and presents "
            f"{wanted}: only the stored type lets it in.",
            f"Let the device use {device.credentials_type}, or change its credentials (Devices > {device.name} > "
            "Manage credentials).",
        )  # fmt: skip
    elif presented.kind is Kind.ACCESS_TOKEN:
        stored = device.credentials_id
        yield Diagnosis(
            "token-differs", Weight.CAUSE,
            f"The access token of device {quoted(device.name)} is another one{but_for(stored, presented.token)}: the "
            f"device has {masked('access-token', presented.token)}, the server {masked('access-token', stored)}.",
            "Put the server's token on the device, or enter the device's there.",
            facts.shell.call("GET", f"/device/{device.id}/credentials"),
        )  # fmt: skip
    else:
        yield from _parts(facts, device)


def _parts(facts: Facts, device: DeviceRecord) -> Iterator[Diagnosis]:
    """Each part of MQTT_BASIC that is stored and differs; empty stored parts are not compared."""
    presented = facts.presented
    given = (presented.client_id, presented.user_name or "", presented.password or "")
    for what, stored, own in zip(("client id", "user name", "password"), basic_parts(device), given, strict=True):
        if not stored or stored == own:
            continue
        is_secret = what == "password"
        shown = [masked("password", text) if is_secret else quoted(text) for text in (own, stored)]
        yield Diagnosis(
            f"{what.replace(' ', '-')}-differs", Weight.CAUSE,
            f"The {what} of device {quoted(device.name)} is another one{but_for(stored, own)}: the device sends "
            f"{shown[0]}, the server has {shown[1]}.",
            f"Correct the {what} on the device. All parts that are stored have to fit.",
        )  # fmt: skip


def duties(facts: Facts) -> Iterator[Diagnosis]:
    """What the device wants to do once it is in: be a gateway, be claimed."""
    device = None if facts.tenant is None else facts.tenant.device
    presented = facts.presented
    told = facts.heard.document if facts.heard is not None else {}
    is_gateway = (device is not None and device.is_gateway) or "gatewayRateLimits" in told
    is_known = device is not None or "rateLimits" in told
    if presented.kind is not Kind.REQUEST and presented.is_gateway and is_known and not is_gateway:
        yield Diagnosis(
            "no-gateway", Weight.CAUSE,
            "The device is no gateway to the server: what it publishes to v1/gateway/… is swallowed, without an "
            "acknowledgement and without a word.",
            "Set additionalInfo.gateway of the device (Devices > its name > Is gateway), and log in again. In a "
            "request to "
            'be provisioned: "gateway": true (since 3.8).',
        )  # fmt: skip
    if (
        presented.kind is not Kind.REQUEST
        and presented.claims
        and (device is None or device.claiming_allowed is not True)
    ):
        yield _claiming(facts, device)


def _claiming(facts: Facts, device: DeviceRecord | None) -> Diagnosis:
    """Whether claiming is on by default is a start-up property, which nobody can look up."""
    path = "" if device is None else f"/plugins/telemetry/DEVICE/{device.id}/SERVER_SCOPE"
    if device is not None and device.claiming_allowed is False:
        weight, cause = Weight.LIKELY, "The device's server attribute claimingAllowed is false"
    else:
        weight, cause = Weight.POSSIBLE, "The device has no server attribute claimingAllowed: true"
    return Diagnosis(
        "claiming-off", weight,
        f"{cause}. Where the server was started with security.claim.allowClaimingByDefault=false, its offer to be "
        "claimed is acknowledged and forgotten, and every claim is a FAILURE. One wrong secret also ends an offer.",
        "Set the attribute, then let the device offer itself again.",
        facts.shell.call("POST", path, {"claimingAllowed": True}) if path else (),
    )  # fmt: skip
