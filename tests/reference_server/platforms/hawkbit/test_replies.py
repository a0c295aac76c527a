"""Content types, links, tags, methods and headers of every answer (§0, S72-S74, S84, S126)."""

from __future__ import annotations

import hashlib

import cbor2
import pytest

from fleetrig.reference_server.platforms.hawkbit.request.media_types import negotiate
from fleetrig.reference_server.platforms.hawkbit.request.replies import DDI_TYPES, MGMT_TYPES, disposition
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.hawkbit.rig import ORIGIN, Rig, document, status

HAL, JSON, CBOR = DDI_TYPES


@pytest.fixture
def device(rig: Rig) -> Rig:
    rig.gateway_on()
    return rig


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, HAL), ("", HAL), ("*/*", HAL), ("application/*", HAL), (JSON, JSON), (HAL, HAL), (CBOR, CBOR),
        ("text/html,*/*;q=0.8", HAL), ("application/json;q=0.5,application/cbor", CBOR),
        ("*/*, application/json", JSON), ("application/json;charset=UTF-8", "application/json;charset=UTF-8"),
        ("APPLICATION/JSON", JSON), ("application/xml", None), ("text/plain", None), ("nonsense", None),
        ("application/json;q=x", None),
    ],
)  # fmt: skip
def test_the_type_of_the_answer(accept: str | None, expected: str | None) -> None:
    assert negotiate(accept, DDI_TYPES) == expected


def test_management_has_no_cbor() -> None:
    assert negotiate(CBOR, MGMT_TYPES) is None


def test_the_poll_in_each_type(device: Rig) -> None:
    link = f"{ORIGIN}/DEFAULT/controller/v1/dev/configData"
    config = {"polling": {"sleep": "00:05:00"}}
    for accept in (HAL, JSON):
        answer = device.poll("dev", headers={"Accept": accept})
        assert answer.response.header("Content-Type") == accept
        assert document(answer) == {"config": config, "_links": {"configData": {"href": link}}}
    answer = device.poll("dev", headers={"Accept": CBOR})
    expected = {"config": config, "links": [{"rel": "configData", "href": link}]}
    assert cbor2.loads(body_bytes(answer.response.body)) == expected
    device.put_attributes("dev", "", {"a": "b"})
    assert cbor2.loads(body_bytes(device.poll("dev", headers={"Accept": CBOR}).response.body)) == {
        "config": config,
        "links": [],
    }


def test_attributes_can_come_as_cbor(device: Rig) -> None:
    device.poll("dev")
    body = cbor2.dumps({"data": {"a": 1, "b": "x"}})
    answer = device.device("PUT", "dev", "/configData", body=body, headers={"Content-Type": CBOR})
    assert status(answer) == 200
    assert device.read("/targets/dev/attributes") == {"a": "1", "b": "x"}
    broken = device.device("PUT", "dev", "/configData", body=b"\xff", headers={"Content-Type": CBOR})
    assert status(broken) == 400


@pytest.mark.parametrize("accept", ["application/xml", "text/plain"])
def test_not_acceptable_is_empty_and_names_what_there_is(device: Rig, accept: str) -> None:
    answer = device.poll("dev", headers={"Accept": accept})
    assert (status(answer), answer.response.body) == (406, b"")
    assert answer.response.header("Accept") == "application/hal+json, application/json, application/cbor"
    assert status(device.mgmt("GET", "/targets", headers={"Accept": accept})) == 406
    assert device.read("/targets")["total"] == 0, "nothing was registered by the refused poll"


