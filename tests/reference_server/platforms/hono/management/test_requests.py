"""What is read of a request before anybody looks at what it says: paths, types, bodies. As Hono 2.7 does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.management.json_body import MOST_NESTED, NoJson, read_json
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.platforms.hono.vertx.paths import normal_path
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, document_of, rig_of, told

PAGE = b"<html><body><h1>Resource not found</h1></body></html>"
JSON = "application/json"


@pytest.fixture
def rig() -> RegistryRig:
    return RegistryRig().with_device()


@pytest.mark.parametrize(
    "path",
    [
        "/", "/v1", "/v1/nosuch", "/v2/tenants", "/v1/Tenants/t", "/v1/tenants/t/d", "/v1/devices", "/v1/devices/t/d/e",
        "/v1/credentials/t", "/v1%2Ftenants/t", "/v1/tenants/t/../../x",
    ],
)  # fmt: skip
def test_paths_without_a_route(rig: RegistryRig, path: str) -> None:
    answer = rig.send("GET", path)
    assert (answer.response.status, body_bytes(answer.response.body)) == (404, PAGE)
    assert answer.response.header("content-type") == "text/html; charset=utf-8"
    assert answer.reason
    assert body_bytes(rig.send("HEAD", path).response.body) == b""


@pytest.mark.parametrize(
    "path",
    [
        "/v1/tenants/t", "/v1/tenants/t/", "//v1//tenants//t", "/v1/./tenants/t", "/v1/x/../tenants/t",
        "/v1/tenants/%74", "/v1/%74enants/t", "/../v1/tenants/t", "/v1/tenants/t/.", "/v1/tenants/t?",
        "/v1/tenants/x?tenant_id=t",
    ],
)  # fmt: skip
def test_paths_that_mean_the_same(rig: RegistryRig, path: str) -> None:
    assert rig.shown(path) == {}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/v1/tenants/%zz", "Invalid escape sequence: %zz"),
        ("/v1/tenants/%", "Invalid position for escape character: 12"),
        ("/v1/nosuch/%z/", "Invalid escape sequence: %z/"),
    ],
)
def test_escapes_that_are_none(rig: RegistryRig, path: str, error: str) -> None:
    assert told(rig.send("GET", path)) == (400, error)


def test_escapes_of_a_query_that_are_none(rig: RegistryRig) -> None:
    answer = rig.send("GET", "/v1/tenants/t?a=%zz")
    assert (answer.response.status, body_bytes(answer.response.body)) == (400, b"Bad Request")
    assert rig.send("GET", "/v1/tenants?a=%").response.status == 500


@given(st.text(st.sampled_from("/.ab%2e"), max_size=12))
def test_a_normal_path_stays_as_it_is(path: str) -> None:
    try:
        once = normal_path(f"/{path}")
    except Refused:
        return
    assert once.startswith("/")
    assert "//" not in once
    if "%" not in once:
        assert normal_path(once) == once
        assert not {".", ".."} & set(once.split("/"))


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("/v1/tenants", "POST,GET"),
        ("/v1/tenants/t", "DELETE,POST,GET,PUT"),
        ("/v1/devices/t", "DELETE,POST,GET"),
        ("/v1/devices/t/d", "DELETE,POST,GET,PUT"),
        ("/v1/credentials/t/d", "GET,PUT"),
    ],
)
def test_other_methods(rig: RegistryRig, target: str, allow: str) -> None:
    for method in ("PATCH", "OPTIONS", "get"):
        response = rig.send(method, target).response
        assert (response.status, response.header("allow"), response.body) == (405, allow, b"")
    response = rig.send("HEAD", target).response
    assert (response.status, response.header("allow")) == (405, None)


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        (None, "Unsupported Content-Type []"),
        ("", "Unsupported Content-Type []"),
        ("text/plain", "Unsupported Content-Type [text/plain]"),
        ("text/plain; charset=utf-8", "Unsupported Content-Type [text/plain]"),
        ("application/vnd.x+json", "Unsupported Content-Type [application/vnd.x+json]"),
    ],
)
def test_a_body_has_to_be_said_to_be_json(rig: RegistryRig, content_type: str | None, error: str) -> None:
    headers = {} if content_type is None else {"Content_Type": content_type}
    for method, target in [("POST", "/v1/tenants/u"), ("PUT", "/v1/tenants/t"), ("PUT", "/v1/credentials/t/d")]:
        assert told(rig.send(method, target, b"{}", **headers)) == (400, error)
    assert told(rig.send("PUT", "/v1/tenants/t", b"", **headers)) == (400, error)


def test_json_may_have_parameters_and_capitals(rig: RegistryRig) -> None:
    for content_type in ("APPLICATION/JSON", "application/json; charset=iso-8859-1", " application/json "):
        assert rig.send("PUT", "/v1/tenants/t", b"{}", Content_Type=content_type).response.status == 204


def test_no_body_and_the_parts_of_a_form_stand_for_an_empty_object(rig: RegistryRig) -> None:
    assert rig.send("POST", "/v1/devices/t/e", Content_Type="text/plain").response.status == 201
    parts = "multipart/form-data; boundary=x"
    assert rig.send("POST", "/v1/devices/t/f", b'{"foo": 1}', Content_Type=parts).response.status == 201
    assert rig.shown("/v1/devices/t/f").keys() == {"status"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "Empty body"),
        (b"null", "Null body"),
        (b" ", "Invalid JSON"),
        (b'{"enabled":', "Invalid JSON"),
        (b"{} {}", "Invalid JSON"),
        (b"{},", "Invalid JSON"),
        (b"{'a':1}", "Invalid JSON"),
        (b'{"enabled":true,}', "Invalid JSON"),
        (b'{"ext":{"a":NaN}}', "Invalid JSON"),
        (b'{"ext":{"a":Infinity}}', "Invalid JSON"),
        (b'{"ext":{"a":01}}', "Invalid JSON"),
        (b'{"ext":{"a":"\n"}}', "Invalid JSON"),
        (b'{"ext":{"a":"\xff"}}', "Invalid JSON"),
        (b"# c\n{}", "Invalid JSON"),
        (b"[" * 1900, "Invalid JSON"),
    ],
)
def test_bodies_that_are_none(rig: RegistryRig, body: bytes, error: str) -> None:
    assert told(rig.send("PUT", "/v1/tenants/t", body, Content_Type=JSON)) == (400, error)


@pytest.mark.parametrize(
    ("body", "ext"),
    [
        (b'{"ext":{"a":1,"a":2}}', {"a": 2}),
        (b'{"ext":{"b":1},"ext":{"a":2}}', {"a": 2}),
        (b'\xef\xbb\xbf{"ext":{"a":1}}', {"a": 1}),
        ('{"ext":{"a":"ü"}}'.encode("utf-16"), {"a": "ü"}),
        ('{"ext":{"a":1}}'.encode("utf-16-be"), {"a": 1}),
        (b'// c\n{/* d */"ext":{"a":"// no /* comment */"}}', {"a": "// no /* comment */"}),
        (b'{"ext":{"a":1E400,"b":-1e999}}', {"a": "Infinity", "b": "-Infinity"}),
        (b'{"ext":{"a":12345678901234567890123,"b":1e2}}', {"a": 12345678901234567890123, "b": 100.0}),
        (b'{"ext":{"a":"\\ud83d\\ude00\\u2028"}}', {"a": "\N{GRINNING FACE}\u2028"}),
        (b'{"ext":{"a":"\\ud800"}}', {"a": "\ud800"}),
        (b'{"ext":{"a":"\xed\xa0\x80"}}', {"a": "\ud800"}),
    ],
)
def test_json_as_jackson_reads_it(rig: RegistryRig, body: bytes, ext: dict[str, object]) -> None:
    assert rig.send("PUT", "/v1/tenants/t", body, Content_Type=JSON).response.status == 204
    assert rig.shown("/v1/tenants/t") == {"ext": ext}


def test_how_deep_json_may_be() -> None:
    deepest = b"[" * MOST_NESTED + b"]" * MOST_NESTED
    assert read_json(deepest)
    assert read_json(b'["' + b"[" * 2_000 + b'"]')
    for deeper in (b"[" + deepest + b"]", b"[" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(NoJson, match="nested deeper"):
            read_json(deeper)


def test_how_long_a_number_may_be() -> None:
    assert read_json(b"9" * 1_000)
    for longer in (b"9" * 1_001, b"1." + b"9" * 1_000):
        with pytest.raises(NoJson, match="more than 1000 digits"):
            read_json(longer)


@given(st.binary(max_size=60))
def test_anything_is_json_or_not(body: bytes) -> None:
    try:
        read_json(body)
    except NoJson:
        return


@given(st.binary(max_size=60), st.sampled_from(["/v1/tenants/t", "/v1/devices/t/d", "/v1/credentials/t/d"]))
def test_anything_is_answered(body: bytes, target: str) -> None:
    answer = RegistryRig().with_device().send("PUT", target, body, Content_Type=JSON)
    assert answer.response.status in (204, 400)


def test_the_largest_body(rig: RegistryRig) -> None:
    answers = {}
    for size in (2047, 2048, 2049):
        body = b'{"ext":{"x":"' + b"y" * (size - 16) + b'"}}'
        assert len(body) == size
        answers[size] = rig.send("PUT", "/v1/tenants/t", body, Content_Type=JSON)
    assert [one.response.status for one in answers.values()] == [204, 204, 413]
    answer = answers[2049]
    assert document_of(answer) == {"error": "N/A"}
    assert "maxPayloadSize" in answer.reason
    assert rig.send("GET", "/v1/tenants/t", b"x" * 5_000).response.status == 200
    own = RegistryRig(Settings(registry_body_bytes=10))
    assert own.ask("POST", "/v1/tenants/t", {"enabled": True}).response.status == 413


def test_a_wrong_body_of_a_wrong_path_is_told_by_its_path(rig: RegistryRig) -> None:
    status, error = told(rig.ask("POST", "/v1/tenants/a%20b", {"foo": 1}))
    assert status == 400
    assert error.startswith("request parameter [name: tenant_id, value: a b] failed validation")


def test_a_204_says_that_it_is_json(rig: RegistryRig) -> None:
    response = rig.ask("PUT", "/v1/tenants/t", {}).response
    assert (response.header("content-type"), response.body) == ("application/json; charset=utf-8", b"")


def test_a_refusal_has_a_status_of_its_own_in_every_profile() -> None:
    for profile in ("2", "2-jdbc", "2-mongodb", "1"):
        assert rig_of(profile).send("GET", "/v1/tenants/t").response.status == 404
