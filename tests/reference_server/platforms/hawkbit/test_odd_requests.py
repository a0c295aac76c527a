"""Whatever comes over the wire gets an answer: odd bodies, headers, paths and queries, on every route.

What breaks us comes out of `send` as an exception. A 500 is only ever said on purpose, where the real server trips over
what is missing in a body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.request.routing import Route
from fleetrig.reference_server.platforms.hawkbit.routes import PROVISIONING
from fleetrig.reference_server.platforms.hawkbit.routes_deployment import DEPLOYMENT
from fleetrig.reference_server.platforms.hawkbit.state.settings import DosFilter, Settings
from tests.reference_server.platforms.hawkbit.rig import GATEWAY_KEY, Rig, basic, status

ROUTES = PROVISIONING + DEPLOYMENT
ODD_BODIES = [
    b"", b"{", b"[]", b"{}", b"null", b"0", b'"x"', b"[[]]", b"[null]", b"\xff\xfe", b"1e999", b"[1e999]", b"-0",
    b'{"\\ud800": "\\udfff"}', b'[{"controllerId": "\\ud800", "name": "\\u0000"}]', b"[" * 3000 + b"]" * 3000,
    b'{"value": 1e999}', b'{"value": {"a": []}}', b'{"value": [1]}', b'{"id": 1e30}', b'{"id": 99999999999999999999}',
    b'{"data": {"a": 1e999, "b": -1.5e-7}}', b'{"data": {"\\ud800": null}}', b'{"status": {"execution": []}}',
    b'{"name": "\\ud800", "query": "name==\\ud800"}', b'{"key": null, "value": null}', b'{"pollingTime": "P1D~5%,"}',
]  # fmt: skip
ODD_HEADERS = [
    {"Accept": "\udcff"}, {"Accept": ";;;,,,/"}, {"If-None-Match": '"'}, {"X-Forwarded-For": "\udcff, :::"},
    {"X-Forwarded-For": ""}, {"Content-Type": "application/json; charset=rot13"}, {"Content-Type": "application/cbor"},
    {"Content-Type": ";"}, {"Content-Type": "application/json;charset=\udcff"}, {"Host": "[::1"}, {"Host": "\udcff"},
]  # fmt: skip
ODD_CREDENTIALS = [
    "\udcff", "Basic \udcff", "Basic \u00e4", "Basic " + "=" * 50, "TargetToken \udcff", "GatewayToken \udcff", " ",
]  # fmt: skip
ODD_QUERIES = [
    "q=" + "(" * 3000, "q=%00", "q=%ff", "q=name==%22", "q=" + "id==b;" * 2000 + "id==b", "q=createdAt==" + "9" * 30,
    "q=" + "(" * 900 + "id==1" + ")" * 900, "limit=-" + "9" * 20, "offset=%2B1", "sort=:::,:", "sort=%ff:ASC", "&&=",
]  # fmt: skip
ODD_SEGMENTS = ["0", "-1", "9223372036854775807", "9223372036854775808", "1e3", "%C3%A4", "x" * 3000, "null", "%7F"]


@pytest.fixture
def rig() -> Rig:
    rig = Rig(Settings(dos=DosFilter(enabled=False)))
    rig.gateway_on()
    rig.poll("dev")
    return rig


def path_of(route: Route, segment: str) -> str:
    parts = [segment if part.startswith("{") else part for part in route.path.split("/")]
    if route.path.startswith("/{tenant}"):
        parts[1], parts[4] = "DEFAULT", "dev"
    return "/".join(parts)


def credentials(route: Route) -> str:
    return basic("admin", "admin") if route.path.startswith("/rest") else f"GatewayToken {GATEWAY_KEY}"


def send(rig: Rig, route: Route, *, segment: str = "1", query: str = "", body: bytes = b"", **headers: str) -> int:
    sent = {"Authorization": credentials(route), "Content-Type": "application/json", **headers}
    return status(rig.send(route.method, path_of(route, segment) + query, sent, body))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_answers_odd_requests(rig: Rig, route: Route) -> None:
    answers = {
        **{repr(body[:80]): send(rig, route, body=body) for body in ODD_BODIES},
        **{repr(headers): send(rig, route, body=b"{}", **headers) for headers in ODD_HEADERS},
        **{text: send(rig, route, Authorization=text) for text in ODD_CREDENTIALS},
        **{query[:80]: send(rig, route, query="?" + query) for query in ODD_QUERIES},
        **{segment[:80]: send(rig, route, segment=segment, body=b"{}") for segment in ODD_SEGMENTS},
    }
    assert {request: answer for request, answer in answers.items() if answer > 500} == {}


def documents(random: Random) -> Iterator[Any]:
    """Documents of the names that bodies have, with values that they should not have."""
    names = (
        "controllerId", "name", "id", "value", "data", "status", "modules", "type", "metadata", "key", "mode", "query",
        "targetType", "execution", "result", "finished", "details", "maintenanceWindow", "forcetime", "weight",
    )  # fmt: skip
    values: tuple[Any, ...] = (
        None,
        True,
        0,
        -1,
        2**63,
        1.5,
        "",
        "x",
        "\ud800",
        [],
        {},
        [None],
        [{}],
        ["x"],
        {"x": "y"},
    )
    while True:
        body: Any = {name: random.choice(values) for name in random.sample(names, 6)}
        body["status"] = random.choice([body.get("status"), {"execution": "closed", "result": random.choice(values)}])
        yield body if random.random() < 0.5 else [body, random.choice(values)]


@pytest.mark.parametrize("seed", range(5))
def test_random_documents_never_break_a_route(rig: Rig, seed: int) -> None:
    random = Random(seed)
    wrong = documents(random)
    for route in ROUTES * 5:
        if route.method in {"POST", "PUT", "DELETE"}:
            body = json.dumps(next(wrong)).encode()
            segment = random.choice(["1", "2", "3", "dev", "pollingTime"])
            assert send(rig, route, segment=segment, body=body) <= 500, (route.method, route.path, body)
