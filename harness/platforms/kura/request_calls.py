"""Provision requests over REST (`/v2/provisionRequests`, spec 1.5), each call a generator of Asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.platforms.kura.admin import JsonDict, KuraAdmin
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.drivers.director import AdminCall

REQUESTS: Final = "/v2/provisionRequests"
UNKNOWN_HERE: Final = frozenset({404, 405, 501})
LISTED: Final = "provisionRequest"


class NoProvisioning(BrokenBench):
    """The server has no provision requests: an open-source Kapua has none (spec 5.5)."""


def create_request(admin: KuraAdmin, document: Mapping[str, Any]) -> AdminCall[JsonDict]:
    """Raises NoProvisioning."""
    request = admin.request("POST", REQUESTS, dict(document))
    response = yield from admin.send(request)
    if response.status in UNKNOWN_HERE and not _is_about_records(response):
        raise NoProvisioning(no_provisioning(admin.url, request, response.status))
    return admin.part(admin.read(request, response, (200, 201)), dict)


def no_provisioning(url: str, request: HttpRequest, status: int) -> str:
    """In a sentence, with what to do."""
    return (
        f"{request.method} {request.target} on {url} answered {status}: this server has no {REQUESTS}, as no Kapua has "
        "that is not an Everyware Cloud. Gateways with `credential: password` can be tried on it; `fleetrig serve "
        "--platform kura` has provision requests"
    )


def find_request(admin: KuraAdmin, scope_id: str, client_id: str) -> AdminCall[JsonDict | None]:
    """The newest request of a client id in an account; None where there is none, or the server has no requests."""
    path = f"{REQUESTS}?accountId={quote(scope_id)}&clientIDs={quote(client_id, safe='')}"
    request = admin.request("GET", path)
    response = yield from admin.send(request)
    if response.status in UNKNOWN_HERE:
        return None
    listed = admin.part(admin.read(request, response, (200,)), list, LISTED)
    found = [admin.part(one, dict) for one in listed if one.get("clientId") == client_id]
    return max(found, key=lambda one: one.get("createdOn") or 0, default=None)


def change_request(admin: KuraAdmin, request: Mapping[str, Any], members: Mapping[str, Any]) -> AdminCall[None]:
    """With the `optlock` that was read."""
    document = {**request, **members}
    yield from admin.call("PUT", f"{REQUESTS}/{quote(str(request['id']), safe='')}", document, expect=(200, 204))


def delete_request(admin: KuraAdmin, request_id: str) -> AdminCall[None]:
    """Harmless for one that is not there."""
    yield from admin.call("DELETE", f"{REQUESTS}/{quote(request_id, safe='')}", expect=(200, 204, 404))


def _is_about_records(response: HttpResponse) -> bool:
    """A refusal of the interface itself, in JSON with a code, and not a path that the server does not have."""
    try:
        document = read_json(body_bytes(response.body))
    except NotJson:
        return False
    return isinstance(document, dict) and "entityType" in document
