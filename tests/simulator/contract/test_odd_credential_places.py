"""Credentials where nobody should have put them: mistyped headers, encoded names, queries, forms, YAML, XML."""

from __future__ import annotations

import json

import pytest

from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

pytestmark = pytest.mark.slow

UNKNOWN = "Qz4f2a90b1c3d5e7f60718293a4b5c6d7e"
CONFIG = "/rest/v1/system/configs"


def written(request: HttpRequest) -> str:
    return to_line(TraceEvent(1, 1, "", Lane.SERVER, "received", request), Secrets())


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorisation", f"TargetToken {UNKNOWN}", "TargetToken unknown:1/34"),
        ("Auth", "TargetToken nodigitsatall", "TargetToken unknown:1"),
        ("X-Foo", "Basic bm9ib2R5Om5vdGhpbmdhdGFsbA==", "Basic nobody:unknown:1"),
        ("X-Foo", f"GatewayToken {UNKNOWN}", "GatewayToken unknown:1/34"),
        ("X-Foo", f"bearer\t{UNKNOWN}", "bearer\tunknown:1/34"),
        ("X-Key", UNKNOWN, "unknown:1/34"),
        ("X-Device-Pass", "abc", "unknown:1"),
        ("WWW-Authenticate", "Bearer realm=a", "Bearer realm=a"),
        ("Authority", "CN=Plant CA", "CN=Plant CA"),
    ],
)
def test_headers_with_other_names(name: str, value: str, shown: str) -> None:
    assert Secrets().hide_header(name, value) == shown


@pytest.mark.parametrize(
    "target",
    [
        f"/a?to%6ben={UNKNOWN}&b=1",
        f"/a?q=securitytoken=={UNKNOWN}",
        f"/a?q=attribute.password!={UNKNOWN}",
        f"/a?q=securityToken%3D%3D{UNKNOWN}",
        f"/a?TargetToken%20{UNKNOWN}",
        f"/DEFAULT/controller/v1/TargetToken%20{UNKNOWN}",
    ],
)
def test_targets(target: str) -> None:
    assert UNKNOWN not in written(HttpRequest("GET", "http://h", target))


@pytest.mark.parametrize(
    "body",
    [
        f"controllerId: a\nsecurityToken: {UNKNOWN}\n",
        f"- name: a\n  securityToken:  {UNKNOWN}\n",
        f"[{{controllerId: a, securityToken:{UNKNOWN}}}]",
        f"<target><securityToken>{UNKNOWN}</securityToken></target>",
        f"<a:token type='x'>{UNKNOWN}</a:token>",
        f"a=1&to%6ben={UNKNOWN}",
        f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{UNKNOWN}\r\n--b--\r\n',
        json.dumps({"details": [f"token={UNKNOWN}", f"sent TargetToken {UNKNOWN}"]}),
    ],
)
def test_bodies(body: str) -> None:
    assert UNKNOWN not in written(HttpRequest("POST", "http://h", "/a", (), body.encode()))


@pytest.mark.parametrize("end", ["token.key/", "%74oken.key"])
def test_a_setting_whose_path_is_written_otherwise(end: str) -> None:
    body = json.dumps({"value": UNKNOWN}).encode()
    assert UNKNOWN not in written(HttpRequest("PUT", "http://h", f"{CONFIG}/authentication.gateway{end}", (), body))


@pytest.mark.parametrize(
    "body",
    [
        '{"a":"x, target-token:b268","b":1}',
        '{"authentication.gatewaytoken.enabled":{"value":false},"tokens":null}',
        "tokens: null\nname: a\n",
        "the token differs, and no TargetToken was sent",
    ],
)
def test_what_holds_none_stays(body: str) -> None:
    assert Secrets().hide_body(body, "/a") == body


@pytest.mark.parametrize("text", ["targettoken:::", "targettoken+", "bearer%20", 'name="token"\n', ",token", "<token "])
def test_a_body_of_nothing_but_beginnings_is_looked_through_in_one_go(text: str) -> None:
    """Places are looked for in time that grows with the text alone: a body comes from anybody."""
    assert Secrets().hide_body(text * 100_000, "/a")
