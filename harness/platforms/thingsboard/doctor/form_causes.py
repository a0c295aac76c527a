"""What is wrong with a request by its form alone, whatever the server has (spec 1.1, 1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.thingsboard.doctor.document import (
    CREDENTIALS,
    GATEWAY,
    KEY,
    MEMBERS,
    NAME,
    NAME_CHARS,
    SECRET,
    TYPE,
    TYPES,
    DeviceDocument,
)
from fleetrig.harness.platforms.thingsboard.doctor.facts import Facts, Strategy
from fleetrig.harness.platforms.thingsboard.doctor.near import nearest
from fleetrig.harness.servers.json_answer import kind_of

MISUNDERSTOOD: Final = {
    "userName": "username", "user": "username", "accessToken": "token", "credentialsValue": "token",
    "name": "deviceName", "certificate": "hash", "x509CertHash": "hash", "provisionKey": KEY, "provisionSecret": SECRET,
}  # fmt: skip
"""Words of replies, of the user interface and of other documents -> the member of a request."""
NO_ANSWER: Final = (
    "The server then answers nothing at all over MQTT (it acknowledges and closes), 500 over HTTP and 4.00 over CoAP"
)


def form(facts: Facts) -> Iterator[Diagnosis]:
    """Everything that the text of the request gives away."""
    document = facts.presented.document
    if document is None:
        return
    if document.why_not:
        yield _no_json(document)
        return
    yield from _members(document)
    yield from _types(document)
    yield from _name(document)
    yield from _credentials(facts, document)


def _no_json(document: DeviceDocument) -> Diagnosis:
    return Diagnosis(
        "no-json", Weight.LIKELY,
        f"The request is {printable(document.why_not, 120)}. Over MQTT 3.1.1 the server closes without a word, over "
        "HTTP it answers 500, over CoAP 4.00. (Its parser takes more than JSON, single quotes for instance, so this "
        "was not sent: it might provision.)",
        'Send one JSON object: {"deviceName": …, "provisionDeviceKey": …, "provisionDeviceSecret": …}.',
    )  # fmt: skip


def _members(document: DeviceDocument) -> Iterator[Diagnosis]:
    for name in document.fatal():
        what = kind_of(document.members[name])
        yield Diagnosis(
            "null-member" if document.members[name] is None else "member-no-value", Weight.CAUSE,
            f"{name} is {what}. {NO_ANSWER}; a device that asks again at once does so for ever. The official Python "
            "SDK sends such nulls when only some parts of MQTT_BASIC are given.",
            f"Leave {name} out instead, or give it a text.",
        )  # fmt: skip
    unknown = [name for name in document.members if name not in MEMBERS]
    for name in (KEY, SECRET):
        if name not in document.members:
            meant = next((one for one in unknown if _meant(one) == name), "")
            yield Diagnosis(
                "missing-member", Weight.CAUSE,
                f"The request has no {name}{f' (but {quoted(meant)}, which means nothing)' if meant else ''}. "
                f"{NO_ANSWER}, without saying why.",
                f"Send {name}, in exactly this spelling.",
            )  # fmt: skip
        elif name not in document.fatal() and not document.text(name):
            yield Diagnosis(
                "empty-member", Weight.CAUSE, f"{name} is empty, which is NOT_FOUND whatever else is sent.",
                f"Give the device the {'key' if name == KEY else 'secret'} of its profile.",
            )  # fmt: skip
    for name in unknown:
        meant = _meant(name)
        if meant and meant not in (KEY, SECRET):
            yield Diagnosis(
                "unknown-member", Weight.LIKELY if meant in (NAME, *CREDENTIALS) else Weight.NOTE,
                f"{quoted(name)} is no member of a request and is ignored.",
                f"Call it {meant}" + (" (only replies say userName)." if name == "userName" else "."),
            )  # fmt: skip


def _meant(name: str) -> str:
    return MISUNDERSTOOD.get(name) or nearest(name, MEMBERS)


def _types(document: DeviceDocument) -> Iterator[Diagnosis]:
    kind = document.text(TYPE)
    if TYPE in document.members and TYPE not in document.fatal() and kind not in TYPES:
        meant = nearest(kind, TYPES)
        yield Diagnosis(
            "unknown-credentials-type", Weight.CAUSE,
            f"credentialsType is {quoted(kind)}, which is no type. {NO_ANSWER}.",
            f"Write {meant} (upper case, exactly)." if meant else f"Use one of {', '.join(TYPES)}, or leave it out.",
        )  # fmt: skip


def _name(document: DeviceDocument) -> Iterator[Diagnosis]:
    name = document.text(NAME)
    if name and not name.strip():
        yield Diagnosis(
            "blank-name", Weight.CAUSE,
            "deviceName is nothing but blanks: FAILURE, before anybody looks at key and secret.",
            "Give the device a name, or leave deviceName out if it may have one of the server's making.",
        )  # fmt: skip
    elif len(name.strip()) > NAME_CHARS or ("<" in name and ">" in name):
        what = f"has {len(name.strip())} characters; a device may have {NAME_CHARS} at most" if "<" not in name else (
            "holds markup"
        )  # fmt: skip
        yield Diagnosis(
            "impossible-name", Weight.CAUSE, f"The name {quoted(name)} {what}: FAILURE.", "Choose another name."
        )


def _credentials(facts: Facts, document: DeviceDocument) -> Iterator[Diagnosis]:
    """Own credentials that do not go together: FAILURE where devices are created; elsewhere they are ignored."""
    own, kind = document.own_credentials, document.text(TYPE) or "ACCESS_TOKEN"
    profile = facts.profile
    if profile is not None and profile.strategy == Strategy.CHECK:
        if own:
            yield Diagnosis(
                "own-credentials-ignored", Weight.NOTE,
                f"The device brings {', '.join(own)} along, but profile {quoted(profile.name)} provisions listed "
                "devices, which get the credentials that the server has.",
                "Let the device use what the reply says, or enter its credentials when it is listed.",
            )  # fmt: skip
        if document.text(GATEWAY).lower() == "true" and not _is_gateway(facts):
            yield Diagnosis(
                "gateway-flag-ignored", Weight.LIKELY,
                f"The request asks for a gateway, but profile {quoted(profile.name)} provisions listed devices and "
                "looks at no flag: what the device publishes to v1/gateway/… will be swallowed without a word.",
                "Make the listed device a gateway (Devices > its name > Is gateway; IS_GATEWAY in a bulk import).",
            )  # fmt: skip
        return
    if why := _contradiction(own, kind):
        yield Diagnosis("credentials-contradict", Weight.CAUSE, f"{why}: FAILURE where devices are created.",
                        "Send the members of one type, and that type.")  # fmt: skip
    elif kind in TYPES[1:] and not own:
        yield Diagnosis(
            "credentials-missing", Weight.NOTE,
            f"credentialsType is {kind}, but none of its values is there: the device gets an ACCESS_TOKEN instead.",
            "Follow the credentialsType of the reply, or send the values.",
        )  # fmt: skip


def _is_gateway(facts: Facts) -> bool:
    device = None if facts.tenant is None else facts.tenant.device
    return device is None or device.is_gateway


def _contradiction(own: tuple[str, ...], kind: str) -> str:
    match kind:
        case "ACCESS_TOKEN" if own and "token" not in own:
            return f"credentialsType is {kind} (or left out), but there is no token beside {', '.join(own)}"
        case "MQTT_BASIC" if own and not {"clientId", "username"} & set(own):
            return "MQTT_BASIC needs clientId or username"
        case "MQTT_BASIC" if "password" in own and "username" not in own:
            return "MQTT_BASIC with clientId and password needs username too"
        case "X509_CERTIFICATE" if own and "hash" not in own:
            return f"X509_CERTIFICATE needs hash, the whole certificate, beside {', '.join(own)}"
        case "LWM2M_CREDENTIALS" if own:
            return "LWM2M_CREDENTIALS cannot be brought along"
        case _:
            return ""
