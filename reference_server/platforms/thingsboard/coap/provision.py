"""Provisioning over CoAP: a request and its answer, and those that the real server never answers (spec 1.3, 1.5)."""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.answers import (
    BAD_REQUEST,
    CREATED,
    INTERNAL_ERROR,
    TEXT,
    answer,
    content_format,
    refusal,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import json_answer, protobuf_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import (
    GIVES_UP_AFTER_US,
    Decision,
    Status,
    decide,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.reading import read_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import BadProvisionRequest
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.session import Session


class Provisioning:
    """Requests without a decision wait in order: all of them for the same time."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._waiting: list[tuple[int, Session, CoapRequest, str]] = []

    def receive(self, session: Session, request: CoapRequest, now_us: int) -> Reaction:
        try:
            wanted = read_request(request.payload, self._registry.traits)
        except BadProvisionRequest as bad:
            return refusal(session, request, BAD_REQUEST, bad.reason)
        decision = decide(self._registry, wanted, now_us)
        if decision.status is None:
            self._waiting.append((now_us + GIVES_UP_AFTER_US, session, request, decision.reason))
            return NOTHING
        return self._answer(session, request, decision, is_protobuf=wanted.is_protobuf)

    def next_due_us(self) -> int | None:
        return self._waiting[0][0] if self._waiting else None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        reactions = []
        while self._waiting and self._waiting[0][0] <= now_us:
            _, session, request, reason = self._waiting.pop(0)
            reactions.append(answer(session, request, CoapResponse(INTERNAL_ERROR), reason=reason))
        return reactions

    def forget(self, session: int) -> None:
        self._waiting = [waiting for waiting in self._waiting if waiting[1].id != session]

    def _answer(self, session: Session, request: CoapRequest, decision: Decision, *, is_protobuf: bool) -> Reaction:
        """4.00 for whatever is no success, with the same document (S71); protobuf has no content format."""
        code = CREATED if decision.status is Status.SUCCESS else BAD_REQUEST
        if is_protobuf:
            response = CoapResponse(code, protobuf_answer(decision))
        else:
            response = CoapResponse(code, json_answer(decision, self._registry.traits), content_format(TEXT))
        device = "" if decision.device is None else decision.device.name
        return answer(session, request, response, reason=decision.reason, device=device, changed=decision.changed)