def test_errors_come_in_the_type_that_was_asked_for(rig: Rig) -> None:
    for accept, expected in ((None, JSON), ("*/*", JSON), (HAL, HAL), (JSON, JSON)):
        headers = {} if accept is None else {"Accept": accept}
        assert rig.mgmt("GET", "/targets/nope", headers=headers).response.header("Content-Type") == expected
    rig.gateway_on()
    answer = rig.device("PUT", "dev", "/configData", body={"data": {}}, headers={"Accept": CBOR})
    assert cbor2.loads(body_bytes(answer.response.body))["errorCode"] == "hawkbit.server.error.rest.body.notReadable"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(HAL, 415), ("text/plain", 415), ("", 415), (JSON, 200), ("application/json;charset=UTF-8", 200),
     ("Application/JSON; charset=iso-8859-1", 200)],
)  # fmt: skip
def test_device_bodies_are_json_or_cbor(device: Rig, content_type: str, expected: int) -> None:
    device.poll("dev")
    answer = device.device(
        "PUT", "dev", "/configData", body={"data": {"a": "b"}}, headers={"Content-Type": content_type}
    )
    assert status(answer) == expected
    if expected == 415:
        assert answer.response.header("Accept") == "application/json, application/cbor"
        assert document(answer)["error"] == "Unsupported Media Type"


@pytest.mark.parametrize("content_type", [HAL, JSON])
def test_management_bodies_are_both_kinds_of_json(rig: Rig, content_type: str) -> None:
    answer = rig.mgmt("POST", "/targets", {"controllerId": "a"}, headers={"Content-Type": content_type})
    assert status(answer) == 201


def test_tags_are_made_from_the_body(device: Rig) -> None:
    answer = device.poll("dev")
    data = body_bytes(answer.response.body)
    assert answer.response.header("ETag") == f'"0{hashlib.md5(data).hexdigest()}"'
    assert device.mgmt("GET", "/targets/dev/attributes").response.header("ETag") == f'"0{hashlib.md5(b"").hexdigest()}"'


@pytest.mark.parametrize(
    ("presented", "expected"), [("{}", 304), ("W/{}", 304), ('"x", {}', 304), ('"x"', 200), ("*", 200), ("", 200)]
)
def test_a_tag_that_is_known_gives_304(device: Rig, presented: str, expected: int) -> None:
    tag = device.poll("dev").response.header("ETag") or ""
    answer = device.poll("dev", headers={"If-None-Match": presented.format(tag)})
    assert status(answer) == expected
    if expected == 304:
        assert answer.response.body == b""
        assert answer.response.header("Cache-Control") is None
        assert answer.response.header("X-Frame-Options") == "DENY"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(device: Rig, method: str) -> None:
    """S74."""
    answer = device.device(method, "dev", "")
    assert status(answer) == 405
    assert answer.response.header("Allow") == "GET"
    assert document(answer)["error"] == "Method Not Allowed"


def test_head_and_options(device: Rig) -> None:
    head = device.device("HEAD", "dev", "")
    length = len(body_bytes(device.poll("dev").response.body))
    assert (status(head), head.response.body, head.response.header("Content-Length")) == (200, b"", str(length))
    options = device.device("OPTIONS", "dev", "")
    assert (status(options), options.response.header("Allow")) == (200, "GET,HEAD,OPTIONS")
    assert status(device.send("OPTIONS", "/DEFAULT/controller/v1/dev")) == 401


@pytest.mark.parametrize(
    "path", ["/DEFAULT/controller/v1/dev/", "/DEFAULT/controller/v1/dev/nope", "/rest/v1/targets/"]
)
def test_an_unknown_path_is_not_found_after_authentication(device: Rig, path: str) -> None:
    if path.startswith("/rest"):
        answer = device.mgmt("GET", path.removeprefix("/rest/v1"))
    else:
        answer = device.device("GET", path.removeprefix("/DEFAULT/controller/v1/"), "")
    assert (status(answer), document(answer)["error"]) == (404, "Not Found")
    assert status(device.send("GET", path)) == 401


@pytest.mark.parametrize(
    ("path", "has_one"),
    [("/a/dev", False), ("/a/dev.b", True), ("/a/dev.txt", False), ("/a/dev.JSON", False), ("/a.b/dev", False),
     ("/a/dev.", False), ("/a/dev..b", True), ("/a/dev.exe", True), ("/a/dev.png", False), ("/a/key.enabled", True)],
)  # fmt: skip
def test_odd_extensions_get_a_content_disposition(path: str, has_one: bool) -> None:
    assert bool(disposition(path)) is has_one
