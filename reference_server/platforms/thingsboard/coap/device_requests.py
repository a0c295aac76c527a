"""What a known device posts and asks over CoAP (spec 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.answers import (
    BAD_REQUEST,
    CONTENT,
    CREATED,
    DELETED,
    INTERNAL_ERROR,
    NOT_FOUND,
    VALID,
    answer,
    asked_format,
    content_format,
    refusal,
)
from fleetrig.reference_server.platforms.thingsboard.coap.observing import Observation, Observations, as_json
from fleetrig.reference_server.platforms.thingsboard.coap.paths import Asked, Feature, query_of
from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.said import (
    attributes_for,
    count,
    offer_claim,
    post_attributes,
    post_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.reference_server.platforms.thingsboard.state.attributes import attributes_of
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import TooManyMessages
from fleetrig.reference_server.platforms.thingsboard.state.records import Device, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """A request whose sender is known."""

    registry: Registry
    observations: Observations
    session: Session
    request: CoapRequest
    feature: Feature
    request_id: int | None
    device: Device
    now_us: int

    def answer(self, response: CoapResponse, changed: str = "") -> Reaction:
        """The real server's callbacks answer in a message of its own, never piggybacked, however soon."""
        response = replace(response, separate=self.request.confirmable)
        return answer(self.session, self.request, response, device=self.device.name, changed=changed)

    def refusal(self, code: str, reason: str) -> Reaction:
        return refusal(self.session, self.request, code, reason, self.device.name)

    def content(self, document: Json) -> Reaction:
        options = content_format(asked_format(self.request))
        return self.answer(CoapResponse(CONTENT, as_json(document), options))


def asks_for_something(request: CoapRequest, asked: Asked) -> bool:
    """Whether a path and a method go together; the server looks at that before it asks who it is."""
    if request.method == "GET" and asked.feature is Feature.RPC:
        return request.observe is not None
    return asked.feature is not None and (request.method, asked.feature) in HANDLERS


def perform(call: DeviceCall) -> Reaction:
    """For what `asks_for_something`."""
    try:
        return HANDLERS[call.request.method, call.feature](call)
    except BadValue as bad:
        return call.refusal(BAD_REQUEST, f"the payload cannot be read: {bad}")
    except TooManyMessages as many:
        return call.refusal(INTERNAL_ERROR, str(many))


def _post_telemetry(call: DeviceCall) -> Reaction:
    post_telemetry(call.registry, call.device, _document(call), call.now_us)
    return call.answer(CoapResponse(CREATED), "telemetry")


def _post_attributes(call: DeviceCall) -> Reaction:
    post_attributes(call.registry, call.device, _document(call), call.now_us)
    return call.answer(CoapResponse(CREATED), "client attributes")


def _claim(call: DeviceCall) -> Reaction:
    document: Json = _document(call) if call.request.payload else {}
    is_open = offer_claim(call.registry, call.device, document, call.now_us)
    return call.answer(CoapResponse(CREATED), "offered to be claimed" if is_open else "")


def _rpc(call: DeviceCall) -> Reaction:
    """A device answers a command, or asks something of the rule engine, where nobody answers.

    What cannot be read is an error of the server here."""
    try:
        document = _document(call)
    except BadValue as bad:
        return call.refusal(INTERNAL_ERROR, f"the payload cannot be read: {bad}")
    if not isinstance(document, dict):
        return call.refusal(INTERNAL_ERROR, "a command, and an answer to one, is an object")
    if call.request_id is None:
        is_command = document.get("method") is not None
        return NOTHING if is_command else call.refusal(INTERNAL_ERROR, "a command needs the member method")
    count(call.registry, call.device, call.now_us)
    return call.answer(CoapResponse(CREATED), f"command {call.request_id} answered")


def _get_attributes(call: DeviceCall) -> Reaction:
    if call.request.observe is not None:
        return _observe(call)
    query = query_of(call.request)
    keys = [query[name].split(",") if name in query else [] for name in ("clientKeys", "sharedKeys")]
    found = attributes_for(call.registry, call.device, call.now_us, *keys)
    if found:
        return call.content(found)
    return call.answer(CoapResponse(NOT_FOUND, options=content_format(asked_format(call.request))))


def _observe(call: DeviceCall) -> Reaction:
    """Shared attributes begin with all there are, commands with nothing (RFC 7641: 0 registers, 1 takes it back)."""
    session, request, feature = call.session.id, call.request, call.feature
    if request.observe == 1:
        was_there = call.observations.end(session, request.token)
        return call.answer(CoapResponse(DELETED)) if was_there else NOTHING
    observation = Observation(
        session, request.token, call.device.id, feature, request.confirmable, asked_format(request)
    )
    call.observations.add(observation)
    sequence = observation.next_sequence()
    if feature is Feature.RPC:
        return call.answer(CoapResponse(VALID, observe=sequence))
    shared = attributes_of(call.registry, call.device.id, Scope.SHARED)
    document: Json = {one.key: one.value for one in shared}
    response = CoapResponse(CONTENT, as_json(document), content_format(asked_format(request)), sequence)
    return answer(call.session, request, response, device=call.device.name)


def _document(call: DeviceCall) -> Json:
    document: Json = read_json(call.request.payload)
    return document


HANDLERS: Final[Mapping[tuple[str, Feature], Callable[[DeviceCall], Reaction]]] = {
    ("POST", Feature.TELEMETRY): _post_telemetry,
    ("POST", Feature.ATTRIBUTES): _post_attributes,
    ("POST", Feature.CLAIM): _claim,
    ("POST", Feature.RPC): _rpc,
    ("GET", Feature.ATTRIBUTES): _get_attributes,
    ("GET", Feature.RPC): _observe,
}
