"""Mistakes in what operators do, and what devices see of it (S83 to S85, S100, S102, S104)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard.coap import device_requests
from fleetrig.reference_server.platforms.thingsboard.device_api import said, values
from fleetrig.reference_server.platforms.thingsboard.mqtt import device_messages, logins
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.provisioning import answers
from fleetrig.reference_server.platforms.thingsboard.rest import bulk_import
from fleetrig.reference_server.platforms.thingsboard.rest import credentials as rest_credentials
from fleetrig.reference_server.platforms.thingsboard.state import devices
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.registry import NoticeKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttDisconnect
from tests.harness.conformance.code_changes import Change, being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import (
    http_answers,
    mqtt_sends,
    mutant,
    of_each,
)


def leaks_in_text() -> tuple[Change, ...]:
    """A refusal that tells a device's token to whoever names the device."""

    def decided(original: Any, registry: Any, *more: Any) -> Any:
        found = original(registry, *more)
        held = None if found.device is None else devices.credentials_of(registry, found.device.id)
        return replace(found, reason=held.credentials_id) if held is not None and found.credentials is None else found

    def answered(original: Any, found: Any) -> Any:
        document = dict(original(found))
        is_leak = found.credentials is None and found.device is not None
        return {**document, "credentialsValue": found.reason} if is_leak else document

    return (*of_each("decide", instead(decided)), (answers, "_answered", instead(answered)))


def leaks_in_header() -> tuple[Change, ...]:
    """The same in a header, the document as it should be."""
    known: list[str] = []

    def formed(original: Any, registry: Any, credentials: Any) -> Any:
        known.append(credentials.credentials_id)
        return original(registry, credentials)

    def told(_: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_refusal = isinstance(response.body, bytes) and b"errorMsg" in response.body and known
        return replace(response, headers=(*response.headers, ("X-Device", known[-1]))) if is_refusal else response

    return ((devices, "learn_credentials", instead(formed)), http_answers(told))


def tally(**changes: Any) -> Change:
    """Another account of an import."""

    def change(original: Any, found: Any) -> Any:
        reply = original(found)
        return replace(
            reply, document={**reply.document, **{name: one(reply.document[name]) for name, one in changes.items()}}
        )

    return (bulk_import, "_told", instead(change))


def told_and_not_made(original: Any, call: Any, fields: Any) -> Any:
    device, is_new = original(call, fields)
    devices.delete_device(call.registry, device)
    return device, is_new


def all_or_nothing(original: Any) -> Any:
    """One bad line, and nothing more is imported."""
    bad: list[str] = []

    def save_line(call: Any, fields: Any) -> Any:
        if bad:
            raise RuleBroken("an earlier line was bad")
        try:
            return original(call, fields)
        except RuleBroken:
            bad.append("one")
            raise

    return save_line


def some_device_of_the_tenant(original: Any, call: Any, fields: Any) -> Any:
    """As the real server: a line without a name is another device's."""
    if fields.get("NAME"):
        return original(call, fields)
    found = devices.devices_of(call.registry, call.operator.tenant_id)[0]
    return original(call, {**fields, "NAME": found.name})


def first_ids_work(original: Any) -> Any:
    """What was a device's once is its for ever."""
    known: dict[str, Any] = {}

    def find(registry: Any, credentials_id: str) -> Any:
        found = original(registry, credentials_id)
        if found is not None:
            known[credentials_id] = found
        return known.get(credentials_id)

    return find


def ended_but_unchanged(original: Any, registry: Any, stored: Any, formed: Any, *more: Any) -> Any:
    saved = original(registry, stored, formed, *more)
    original(registry, saved, replace(formed, credentials_id=stored.credentials_id))
    return saved


def deaf_to(kind: NoticeKind) -> Change:
    return (MqttInterface, "hear", instead(
        lambda original, self, notices, now_us: original(self, [one for one in notices if one.kind is not kind], now_us)
    ))  # fmt: skip


MUTANTS = (
    mutant("a refusal tells a token", "S04 S42 S83", *leaks_in_text(), spares="S01 S10"),
    mutant("a refusal tells a token in a header", "S83", *leaks_in_header(), spares="S04 S10"),
    # lists
    mutant("a list counts bad lines as made", "S84", tally(created=lambda made: made + 1), spares="S102"),
    mutant("a list counts no errors", "S84", tally(errors=lambda _: 0), spares="S102"),
    mutant("a list names no bad line", "S84", tally(errorsList=lambda _: ["a line is bad"]), spares="S102"),
    mutant(
        "a list counts lines without their header",
        "S84",
        tally(errorsList=lambda said: [one.replace("Line 3", "Line 2") for one in said]),
        spares="S102",
    ),
    mutant(
        "a list is told of and not kept", "S84", (bulk_import, "save_line", instead(told_and_not_made)), spares="S38"
    ),
    mutant("a list drops attributes", "S84", (bulk_import, "put_attributes", giving(None)), spares="S38"),
    mutant("a bad line ends a list", "S84", (bulk_import, "save_line", all_or_nothing), spares="S38"),
    mutant(
        "a line without a name is some other device's",
        "S100",
        (bulk_import, "save_line", instead(some_device_of_the_tenant)),
        spares="S84",
    ),
    # live sessions
    mutant(
        "sessions hear nothing of operators",
        "S85 S104",
        (MqttInterface, "hear", giving([])),
        spares="S48",
        silence=True,
    ),
    mutant("a session outlives its device", "S85", deaf_to(NoticeKind.DEVICE_DELETED), spares="S104", silence=True),
    mutant("a session outlives its token", "S104", deaf_to(NoticeKind.CREDENTIALS_CHANGED), spares="S85", silence=True),
    mutant(
        "a session ends for another reason",
        "S85 S104",
        *mqtt_sends(MqttDisconnect, lambda said: replace(said, code=0x8B) if said.code == 0x98 else said),
        spares="S61",
    ),
    mutant("an old token works on", "S104", (logins, "credentials_by_id", first_ids_work), spares="S20"),
    mutant(
        "a new token ends sessions and does not count",
        "S104",
        (rest_credentials, "save_credentials", instead(ended_but_unchanged)),
        spares="S85",
    ),
    mutant(
        "refused logins have another code",
        "S48 S54 S85 S104",
        (logins, "_code_for", giving(MqttReason.NOT_AUTHORIZED)),
        spares="S52",
    ),
    # attributes and telemetry
    mutant(
        "telemetry that says its time is not kept",
        "S03",
        (said, "read_telemetry", then(lambda measured: [one for one in measured if one.at_ms is None])),
        spares="S85 S102",
    ),
    mutant(
        "numbers in text stay text", "S102", (values, "LOOKS_LIKE_A_NUMBER", being(re.compile("(?!)"))), spares="S03"
    ),
    mutant(
        "attributes over MQTT are acknowledged and lost",
        "S102",
        (device_messages, "post_attributes", giving(None)),
        spares="S03",
    ),
    mutant(
        "attributes over CoAP are acknowledged and lost",
        "S102",
        (device_requests, "post_attributes", giving(None)),
        spares="S03",
    ),
    mutant(
        "all that begins with a digit is a number",
        "S102",
        (values, "LOOKS_LIKE_A_NUMBER", being(re.compile(r"[0-9.]+b?"))),
        (values, "_number", instead(lambda original, text: original(text.rstrip("b")))),
        spares="S03",
    ),
)
