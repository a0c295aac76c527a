"""Mistakes with gateways, passwords and keys, over HTTP, MQTT and CoAP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionPresent
from fleetrig.reference_server.platforms.hono.coap import adapter as over_coap
from fleetrig.reference_server.platforms.hono.coap import device_requests
from fleetrig.reference_server.platforms.hono.http import adapter as over_http
from fleetrig.reference_server.platforms.hono.http.adapter import HttpAdapter
from fleetrig.reference_server.platforms.hono.http.replies import CHALLENGES
from fleetrig.reference_server.platforms.hono.http.requests import AdapterCall
from fleetrig.reference_server.platforms.hono.mqtt import adapter as over_mqtt
from fleetrig.reference_server.platforms.hono.mqtt import connack_codes, publish_errors, publishing
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection
from fleetrig.reference_server.platforms.hono.mqtt.session_rules import SESSION_RULES
from fleetrig.reference_server.platforms.hono.provisioning import (
    assertion,
    by_secret,
    credentials_lookup,
    gateways,
    sign_in,
    uploading,
)
from fleetrig.reference_server.platforms.hono.state import devices
from fleetrig.reference_server.platforms.hono.state.devices import mark_notification_sent
from fleetrig.reference_server.platforms.hono.state.records import Device
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.http import HttpResponse
from tests.harness.conformance.code_changes import always, being, giving, instead, then
from tests.harness.platforms.hono.conformance.mutants import Mutant, mutant, with_traits


def nobody_told(original: Any, contact: Any, tenant: Any, device: Any, gateway_id: str) -> None:
    """As if the device had come by itself."""
    original(contact, tenant, device)


def changed_each_time(original: Any, contact: Any, *more: Any) -> Any:
    return mark_notification_sent(contact.registry, original(contact, *more), contact.now_us)


def never_there(original: Any, registry: Any, tenant_id: str, device_id: str) -> Any:
    """Edge devices are not looked for."""
    return None if device_id.startswith("e") else original(registry, tenant_id, device_id)


def challenging(original: Any, adapter: Any, denied: Any, sender: Any = None) -> Any:
    """Everybody who is refused is told how to sign in."""
    answer = original(adapter, denied, sender)
    headers = (*answer.response.headers, *CHALLENGES)
    return replace(answer, response=replace(answer.response, headers=headers))


def long_only(original: Any, text: str) -> Any:
    return original("nosuch" if text in ("t", "e") else text)


def first_secret(found: Any) -> Any:
    return found and replace(found, secrets=found.secrets[:1])


def unbound(original: Any, registry: Any, found: Any, context: Any, **more: Any) -> Any:
    return original(registry, found, {}, **more)


def of_anybody(original: Any, contact: Any, identity: str) -> Any:
    """The key of the device that everybody knows."""
    tenant = identity.partition("@")[2]
    return original(contact, f"sensor1@{tenant}")


def confirmable(original: Any, call: Any, *more: Any) -> Any:
    return original(replace(call, request=replace(call.request, confirmable=True)), *more)


def rules(**changes: Any) -> tuple[Any, str, Callable[[Any], Any]]:
    return (over_mqtt, "SESSION_RULES", being(replace(SESSION_RULES, **changes)))


def status(changed: dict[int, int]) -> tuple[Any, str, Callable[[Any], Any]]:
    """Other statuses of what the HTTP adapter refuses."""

    def told(original: Any, registry: Any, before: int, *more: Any) -> HttpResponse:
        response: HttpResponse = original(registry, changed.get(before, before), *more)
        return response

    return (over_http, "error_answer", instead(told))


UNKNOWN = MqttReason.BAD_USER_NAME_OR_PASSWORD
MUTANTS: tuple[Mutant, ...] = (
    # gateways
    mutant("gateways bring nobody", "G01 G02 G03 G08 G10 G11 G13",
           with_traits(provisions_edge_devices=False),
           spares="G04"),
    mutant("nobody hears of the gateway", "G02", (gateways, "announce_if_owed", instead(nobody_told)), spares="G01"),
    mutant("every message changes the device", "G03",
           (assertion, "device_by_gateway", instead(changed_each_time)),
           spares="G01"),
    mutant("every gateway brings devices", "G04", (Device, "may_provision", always(True)), spares="G01"),
    mutant("every gateway speaks for every device", "G05 G08 G11", (gateways, "acts_for", giving(True)), spares="G01"),
    mutant("groups of gateways do not count", "G08", (Device, "member_of", always(())), spares="G01"),
    mutant("what there is is made again", "G03 G10", (gateways, "device_of", instead(never_there)), spares="G04"),
    mutant("any path will do", "G12", (HttpAdapter, "_flaw_of_put", giving(None)), spares="G05"),
    mutant("foreign tenants are unknown", "G05 G12", status({403: 404}), spares="G04"),
    mutant("edge devices may have any id", "G09", (devices, "check_device_id", giving(None)), spares="G01"),
    # HTTP
    mutant("what is accepted has no content", "H01 A01",
           (over_http, "ACCEPTED", being(HttpResponse(204))),
           spares="H02"),
    mutant("everybody is told how to sign in", "H02", (HttpAdapter, "_denied", instead(challenging)), spares="H01"),
    mutant("nobody is told how to sign in", "H02", (over_http, "CHALLENGES", being(())), spares="H01"),
    mutant("any password will do", "H02 H10 M01", (by_secret, "is_password_right", giving(True)), spares="H01"),
    mutant("any type will do", "H03 H04",
           (over_http, "type_flaw", giving("")), (uploading, "type_flaw", giving("")),
           spares="H05"),
    mutant("any quality of service will do", "H05", (AdapterCall, "qos", always(0)), spares="H04"),
    mutant("messages may be as large as they like", "H06", settings=Settings(payload_bytes=1 << 16), spares="H05"),
    mutant("messages end a byte too soon", "H06", settings=Settings(payload_bytes=2047), spares="H05"),
    mutant("the volume is endless", "H07", (uploading, "exceeds_data_volume", giving("")), spares="H06"),
    mutant("the volume is used up at once", "H07", (uploading, "exceeds_data_volume", giving("full")), spares="H02"),
    mutant("everything arrives", "H08", (uploading, "forward", giving(True)), spares="H01"),
    mutant("nobody is told when to come again", "H08",
           (over_http, "RETRY_AFTER", being(("X-Retry-After", "2"))),
           spares="H01"),
    mutant("secrets always count", "H09", (credentials_lookup, "_counts", giving(True)), spares="H10"),
    mutant("the first secret counts", "H10", (by_secret, "find_credentials", then(first_secret)), spares="H09"),
    mutant("what is off is unknown", "H11 A14 A15", status({403: 401}), spares="H02"),
    mutant("no password is right", "H01 M01 R41 R43", (by_secret, "is_password_right", giving(False)), spares="A01"),
    # MQTT
    mutant("who is not known is not authorized", "A08 M01 M03",
           (connack_codes, "OF_AUTHENTICATION", being({})),
           spares="H02"),
    mutant("who is not authorized is not known", "A14 M02",
           (connack_codes, "OF_AUTHENTICATION", being(dict.fromkeys((401, 403, 404), UNKNOWN))),
           spares="M01"),
    mutant("short topics are none", "M05", (publishing, "read_topic", instead(long_only)), spares="M01"),
    mutant("topics have no properties", "M05",
           (publishing, "read_topic", instead(lambda original, text: original(text.replace("/?", "?")))),
           spares="M01"),
    mutant("a topic that is none is acknowledged", "G04 M06",
           (publish_errors, "_mode", giving(publish_errors.OnError.IGNORE)),
           spares="M05"),
    mutant("nobody is told of errors", "M06", (LiveConnection, "error_subscription", giving(None)), spares="M05"),
    mutant("sessions are kept", "M07", rules(session_present=SessionPresent.UNLESS_CLEAN), spares="M01"),
    mutant("any client id will do", "M08", (credentials_lookup, "_why_not", instead(unbound)), spares="M01"),
    # CoAP
    mutant("what is accepted is created", "C01 C05", (device_requests, "CHANGED", being("2.01")), spares="H01"),
    mutant("any name has the key", "C02", (sign_in, "key_and_identified", instead(of_anybody)), spares="C01"),
    mutant("nothing is ever content", "C04",
           (device_requests, "type_flaw", giving("")), (uploading, "type_flaw", giving("")),
           spares="C01"),
    mutant("events may get lost", "C06", (over_coap, "perform", instead(confirmable)), spares="C01"),
)  # fmt: skip
