"""Requests of devices to the HTTP adapter of a rig, and what comes back."""

from __future__ import annotations

import base64
import json
from typing import Any

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hono.adapter_rig import JSON_TYPE, PASSWORD, TENANT, AdapterRig

HTTP_SESSION = 500


def ask(
    rig: AdapterRig,
    method: str,
    target: str,
    body: bytes = b'{"temp":5}',
    *,
    user: str = "",
    password: str = PASSWORD,
    headers: Headers = (JSON_TYPE,),
    certificates: tuple[bytes, ...] = (),
    server_name: str = "",
    session: int = HTTP_SESSION,
) -> Delivery:
    """`user` without `@` is one of the tenant."""
    name = "https" if certificates else "http"
    opened = Session(
        id=session, listener=name, tls=bool(certificates), certificates=certificates, server_name=server_name
    )  # fmt: skip
    if certificates:
        assert rig.server.handshake(opened, rig.now_us) is None, "the handshake is refused"
    if user:
        headers = (*headers, basic(user if "@" in user else f"{user}@{TENANT}", password))
    return rig.server.exchange(HttpRequest(method, f"{name}://h:8080", target, headers, body), opened, rig.now_us)


def post(rig: AdapterRig, target: str = "/telemetry", body: bytes = b'{"temp":5}', **how: Any) -> HttpResponse:
    return answered(ask(rig, "POST", target, body, **how))


def put(rig: AdapterRig, target: str, body: bytes = b'{"temp":5}', **how: Any) -> HttpResponse:
    return answered(ask(rig, "PUT", target, body, **how))


def answered(delivery: Delivery) -> HttpResponse:
    assert delivery.response is not None, delivery.ending
    return delivery.response


def said(response: HttpResponse) -> tuple[int, str]:
    """Its status, and the text of the error; the body where that is no JSON."""
    raw = body_bytes(response.body)
    if response.header("content-type") == "application/json; charset=utf-8":
        document = json.loads(raw)
        assert list(document) == ["error"]
        return response.status, document["error"]
    return response.status, raw.decode()


def basic(user: str, password: str) -> tuple[str, str]:
    return "Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def steps_of(rig: AdapterRig) -> list[str]:
    """The steps since the last call of `told`, and what is new."""
    return [event.name for event in rig.events if event.kind == "step"]


def reasons_of(rig: AdapterRig) -> list[str]:
    return [event.reason for event in rig.events if event.kind == "refused"]
