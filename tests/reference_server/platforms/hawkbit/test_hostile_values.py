"""Every route, over records that there are, with values that nobody means well: an answer each time, never a crash.

`test_odd_requests.py` sends what is odd as a whole; here single fields, parameters and headers are, in requests that
make sense otherwise, so that they get as far as the handlers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import cbor2
import pytest

from fleetrig.reference_server.platforms.hawkbit.request.routing import Route
from fleetrig.reference_server.platforms.hawkbit.routes import PROVISIONING
from fleetrig.reference_server.platforms.hawkbit.routes_deployment import DEPLOYMENT
from fleetrig.reference_server.platforms.hawkbit.routes_rollouts import CAMPAIGNS
from fleetrig.reference_server.platforms.hawkbit.routes_sets import SETS
from fleetrig.reference_server.platforms.hawkbit.routes_software import SOFTWARE
from fleetrig.reference_server.platforms.hawkbit.state.settings import DosFilter, Settings
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.hawkbit.rig import GATEWAY_KEY, Rig, basic, document

ROUTES = PROVISIONING + DEPLOYMENT + SOFTWARE + SETS + CAMPAIGNS
FIELDS = [
    "actionCancelationType",
    "actionHistory",
    "address",
    "amountGroups",
    "autoAssignDistributionSet",
    "colour",
    "compatibledistributionsettypes",
    "confirmation",
    "confirmationRequired",
    "controllerId",
    "data",
    "description",
    "details",
    "distributionSetId",
    "dynamic",
    "dynamicGroupTemplate",
    "errorAction",
    "errorCondition",
    "execution",
    "expression",
    "finished",
    "forcetime",
    "group",
    "groups",
    "id",
    "initiator",
    "key",
    "locked",
    "maintenanceWindow",
    "mandatorymodules",
    "mode",
    "modules",
    "name",
    "nameSuffix",
    "optionalmodules",
    "progress",
    "query",
    "remark",
    "requestAttributes",
    "requiredMigrationStep",
    "schedule",
    "securityToken",
    "startAt",
    "status",
    "successAction",
    "successCondition",
    "targetFilterQuery",
    "targetPercentage",
    "targetType",
    "targetVisible",
    "time",
    "timestamp",
    "type",
    "value",
    "vendor",
    "version",
    "weight",
    "duration",
    "timezone",
    "result",
    "cnt",
    "of",
    "maxAssignments",
    "pollingTime",
    "rollout.approval.enabled",
    "user.confirmation.flow.enabled",
    "action.cleanup.actionExpiry",
    "authentication.header.authority",
    "code",
    "percentage",
]
DEEP: Any = 1
for _ in range(400):
    DEEP = [DEEP]
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**999,
    1e308,
    -0.0,
    1.5,
    "",
    " ",
    "0",
    "1",
    "true",
    "x" * 5000,
    "9" * 5000,
    "99999999999999999999",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "ä€😀",
    "../../x",
    "%00",
    "<b>",
    "'; --",
    "*",
    "id==1",
    "id==*",
    "(" * 500,
    "name==" + "a," * 300,
    "createdat=gt=" + "9" * 400,
    "attribute.x==*",
    "lastcontrollerrequestat=lt=${NOW}",
    "00:00:01",
    "99:99:99",
    "PT" + "9" * 50 + "S",
    "00:05:00,group == 'a' -> 00:01:00",
    "P99999999999Y",
    "0 0 0 * * ?",
    "0 0 0 31 2 ? 2099",
    "+99:99",
    "Europe/Nowhere",
    "1970-01-01T00:00:00Z",
    "immediate",
    "FORCED",
    "forced",
    "timeforced",
    "downloadonly",
    "closed",
    "success",
    "merge",
    "remove",
    "confirmed",
    "100",
    "101",
    "-5",
    [],
    {},
    [[]],
    [{}],
    [None],
    [1, 1],
    ["x"] * 300,
    {"id": 1},
    [{"id": 1}],
    {"id": 2**63},
    {"": ""},
    {"x" * 200: "y"},
    {"a\0": "b"},
    {"k": "v" * 200},
    DEEP,
    {"result": {"finished": "success"}, "execution": "closed"},
    {"schedule": "0 0 0 * * ?", "duration": "1", "timezone": "Z"},
]
QUERIES = (
    "q",
    "sort",
    "limit",
    "offset",
    "group",
    "force",
    "offline",
    "subgroups",
    "representation",
    "actionHistory",
    "c",
    "keepLast",
    "soft_deleted_mode",
    "onNotFoundPolicy",
    "remark",
    "useartifacturlhandler",
    "filename",
)
TEXTS = [value for value in VALUES if isinstance(value, str)] + [
    "-1",
    "2147483648",
    "99999999999999999999",
    "1" * 5000,
    "0x" + "f" * 17,
    "0x" + "f" * 5000,
    "#7fffffff",
    "+1",
    "1e3",
    "name:ASC",
    "id:DESC,name:ASC",
    "name",
    ":",
    "name:ASC:",
    "x:ASC",
    "name:ASC," * 500,
    "id==1;name==*",
    "name=in=(a,b)",
    "name=in=()",
    "id=in=(" + ",".join(["1"] * 500) + ")",
    "not_there==1",
    "attribute.a.b.c==1",
    'metadata.x=="\\""',
    "name=='",
    "name==\\",
    "id=bt=(1,2)",
    "createdAt=ge=99999999999999999999",
    "assignedDS.version==*",
    "true",
    "yes",
    "full",
]
HEADERS = [
    {"Range": "bytes=0-" + "9" * 5000},
    {"Range": "bytes=" + "9" * 5000 + "-"},
    {"Range": "bytes=-" + "9" * 19},
    {"Range": "bytes=0-0," * 300 + "1-1"},
    {"If-Range": "x" * 5000},
    {"If-Range": "Thu, 01 Jan 99999 00:00:00 GMT"},
    {"If-Range": "Thu, 01 Jan 0001 00:00:00 GMT"},
    {"If-Match": "," * 3000},
    {"If-None-Match": 'W/"' * 1000},
    {"Accept": "a/b;q=" + "9" * 5000},
    {"Accept": "*/*;q=0." + "0" * 3000},
    {"Accept": ("*/*," * 1000)},
    {"Accept": "application/json;charset=\0"},
    {"Content-Length": "9" * 5000},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=" + "b" * 5000},
    {"Content-Type": "application/json;" * 300},
    {"X-Forwarded-For": "1.2.3.4," * 500},
    {"X-Forwarded-For": "999.999.999.999"},
    {"X-Forwarded-Port": "9" * 5000},
    {"X-Forwarded-Prefix": "/a," * 500},
    {"Forwarded": 'host="' * 500},
    {"X-Forwarded-Host": "[" * 500},
    {"Host": "9" * 5000},
    {"Content-Type": "application/cbor"},
    {"Content-Type": "application/json;charset=utf-32"},
]
SEGMENTS = [
    "1",
    "2",
    "dev",
    "other",
    "0",
    "-1",
    "9" * 19,
    "9" * 5000,
    "0x1",
    "%31",
    "%C3%A4",
    "x" * 300,
    "a.b",
    "%2e",
    "pollingTime",
    "maintenanceWindowPollCount",
    "action.cleanup.actionExpiry",
    "authentication.header.authority",
]


def fill(rig: Rig) -> None:
    rig.poll("dev")
    rig.create("other")
    module = document(rig.mgmt("POST", "/softwaremodules", [{"name": "m", "version": "1", "type": "os"}]))[0]["id"]
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b--\r\n'
    typed = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": basic("admin", "admin")}
    rig.send("POST", f"/rest/v1/softwaremodules/{module}/artifacts", typed, form)
    made = {"name": "s", "version": "1", "type": "os", "modules": [{"id": module}]}
    ds = document(rig.mgmt("POST", "/distributionsets", [made]))[0]["id"]
    rig.mgmt("POST", "/targets/dev/assignedDS", {"id": ds})
    rig.mgmt("POST", "/targetfilters", {"name": "f", "query": "id==*"})
    rig.mgmt("POST", "/targettags", [{"name": "t"}])
    rig.mgmt("POST", "/targettypes", [{"name": "tt"}])
    rollout = {"name": "r", "distributionSetId": ds, "targetFilterQuery": "id==*", "amountGroups": 1}
    rig.mgmt("POST", "/rollouts", rollout)


def hostile_requests(
    rng: Random, routes: list[Route], rounds: int
) -> Iterator[tuple[Route, str, dict[str, str], bytes]]:
    for route in routes:
        for _ in range(rounds):
            path = "/".join(rng.choice(SEGMENTS) if part.startswith("{") else part for part in route.path.split("/"))
            headers = {"Content-Type": "application/json", "Authorization": basic("admin", "admin")}
            if route.is_for_devices:
                parts = path.split("/")
                parts[1], parts[4] = "DEFAULT", "dev"
                path = "/".join(parts)
                headers["Authorization"] = f"GatewayToken {GATEWAY_KEY}"
            names = {*route.asks, *(name for name in QUERIES if rng.random() < 0.15)}
            query = "&".join(f"{name}={quote(rng.choice(TEXTS), errors='replace')}" for name in sorted(names))
            if rng.random() < 0.15:
                headers |= rng.choice(HEADERS)
            yield route, path + (f"?{query}" if query else ""), headers, _body(rng, route, headers)


def _body(rng: Random, route: Route, headers: dict[str, str]) -> bytes:
    if route.method == "GET":
        return b""
    fields = {name: rng.choice(VALUES) for name in rng.sample(FIELDS, rng.randint(0, 8))}
    for name in ("id", "name", "controllerId", "query", "data", "status", "value"):
        if rng.random() < 0.5:
            fields[name] = rng.choice(VALUES)
    whole = rng.choice([fields, [fields], [fields, fields], rng.choice(VALUES), [rng.choice(VALUES)]])
    if headers["Content-Type"] == "application/cbor" or rng.random() < 0.1:
        headers["Content-Type"] = "application/cbor"
        return cbor2.dumps(_without_halves(whole))
    return json.dumps(whole).encode()


def _without_halves(value: Any) -> Any:
    """CBOR has no half surrogate pairs."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_without_halves(item) for item in value]
        case dict():
            return {_without_halves(key): _without_halves(item) for key, item in value.items()}
        case _:
            return value


