"""Mistakes in requests that cannot be read, and in protobuf (S28, S32 to S37, S93)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.mqtt import provision_sessions as over_mqtt
from fleetrig.reference_server.platforms.thingsboard.mqtt.provision_sessions import NO_ANSWER, ProvisionSessions
from fleetrig.reference_server.platforms.thingsboard.provisioning import (
    answers,
    decision,
    json_request,
    protobuf,
    reading,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import NotJson
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import Undecodable, Unusable
from fleetrig.reference_server.platforms.thingsboard.state import devices
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttDisconnect
from tests.harness.conformance.code_changes import instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import (
    PATH,
    bytes_of,
    coap_sends,
    http_answers,
    http_status,
    mqtt_never_closes,
    mqtt_never_sends,
    mqtt_sends,
    mutant,
)

UNFIT = "S28 S32 S33"
"""The rows on documents that lack something."""


def error_says(change: Any) -> Any:
    """Another error document over HTTP."""

    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path != PATH or response.status not in (400, 500) or not bytes_of(response):
            return response
        return replace(response, body=json.dumps(change(json.loads(bytes_of(response)))).encode())

    return http_answers(changed)


def types_in_any_case(original: Any, document: Any) -> Any:
    given = document.get("credentialsType")
    return original({**document, "credentialsType": given.upper()} if isinstance(given, str) else document)


def unknown_type_is_token(original: Any, document: Any) -> Any:
    try:
        return original(document)
    except Unusable:
        return CredentialsType.ACCESS_TOKEN


def null_is(text: str) -> Any:
    return (
        json_request,
        "_single",
        instead(lambda original, value, name: text if value is None else original(value, name)),
    )


def missing_is_empty(*names: str) -> Any:
    def change(original: Any, document: Any, name: str) -> Any:
        return original({name: "", **document} if name in names else document, name)

    return (json_request, "_needed_text", instead(change))


def array_is_object(original: Any, text: str) -> Any:
    return {} if text == "[]" else original(text)


def text_is_request(original: Any, text: str) -> Any:
    try:
        return original(text)
    except NotJson:
        return {}


def made_before_it_is_read(original: Any, self: Any, client: Any, publish: Any, now_us: int) -> Any:
    """The device is there though the session ends."""
    answer = original(self, client, publish, now_us)
    if answer.code == NO_ANSWER and answer.ends:
        document = json.loads(publish.payload)
        document.pop("credentialsType", None)
        if all(document.get(name) for name in ("deviceName", "provisionDeviceKey", "provisionDeviceSecret")):
            request = json_request.request_of({**document, "token": ""}, self._registry.traits)
            decision.decide(self._registry, request, now_us)
    return answer


def ending(**changes: Any) -> Any:
    """Another end for documents that lack something."""

    def changed(answer: Any) -> Any:
        return replace(answer, **changes) if answer.code == NO_ANSWER and answer.ends else answer

    return (ProvisionSessions, "published", then(changed))


def unreadable_ends(**changes: Any) -> Any:
    """Another end for what is no document."""
    return (over_mqtt, "unreadable", then(lambda answer: replace(answer, **changes)))


def empty_is_unreadable(original: Any, payload: bytes, traits: Any) -> Any:
    if not payload:
        raise Undecodable("empty", "empty")
    return original(payload, traits)


def only_json(payload: bytes, no_json: Any, traits: Any) -> Any:
    raise no_json


def failure_for_not_found(original: Any, status: str, *more: Any) -> Any:
    return original("FAILURE" if status == "NOT_FOUND" else status, *more)


def defaults_written(number: int, value: int) -> bytes:
    return bytes([number << 3, value])


def protobuf_devices_lost(original: Any, registry: Any, request: Any, *more: Any) -> Any:
    decided = original(registry, request, *more)
    if request.is_protobuf and decided.device is not None:
        devices.delete_device(registry, decided.device)
    return decided


def each_reply_as_its_request(original: Any, self: Any, client: Any, *more: Any) -> Any:
    self._known[client.session].speaks_protobuf = False
    return original(self, client, *more)


def with_text(response: Any) -> Any:
    return replace(response, payload=b"bad request") if response.code == "4.00" and not response.payload else response


def silent_when_bare(response: Any) -> Any:
    return None if response.code == "4.00" and not response.payload else response


def internal_error(response: Any) -> Any:
    return replace(response, code="5.00") if response.code == "4.00" and not response.payload else response


def with_format(response: Any) -> Any:
    return replace(response, options=((12, b"\x32"),)) if not response.options else response


MUTANTS = (
    # over HTTP
    mutant("what cannot be read is 400 over HTTP", f"{UNFIT} S34 S95", http_status(500, 400), spares="S35"),
    mutant("what cannot be read is 200 over HTTP", f"{UNFIT} S34", http_status(500, 200), spares="S35"),
    mutant(
        "errors have another code", f"{UNFIT} S34", error_says(lambda said: {**said, "errorCode": 31}), spares="S35 S95"
    ),
    mutant(
        "errors tell another status than their own",
        f"{UNFIT} S34 S35",
        error_says(lambda said: {**said, "status": 404}),
        spares="S95",
    ),
    mutant(
        "errors have no time",
        f"{UNFIT} S34 S35",
        error_says(lambda said: {name: one for name, one in said.items() if name != "timestamp"}),
        spares="S95",
    ),
    mutant(
        "errors have a member more", f"{UNFIT} S34 S35", error_says(lambda said: {**said, "path": PATH}), spares="S95"
    ),
    mutant(
        "errors are no JSON",
        "S34 S35",
        http_answers(
            lambda _, response: replace(response, body=b"error") if response.status in (400, 500) else response
        ),
        spares="S95",
    ),
    # over CoAP
    mutant("CoAP says what is wrong", f"{UNFIT} S34 S73", *coap_sends(with_text), spares="S37 S71"),
    mutant(
        "CoAP says nothing to what cannot be read",
        "S33 S34",
        *coap_sends(silent_when_bare),
        spares="S37 S71",
        silence=True,
    ),
    mutant("CoAP calls it an internal error", f"{UNFIT} S34 S73", *coap_sends(internal_error), spares="S37 S71"),
    # over MQTT
    mutant(
        "a document that lacks something is not acknowledged", UNFIT, ending(is_acknowledged=False), spares="S34 S61"
    ),
    mutant(
        "a document that lacks something does not end the session",
        UNFIT,
        ending(ends=False),
        spares="S34 S61",
        silence=True,
    ),
    mutant(
        "a document that lacks something has another code",
        UNFIT,
        ending(code=MqttReason.UNSPECIFIED_ERROR),
        spares="S34 S61",
    ),
    mutant(
        "MQTT 5 gets no DISCONNECT",
        f"{UNFIT} S34 S61 S62 S67 S85 S104",
        *mqtt_never_sends(MqttDisconnect),
        spares="S59 S60",
    ),
    mutant(
        "MQTT 5 gets a DISCONNECT without a code",
        f"{UNFIT} S34 S61 S67 S85",
        *mqtt_sends(MqttDisconnect, lambda _: MqttDisconnect()),
        spares="S59 S60",
    ),
    mutant(
        "MQTT sessions are told of their end and not closed",
        f"{UNFIT} S61 S62",
        *mqtt_never_closes(),
        spares="S59 S60",
        silence=True,
    ),
    mutant("what cannot be read is acknowledged", "S34", unreadable_ends(is_acknowledged=True), spares=UNFIT),
    mutant(
        "what cannot be read ends every session", "S34", unreadable_ends(ends=True, is_acknowledged=False), spares="S33"
    ),
    mutant("what cannot be read ends no session", "S34", unreadable_ends(ends=False), spares="S33", silence=True),
    mutant("what cannot be read has another code", "S34", unreadable_ends(code=NO_ANSWER), spares="S33"),
    # S28, S32, S33, S34
    mutant(
        "an unknown type is a token",
        "S28",
        (json_request, "_credentials_type", instead(unknown_type_is_token)),
        spares="S32 S33",
    ),
    mutant(
        "types are known in any case",
        "S28",
        (json_request, "_credentials_type", instead(types_in_any_case)),
        spares="S16 S32",
    ),
    mutant(
        "a device is made before its request is read",
        "S28 S32",
        (ProvisionSessions, "published", instead(made_before_it_is_read)),
        spares="S33 S34",
    ),
    mutant("null counts as nothing", "S32", null_is(""), spares="S28 S33"),
    mutant("null is a word", "S32", null_is("null"), spares="S28 S33"),
    mutant(
        "a missing key or secret is an empty one",
        "S33",
        missing_is_empty("provisionDeviceKey", "provisionDeviceSecret"),
        spares="S14 S32",
    ),
    mutant("a missing secret is an empty one", "S33", missing_is_empty("provisionDeviceSecret"), spares="S14 S32"),
    mutant(
        "an array is a document without anything",
        "S34",
        (json_request, "read_object", instead(array_is_object)),
        (reading, "read_object", instead(array_is_object)),
        spares="S33",
    ),
    mutant(
        "any text is a document without anything",
        "S34",
        (json_request, "parse", instead(text_is_request)),
        spares="S33",
    ),
    # S35, S36, S37, S93
    mutant("an empty body is 500", "S35", http_status(400, 500), spares="S34"),
    mutant(
        "an empty body has the code of other errors",
        "S35",
        error_says(lambda said: {**said, "errorCode": 2}),
        spares="S34",
    ),
    mutant(
        "an empty payload cannot be read",
        "S35",
        (over_mqtt, "read_request", instead(empty_is_unreadable)),
        (over_coap, "read_request", instead(empty_is_unreadable)),
        spares="S34 S37",
    ),
    mutant(
        "an empty payload cannot be read over CoAP",
        "S35",
        (over_coap, "read_request", instead(empty_is_unreadable)),
        spares="S34 S37",
    ),
    mutant(
        "an empty payload cannot be read over MQTT",
        "S35",
        (over_mqtt, "read_request", instead(empty_is_unreadable)),
        spares="S34 S37",
    ),
    mutant(
        "nobody reads protobuf", "S35 S36 S37 S93", (reading, "_from_protobuf", lambda _: only_json), spares="S01 S34"
    ),
    mutant(
        "protobuf is answered in JSON",
        "S35 S36 S37 S93",
        (reading, "read_protobuf_request", then(lambda found: replace(found, is_protobuf=False))),
        spares="S01 S34",
    ),
    mutant(
        "protobuf writes what has its default",
        "S35 S36 S37 S93",
        (protobuf, "_varint_field", lambda _: defaults_written),
        spares="S01 S34",
    ),
    mutant("protobuf has a content format", "S36", *coap_sends(with_format), spares="S71 S37"),
    mutant(
        "devices by protobuf are told of and not made",
        "S36",
        (decision, "create", instead(protobuf_devices_lost)),
        spares="S01 S93",
    ),
    mutant(
        "protobuf has another word for NOT_FOUND",
        "S35 S37",
        (answers, "write_protobuf_answer", instead(failure_for_not_found)),
        spares="S36",
    ),
    mutant(
        "each reply has the form of its request",
        "S93",
        (ProvisionSessions, "published", instead(each_reply_as_its_request)),
        spares="S36 S37",
    ),
)
