"""Changes the platform's answers, or sends clients to another place, as a fault says. Pure.

Sessions use `rewritten_body` too (`session_fault_outputs`).

A device under test must cope with answers that a correct server does not give: an odd poll document, a wrong hash, a
link to another path and host, a redirect, a wrong date. They are made here, from the correct answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.json_types import Json

HOST_ALIASES: Final = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}
"""Two names of one host: a device that is sent from one to the other must treat it as another host."""

ALIAS_PREFIX: Final = "elsewhere."
"""In virtual time, where hosts end in `.test` (RFC 6761), the other name of a host begins with this."""

CONDITIONS: Final = frozenset({"if-none-match", "if-match"})
"""Hidden from the platform when the body is rewritten: it must not answer "not modified" for the body it would send."""
INDEX_DIGITS: Final = 9
"""Of a number that may be a place in a list."""


def hide_headers(fault: Fault, request: HttpRequest) -> HttpRequest:
    """The request without the headers that the fault hides from the platform."""
    unseen = fault.parameters.get("unseen")
    names = {str(name).lower() for name in unseen} if isinstance(unseen, list) else set()
    if fault.kind is FaultKind.MOVED or rewrites_body(fault):
        names |= CONDITIONS
    return replace(
        request, headers=tuple((name, value) for name, value in request.headers if name.lower() not in names)
    )


def rewrites_body(fault: Fault) -> bool:
    return not fault.parameters.keys().isdisjoint({"set_values", "body", "respelt"})


def rewritten_body(fault: Fault, body: bytes) -> bytes:
    """Another body, or the same JSON with other values, or spelt in another way."""
    if isinstance(text := fault.parameters.get("body"), str):
        return text.encode()
    if values := fault.mapping("set_values"):
        body = changed(body, lambda document: set_values(document, values))
    return respelt(body) if fault.parameters.get("respelt") is True else body


def rewrite(fault: Fault, delivery: Delivery) -> Delivery:
    """The answer with another status, headers, body or values in the body."""
    response = delivery.response
    if response is None:
        return delivery
    status, body, headers = fault.number("status"), response.body, response.headers
    if isinstance(body, bytes) or "body" in fault.parameters:
        body = rewritten_body(fault, body if isinstance(body, bytes) else b"")
    if rewrites_body(fault):
        headers = without(headers, {"etag"})
    given = {name: value for name, value in fault.mapping("headers").items() if value is not None}
    headers = without(headers, {name.lower() for name in fault.mapping("headers")})
    headers += tuple((name, str(value)) for name, value in given.items())
    response = HttpResponse(response.status if status is None else int(status), headers, body)
    return delivery._replace(response=response, as_given=delivery.as_given | {name.lower() for name in given})


def without(headers: Headers, names: set[str]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def changed(body: bytes, change: Callable[[Json], Json]) -> bytes:
    """A JSON body after a change; any other as it is."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return json.dumps(change(document), separators=(",", ":")).encode()


def respelt(body: bytes) -> bytes:
    """The same JSON document, its members in alphabetical order, with blanks and line ends; any other body as it is."""
    try:
        return json.dumps(json.loads(body), sort_keys=True, indent=2).encode()
    except ValueError:
        return body


def set_values(document: Json, values: dict[str, Json]) -> Json:
    """Sets the value of each dotted path (`chunks.0.part`) in a document; None removes it."""
    for path, value in values.items():
        set_value(document, path.split("."), value)
    return document


def set_value(document: Json, path: list[str], value: Json) -> None:
    """Creates missing mappings on the path, but no entries of lists."""
    here, (key, *rest) = document, path
    match here:
        case dict() if rest:
            set_value(here.setdefault(key, {}) if value is not None else here.get(key), rest, value)
        case dict() if value is None:
            here.pop(key, None)
        case dict():
            here[key] = value
        case list() if key.isdecimal() and len(key) <= INDEX_DIGITS and int(key) < len(here):
            if rest:
                set_value(here[int(key)], rest, value)
            else:
                here[int(key)] = value
        case _:
            pass


# Places that lead elsewhere


def other_host(origin: str) -> str:
    """The origin with the other name of its host; unchanged when no other name is known."""
    scheme, _, authority = origin.partition("://")
    host, mark, port = authority.partition(":")
    other = HOST_ALIASES.get(host)
    if other is None and host.endswith(".test"):
        other = host.removeprefix(ALIAS_PREFIX) if host.startswith(ALIAS_PREFIX) else ALIAS_PREFIX + host
    return origin if other is None else f"{scheme}://{other}{mark}{port}"


def original_request(below: str, request: HttpRequest) -> HttpRequest | None:
    """A request to the other place as if it had come to the usual one; None for any other request."""
    if not request.target.startswith(below + "/"):
        return None
    return replace(request, origin=other_host(request.origin), target=request.target.removeprefix(below))


def redirect(fault: Fault, request: HttpRequest) -> Delivery:
    location = other_host(request.origin) + fault.text("below") + request.target
    return Delivery(HttpResponse(int(fault.number("status") or 307), (("Location", location),)))


def move_links(fault: Fault, request: HttpRequest, delivery: Delivery) -> Delivery:
    """Points every `href` to this server at the other place."""
    response = delivery.response
    if response is None or not isinstance(response.body, bytes):
        return delivery
    home, there = request.origin + "/", other_host(request.origin) + fault.text("below") + "/"
    body = changed(response.body, lambda document: moved(document, home, there))
    return delivery._replace(response=HttpResponse(response.status, without(response.headers, {"etag"}), body))


def moved(document: Json, home: str, there: str) -> Json:
    match document:
        case dict():
            return {key: _moved_value(key, value, home, there) for key, value in document.items()}
        case list():
            return [moved(value, home, there) for value in document]
        case _:
            return document


def _moved_value(key: str, value: Json, home: str, there: str) -> Json:
    if key == "href" and isinstance(value, str) and value.startswith(home):
        return there + value.removeprefix(home)
    return moved(value, home, there)
