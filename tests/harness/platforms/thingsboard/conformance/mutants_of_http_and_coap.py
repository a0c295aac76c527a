"""Mistakes that are one transport's alone: HTTP and CoAP (S69 to S73, S94, S95, S99)."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from fleetrig.reference_server.coap_messages import endpoint
from fleetrig.reference_server.platforms.thingsboard.coap import answers as coap_answers
from fleetrig.reference_server.platforms.thingsboard.coap import paths, transport
from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.http import call, replies
from fleetrig.reference_server.platforms.thingsboard.http.api import HttpApi
from fleetrig.reference_server.platforms.thingsboard.http.errors import JSON, plain
from fleetrig.reference_server.platforms.thingsboard.http.media_types import NoMediaType
from fleetrig.reference_server.platforms.thingsboard.http.routing import Router
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import being, giving, instead
from tests.harness.platforms.thingsboard.conformance.mutants import (
    PATH,
    coap_sends,
    http_answers,
    http_status,
    mutant,
)

MIB = 1024 * 1024


def without_allow(_: HttpRequest, response: HttpResponse) -> HttpResponse:
    headers = tuple(header for header in response.headers if header[0] != "Allow")
    return replace(response, headers=headers) if response.status == 405 else response


def get_is_allowed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    is_meant = request.path == PATH and response.status == 405
    return replace(response, headers=(("Allow", "GET, POST"),)) if is_meant else response


def slash_may_follow(original: Any, self: Any, method: str, path: str, query: Any) -> Any:
    return original(self, method, path.rstrip("/") or "/", query)


def too_large_in_one_word(self: Any) -> Any:
    return plain(413, "Too large", reason="too large")


def bare_types_alone(original: Any, text: str) -> Any:
    if ";" in text:
        raise NoMediaType(text)
    return original(text)


def no_other_types(original: Any, accept: str | None) -> Any:
    return original(None if accept == "application/xml" else accept)


def json_unless_asked(original: Any, accept: str | None) -> Any:
    return original(accept) if accept else JSON


def non_refused(original: Any, self: Any, session: Any, request: Any, now_us: int) -> Any:
    bad = replace(request, payload=request.payload.replace(b'provisionDeviceSecret": "', b'provisionDeviceSecret": "x'))
    return original(self, session, request if request.confirmable else bad, now_us)


def only_the_exact_path(original: Any, segments: list[str]) -> Any:
    return None if segments[3:] == ["provision"] else original(segments)


def bare_refusals(response: Any) -> Any:
    return replace(response, payload=b"") if response.code == "4.00" else response


def decided_anew(original: Any) -> Any:
    numbers = count(1 << 40)
    return lambda session, message_id: next(numbers)


def with_text(response: Any) -> Any:
    return replace(response, payload=b"no") if response.code == "4.05" else response


def silent_to_non(original: Any, self: Any, session: Any, envelope: Any, now_us: int) -> Any:
    reaction = original(self, session, envelope, now_us)
    return reaction if getattr(envelope, "confirmable", True) else replace(reaction, outputs=())


MUTANTS = (
    mutant("FAILURE is 400 over HTTP", "S04 S69", http_status(200, 400, says=b'"FAILURE"'), spares="S10 S01"),
    mutant("NOT_FOUND is 404 over HTTP", "S10 S69 S15", http_status(200, 404, says=b'"NOT_FOUND"'), spares="S01 S04"),
    mutant("SUCCESS is 201 over HTTP", "S01 S02 S38", http_status(200, 201, says=b'"SUCCESS"'), spares="S10"),
    mutant("other methods are 404", "S70", http_status(405, 404), spares="S69"),
    mutant("other methods hear of no Allow", "S70", http_answers(without_allow), spares="S69"),
    mutant("other methods hear of another Allow", "S70", http_answers(get_is_allowed), spares="S69"),
    mutant("PUT is answered", "S70", http_status(405, 200, method="PUT"), spares="S69"),
    mutant("a reply is always called JSON", "S94", (replies, "type_of_text", giving(JSON)), spares="S69"),
    mutant("a reply is always called text", "S94", (replies, "type_of_text", giving(replies.TEXT)), spares="S69"),
    mutant("a reply is never called XML", "S94", (replies, "type_of_text", instead(no_other_types)), spares="S69"),
    mutant("a type with a charset is none", "S94", (call, "media_type", instead(bare_types_alone)), spares="S69"),
    mutant("a slash may follow the path", "S95", (Router, "find", instead(slash_may_follow)), spares="S01"),
    mutant("17 MiB are taken", "S95", spares="S01", settings=Settings(request_body_bytes=20 * MIB)),
    mutant(
        "17 MiB are refused in other words", "S95", (HttpApi, "_too_large", being(too_large_in_one_word)), spares="S01"
    ),
    mutant(
        "what asks for nothing is told JSON", "S94", (replies, "type_of_text", instead(json_unless_asked)), spares="S69"
    ),
    mutant("OPTIONS are told", "S70", http_status(403, 200, method="OPTIONS"), spares="S69"),
    # CoAP
    mutant("NON makes no device", "S99", (over_coap.Provisioning, "receive", instead(non_refused)), spares="S71 S72"),
    mutant(
        "CoAP answers refusals with 2.01",
        "S04 S10 S71",
        (over_coap, "BAD_REQUEST", being(coap_answers.CREATED)),
        spares="S01 S72",
    ),
    mutant(
        "CoAP answers SUCCESS with 2.04", "S01 S71 S72 S99", (over_coap, "CREATED", being("2.04")), spares="S10 S73"
    ),
    mutant("CoAP has another content format", "S71", (over_coap, "TEXT", being(coap_answers.JSON)), spares="S72"),
    mutant("CoAP has no content format", "S71", (over_coap, "content_format", giving(())), spares="S72"),
    mutant("CoAP refuses without a document", "S04 S10 S71", *coap_sends(bare_refusals), spares="S01 S72"),
    mutant("CoAP is silent", "S01 S71 S72 S73 S99", *coap_sends(lambda _: None), spares="S69", silence=True),
    mutant(
        "CoAP knows its exact path only", "S72", (paths, "_feature", instead(only_the_exact_path)), spares="S71 S73"
    ),
    mutant("GET over CoAP is 4.05", "S73", (transport, "HANDLED", being(frozenset({"POST"}))), spares="S71"),
    mutant("PUT over CoAP is 4.00", "S73", (transport, "METHOD_NOT_ALLOWED", being("4.00")), spares="S71"),
    mutant("CoAP says which method it wants", "S73", *coap_sends(with_text), spares="S71"),
    mutant("a repeated message is decided anew", "S99", (endpoint, "exchange_key", decided_anew), spares="S71"),
    mutant(
        "NON is answered by CON", "S99", *coap_sends(lambda response: replace(response, confirmable=True)), spares="S71"
    ),
    mutant(
        "NON is not answered",
        "S99",
        (transport.CoapTransport, "receive", instead(silent_to_non)),
        spares="S71",
        silence=True,
    ),
)
