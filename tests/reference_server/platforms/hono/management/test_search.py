"""Searches over tenants and devices (spec 1.2)."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.management.search import _pattern
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, document_of, rig_of, told

DEVICES: dict[str, Any] = {
    "a": {"ext": {"brand": "eclipse", "n": 3, "tags": ["p", "q"]}},
    "b": {"ext": {"brand": "ecl", "n": 1, "nested": {"x": True}}, "enabled": False},
    "c": {"ext": {"brand": "xecl", "n": 2}},
    "d": {"ext": {"brand": "e*l"}, "via": ["c"]},
    "e": {"memberOf": ["g"]},
}


def filled(profile: str = "2") -> RegistryRig:
    rig = rig_of(profile)
    rig.done("POST", "/v1/tenants/t", {})
    for device, document in DEVICES.items():
        rig.done("POST", f"/v1/devices/t/{device}", document)
    return rig


@pytest.fixture
def rig() -> RegistryRig:
    return filled()


def query(**parameters: Any) -> str:
    """Lists are parameters that come several times."""
    pairs = [
        f"{name}={quote(value if isinstance(value, str) else json.dumps(value))}"
        for name, values in parameters.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return f"?{'&'.join(pairs)}"


def ids(rig: RegistryRig, **parameters: Any) -> str:
    answer = rig.ask("GET", f"/v1/devices/t{query(**parameters)}")
    if answer.response.status == 404:
        return ""
    return "".join(found["id"] for found in document_of(answer)["result"])


def eq(field: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "value": value, **more}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], "abcde"),
        ([eq("/ext/brand", "ecl")], "b"),
        ([eq("/ext/brand", "ecl*", op="eq")], "ab"),
        ([eq("/ext/brand", "?ecl")], "c"),
        ([eq("/ext/brand", "e?l")], "bd"),
        ([eq("/ext/brand", "*")], "abcd"),
        ([eq("/ext/brand", "ECL")], ""),
        ([eq("/ext/brand", "e.l")], ""),
        ([eq("/ext/brand", "ecl*"), eq("/ext/brand", "*ipse")], "a"),
        ([eq("/ext/n", 2)], "c"),
        ([eq("/ext/n", "2")], ""),
        ([eq("/ext/tags", "q")], "a"),
        ([eq("/ext/nested/x", True)], "b"),
        ([eq("/ext/nested/x", 1)], ""),
        ([eq("/enabled", False)], "b"),
        ([eq("/id", "b")], "b"),
        ([eq("/id", ["a", "c"], op="in")], "ac"),
        ([eq("/id", ["a", "c"], op="NOT_IN")], "bde"),
        ([eq("/ext/none", "x")], ""),
    ],
)
def test_filters(rig: RegistryRig, filters: list[Any], found: str) -> None:
    assert ids(rig, filterJson=filters) == found


@pytest.mark.parametrize(
    ("sorts", "found"),
    [
        ([], "abcde"),
        ([{"field": "/ext/brand"}], "edbac"),
        ([{"field": "/ext/brand", "direction": "desc"}], "cabde"),
        ([{"field": "/ext/n", "direction": "ASC"}], "debca"),
        ([{"field": "/enabled"}, {"field": "/id", "direction": "desc"}], "edcab"),
    ],
)
def test_order(rig: RegistryRig, sorts: list[Any], found: str) -> None:
    assert ids(rig, sortJson=sorts) == found


def test_pages(rig: RegistryRig) -> None:
    answer = document_of(rig.ask("GET", "/v1/devices/t?pageSize=2&pageOffset=1"))
    assert (answer["total"], [one["id"] for one in answer["result"]]) == (5, ["c", "d"])
    assert answer["result"][0]["status"] == {"created": "2026-01-01T00:00:00Z"}
    assert document_of(rig.ask("GET", "/v1/devices/t?pageOffset=9")) == {"total": 5, "result": []}


def test_pages_of_the_jdbc_registry_begin_at_any_object() -> None:
    rig = filled("2-jdbc")
    assert ids(rig, pageSize="2", pageOffset="1") == "bc"
    assert told(rig.ask("GET", "/v1/devices/t?pageOffset=5")) == (404, "no devices matching searching criteria")
    assert ids(rig, sortJson=[{"field": "/ext/brand"}]) == "abcde"
    assert ids(rig, filterJson=[eq("/id", "b")]) == ""
    assert ids(rig, filterJson=[eq("/id", "b")], isGateway="true") == "c"


def test_mongodb_shows_no_status_here() -> None:
    answer = document_of(filled("2-mongodb").ask("GET", "/v1/devices/t?pageSize=1"))
    assert answer["result"] == [{**DEVICES["a"], "id": "a"}]


@pytest.mark.parametrize(
    ("said", "found"), [("true", "ce"), ("TRUE", "ce"), ("false", "abd"), ("x", "abd"), ("", "abcde")]
)
def test_gateways_are_those_that_others_name_and_those_in_groups(rig: RegistryRig, said: str, found: str) -> None:
    assert ids(rig, isGateway=said) == found


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ("pageSize=201", "request parameter [name: pageSize, value: 201] failed validation"),
        ("pageSize=-1", "request parameter [name: pageSize, value: -1] failed validation"),
        ("pageSize=x", "request parameter [name: pageSize, value: x] failed validation: value is not an integer"),
        ("pageSize=", "request parameter [name: pageSize, value: ] failed validation: value is not an integer"),
        ("pageSize=0", "page size must be a positive integer"),
        ("pageOffset=-1", "request parameter [name: pageOffset, value: -1] failed validation"),
        (
            "pageOffset=2147483648",
            "request parameter [name: pageOffset, value: 2147483648] failed validation: value is not an integer",
        ),
        ("filterJson=x", "error parsing json value of parameter [filterJson]"),
        (f"filterJson={quote('[]')}", "error parsing json value of parameter [filterJson]"),
        (
            f"filterJson={quote(json.dumps({'field': 'x', 'value': 1}))}",
            "error parsing json value of parameter [filterJson]",
        ),
        (
            f"filterJson={quote(json.dumps({'field': '/a~2', 'value': 1}))}",
            "error parsing json value of parameter [filterJson]",
        ),
        (f"filterJson={quote(json.dumps({'field': '/x'}))}", "error parsing json value of parameter [filterJson]"),
        (f"filterJson={quote(json.dumps(eq('/x', 1, op='lt')))}", "error parsing json value of parameter [filterJson]"),
        (f"sortJson={quote(json.dumps({'direction': 'asc'}))}", "error parsing json value of parameter [sortJson]"),
        (
            f"sortJson={quote(json.dumps({'field': '/x', 'direction': 'up'}))}",
            "error parsing json value of parameter [sortJson]",
        ),
    ],
)
def test_what_cannot_be_searched(rig: RegistryRig, parameters: str, error: str) -> None:
    for target in ("/v1/devices/t", "/v1/tenants"):
        assert told(rig.ask("GET", f"{target}?{parameters}")) == (400, error)


def test_a_page_of_nothing_is_a_crash_of_the_real_ones() -> None:
    assert filled("2-jdbc").ask("GET", "/v1/devices/t?pageSize=0").response.status == 500


def test_nothing_is_404(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/tenants/empty", {})
    assert told(rig.ask("GET", "/v1/devices/empty")) == (404, "no devices matching searching criteria")
    assert told(rig.ask("GET", "/v1/devices/nobody")) == (404, "tenant does not exist")
    assert told(RegistryRig().ask("GET", "/v1/tenants")) == (404, "no tenants found")


def test_tenants_are_searched_the_same_way(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/tenants/u", {"ext": {"n": 1}})
    assert document_of(rig.ask("GET", f"/v1/tenants{query(filterJson=eq('/ext/n', 1))}")) == {
        "total": 1,
        "result": [{"ext": {"n": 1}, "id": "u"}],
    }
    answer = document_of(rig.ask("GET", "/v1/tenants?pageSize=1"))
    assert answer == {"total": 2, "result": [{"id": "t"}]}


def test_one_registry_leaves_trusted_authorities_away() -> None:
    """They stand in another table, which its search does not look at."""
    authority = CertificateAuthority("devices", 0)
    cert = b64encode(authority.certificate.public_bytes(Encoding.DER)).decode()
    for profile, shows in (("2", True), ("2-mongodb", True), ("2-jdbc", False)):
        rig = rig_of(profile)
        rig.done("POST", "/v1/tenants/t", {"enabled": True, "trusted-ca": [{"cert": cert}]})
        (found,) = document_of(rig.ask("GET", "/v1/tenants"))["result"]
        assert ("trusted-ca" in found) is shows, profile
        assert found["enabled"] is True


@given(st.text("ab*?\n", max_size=8), st.text("ab\n", max_size=8))
def test_wildcards_are_read_as_a_search_of_all_ways_reads_them(wanted: str, found: str) -> None:
    assert (_pattern(wanted).fullmatch(found) is not None) is _fits(wanted, found)


def _fits(wanted: str, found: str) -> bool:
    if not wanted:
        return not found
    if wanted[0] == "*":
        return any(_fits(wanted[1:], found[at:]) for at in range(len(found) + 1))
    return bool(found) and wanted[0] in ("?", found[0]) and _fits(wanted[1:], found[1:])


def test_many_stars_take_no_longer_than_one(rig: RegistryRig) -> None:
    """Who tries all ways to share a text among stars would not come to an end."""
    rig.done("POST", "/v1/devices/t/z", {"ext": {"brand": "a" * 1500}})
    assert ids(rig, filterJson=eq("/ext/brand", "*a" * 400 + "*b")) == ""
    assert ids(rig, filterJson=eq("/ext/brand", "*a" * 400)) == "z"
