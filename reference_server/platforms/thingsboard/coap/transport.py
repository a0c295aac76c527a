"""The CoAP transport: which resource a request is for, who asks, and what observers are told."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.answers import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAUTHORIZED,
    answer,
    refusal,
)
from fleetrig.reference_server.platforms.thingsboard.coap.device_requests import DeviceCall, asks_for_something, perform
from fleetrig.reference_server.platforms.thingsboard.coap.discovery import greeting, resources
from fleetrig.reference_server.platforms.thingsboard.coap.observing import Observations
from fleetrig.reference_server.platforms.thingsboard.coap.packages import read_package
from fleetrig.reference_server.platforms.thingsboard.coap.paths import (
    Asked,
    Feature,
    Place,
    package_path,
    place_of,
    read_path,
)
from fleetrig.reference_server.platforms.thingsboard.coap.provision import Provisioning
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3
from fleetrig.reference_server.platforms.thingsboard.state.devices import credentials_by_id, device_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, Registry
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Undecodable

COAP_RULES: Final = CoapRules(further_options=frozenset({9, 19}))
"""An empty acknowledgement after 500 ms, as Californium is configured (S74). It knows OSCORE and Q-Block1, and looks at
neither."""
HANDLED: Final = frozenset({"GET", "POST"})


class CoapTransport:
    """Sessions are endpoints; what they observe is kept while they last."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._observations = Observations()
        self._provisioning = Provisioning(registry)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        match envelope:
            case CoapRequest():
                return self._answer(session, envelope, now_us)
            case CoapReset(token):
                self._observations.end(session.id, token)
            case Undecodable(_, why):
                return Reaction(reason=why)
        return NOTHING

    def failed(self, session: Session, envelope: Envelope, reason: str) -> Reaction:
        """5.00, for provisioning too (1.6). What the request has begun to observe it does not observe."""
        if not isinstance(envelope, CoapRequest):
            return Reaction(reason=reason)
        self._observations.end(session.id, envelope.token)
        return answer(session, envelope, CoapResponse(INTERNAL_ERROR), reason=reason)

    def closed(self, session: Session) -> None:
        self._observations.end_all(session.id)
        self._provisioning.forget(session.id)

    def hear(self, notice: Notice) -> Sequence[Output]:
        return self._observations.hear(notice)

    def next_due_us(self) -> int | None:
        return self._provisioning.next_due_us()

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Requests that come to nothing are told so."""
        return self._provisioning.advance(now_us)

    def _answer(self, session: Session, request: CoapRequest, now_us: int) -> Reaction:
        place = place_of(request)
        if place is Place.NOWHERE:
            return refusal(session, request, NOT_FOUND, "no resource has this path: a device's are below /api/v1")
        if place is Place.FOLDER or request.method not in HANDLED:
            return refusal(session, request, METHOD_NOT_ALLOWED, f"the resource takes no {request.method}")
        if place in (Place.ROOT, Place.DISCOVERY):
            return self._discovered(session, request, place)
        if place is Place.PACKAGE:
            return self._package(session, request, now_us)
        asked = read_path(request)
        if asked.feature is Feature.PROVISION and request.method == "POST":
            return self._provisioning.receive(session, request, now_us)
        if asked.feature is None or not asks_for_something(request, asked):
            return refusal(session, request, BAD_REQUEST, f"{request.method} asks for nothing that this path has")
        device = self._device(session, asked)
        if device is None:
            return refusal(session, request, UNAUTHORIZED, "no device has such a token, or there is none in the path")
        return perform(
            DeviceCall(
                self._registry,
                self._observations,
                session,
                request,
                asked.feature,
                asked.request_id,
                device,
                now_us,
            )
        )

    def _discovered(self, session: Session, request: CoapRequest, place: Place) -> Reaction:
        if request.method != "GET":
            return refusal(session, request, METHOD_NOT_ALLOWED, f"the resource takes no {request.method}")
        return answer(session, request, greeting() if place is Place.ROOT else resources(request))

    def _package(self, session: Session, request: CoapRequest, now_us: int) -> Reaction:
        """GET /fw/{token}?title=&version=&size=&chunk=; what the query does not name may be any."""
        if request.method != "GET":
            return refusal(session, request, METHOD_NOT_ALLOWED, f"a package takes no {request.method}")
        prefix, token = package_path(request)
        device = None if token is None else self._with(token, CredentialsType.ACCESS_TOKEN)
        if device is None:
            return refusal(session, request, UNAUTHORIZED, "no device has such a token, or there is none in the path")
        return read_package(self._registry, session, request, device, prefix, now_us)

    def _device(self, session: Session, asked: Asked) -> Device | None:
        """By its certificate, else by the token of the path."""
        if session.certificates:
            text = b64encode(session.certificates[0]).decode()
            by_certificate = self._with(sha3(text), CredentialsType.X509_CERTIFICATE)
            if by_certificate is not None:
                return by_certificate
        return None if asked.token is None else self._with(asked.token, CredentialsType.ACCESS_TOKEN)

    def _with(self, credentials_id: str, kind: CredentialsType) -> Device | None:
        found = credentials_by_id(self._registry, credentials_id)
        return device_by_id(self._registry, found.device_id) if found is not None and found.type is kind else None