def attack(rig: Rig, seed: int, rounds: int) -> dict[int, int]:
    """What breaks us comes out as an exception. Returns how often each status was answered."""
    rng = Random(seed)
    routes = list(ROUTES)
    rng.shuffle(routes)
    statuses: dict[int, int] = {}
    for route, target, headers, body in hostile_requests(rng, routes, rounds):
        try:
            answer = rig.send(route.method, target, headers, body)
            content = body_bytes(answer.response.body)
            rig.platform.advance(rig.now_us)
        except Exception as bug:
            bug.add_note(f"{route.method} {target[:300]} {headers} {body[:2000]!r}")
            raise
        assert answer.response.status != 500 or answer.reason, (route.method, target, headers, body, content)
        statuses[answer.response.status] = statuses.get(answer.response.status, 0) + 1
        rig.let_pass(1)
    return statuses


@pytest.mark.parametrize(
    "path",
    ["/rest/v1/softwaremodules/1/artifacts/1/download", "/DEFAULT/controller/v1/dev/softwaremodules/1/artifacts/a"],
)
@pytest.mark.parametrize(
    ("ranges", "status"),
    [
        ("bytes=0-" + "9" * 5000, 416),
        ("bytes=" + "9" * 5000 + "-", 416),
        ("bytes=-" + "9" * 5000, 416),
        ("bytes=0-" + "0" * 5000 + "1", 206),
    ],
)
def test_a_range_of_5000_digits(path: str, ranges: str, status: int) -> None:
    rig = Rig(Settings(dos=DosFilter(enabled=False)))
    rig.gateway_on()
    fill(rig)
    authorization = basic("admin", "admin") if path.startswith("/rest") else f"GatewayToken {GATEWAY_KEY}"
    assert rig.send("GET", path, {"Authorization": authorization, "Range": ranges}).response.status == status


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_hostile_values_get_an_answer(seed: int) -> None:
    rig = Rig(Settings(dos=DosFilter(enabled=False)))
    rig.gateway_on()
    fill(rig)
    statuses = attack(rig, seed, rounds=4)
    assert {200, 400, 404} <= statuses.keys()
