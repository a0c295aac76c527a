"""Who gets which form of an error: hawkBit's body, the framework's body, its page or nothing (§0.1)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.request.media_types import NoMediaType, accepted, negotiate, type_sent
from fleetrig.reference_server.platforms.hawkbit.request.replies import CBOR, DDI_TYPES, HAL, JSON
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hawkbit.rig import GATEWAY_KEY, ORIGIN, Rig, basic, document, error_code, status

PAGE = "text/html;charset=UTF-8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PATH = "/DEFAULT/controller/v1/dev"


@pytest.fixture
def device(rig: Rig) -> Rig:
    rig.gateway_on()
    rig.poll("dev")
    return rig


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*", HAL), ("application/*+json", HAL), (", ,", HAL), ("application/json;", JSON),
        ('application/json;q="0.5"', JSON), ("application/*;q=0.5,application/cbor;q=0.5", CBOR),
        ('application/json;charset="utf-8"', "application/json;charset=utf-8"),
        ('application/json;profile="a,b"', 'application/json;profile="a,b"'),
        ("application/json, application/json;charset=UTF-8", "application/json;charset=UTF-8"),
        ("text/html, *; q=.2, */*; q=.2", HAL), ("application/json;q=0", JSON),
        ("application/vnd.x+json", None), ("*/json", None),
    ],
)  # fmt: skip
def test_what_is_acceptable(accept: str, expected: str | None) -> None:
    assert negotiate(accept, DDI_TYPES) == expected


@pytest.mark.parametrize(
    "accept",
    ["json", "a/b/c", "application/", ";;;", "application/json;q=1.5", "application/json;q=-1", "a/b;charset=nope"],
)
def test_one_unreadable_range_makes_all_of_them_unacceptable(accept: str) -> None:
    assert negotiate(accept, DDI_TYPES) is None
    assert negotiate(f"*/*, {accept}", DDI_TYPES) is None
    with pytest.raises(NoMediaType):
        accepted(accept)


def test_ranges_are_tried_by_quality_then_by_precision() -> None:
    given = "*/*, text/*, a/*+json, text/plain;q=0.9, text/html, text/html;level=1"
    shown = [f"{one.name}{one.parameters}" for one in accepted(given)]
    assert shown == ["text/html;level=1", "text/html", "text/*", "a/*+json", "*/*", "text/plain"]


def test_every_accept_header_counts(device: Rig) -> None:
    headers = (("Authorization", f"GatewayToken {GATEWAY_KEY}"), ("Accept", "application/xml"), ("accept", CBOR))
    request = HttpRequest("GET", ORIGIN, PATH, headers)
    answer = device.platform.handle(request, Session(), device.now_us)
    assert isinstance(answer, HttpAnswer)
    response = answer.response
    assert (response.status, response.header("Content-Type")) == (200, CBOR)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(" Application/JSON; charset=utf-8", JSON), ("", ""), ("json", ""), ("application/json;charset=nope", "")],
)
def test_the_type_of_a_body(sent: str, expected: str) -> None:
    assert type_sent(sent) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON), ("*/*", JSON), (HAL, HAL), (CBOR, CBOR), ("application/vnd.x+json", "application/vnd.x+json"),
        ("text/html", PAGE), ("text/*", PAGE), (BROWSER, PAGE), ("application/json, text/html", PAGE),
        ("*/*, text/html;q=0.5", JSON), ("application/*", None), ("application/octet-stream, */*", None),
        ("application/xml", None), ("nonsense", None),
    ],
)  # fmt: skip
def test_the_form_of_an_unknown_path(device: Rig, accept: str | None, expected: str | None) -> None:
    answer = device.device("GET", "dev", "/nope", headers={"Accept": accept} if accept else None)
    assert status(answer) == 404
    assert answer.response.header("Content-Type") == expected
    assert bool(answer.response.body) == (expected is not None)


def test_the_page_for_browsers(device: Rig) -> None:
    answer = device.send("POST", PATH, {"Authorization": "GatewayToken the-gateway-key", "Accept": BROWSER})
    page = bytes(answer.response.body).decode()  # type: ignore[arg-type]
    assert "<h1>Whitelabel Error Page</h1>" in page
    assert "<div id='created'>Thu Jan 01 00:00:00 UTC 2026</div>" in page
    assert "(type=Method Not Allowed, status=405)" in page
    assert answer.response.header("Content-Language") == "en"
    assert answer.response.header("Allow") == "GET"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png"])
def test_nothing_acceptable_is_406_in_the_form_that_fits(device: Rig, accept: str) -> None:
    answer = device.poll("dev", headers={"Accept": accept})
    assert (status(answer), answer.response.header("Content-Type")) == (406, PAGE if accept == "text/html" else None)
    assert answer.response.header("Accept") == ", ".join(DDI_TYPES)


def test_an_error_that_cannot_be_written_becomes_the_frameworks(device: Rig) -> None:
    """Its own status where the framework knows the mistake itself, else 500; an unreadable `Accept` changes nothing."""
    xml, broken = {"Accept": "application/xml"}, {"Accept": "application/json;q=2"}
    unread: dict[str, list[str]] = {"data": []}
    assert status(device.device("PUT", "dev", "/configData", body=unread, headers=xml)) == 400
    assert status(device.device("PUT", "ghost", "/configData", body={"data": {"a": "b"}}, headers=xml)) == 500
    answer = device.device("PUT", "ghost", "/configData", body={"data": {"a": "b"}}, headers=broken)
    assert (status(answer), answer.response.body) == (404, b"")


def test_a_risky_name_in_the_path_is_defused_in_every_written_error(device: Rig) -> None:
    for path, headers in [("/nope.exe", None), ("/nope.exe", {"Accept": BROWSER}), ("/nope", None)]:
        answer = device.device("GET", "dev", path, headers=headers)
        expected = "inline;filename=f.txt" if path.endswith(".exe") and headers is None else None
        assert answer.response.header("Content-Disposition") == expected


def test_all_that_a_path_can_mean_counts(device: Rig) -> None:
    """`activateAutoConfirm` is a word for POST and, for GET, an action id that is no number."""
    path = "/confirmationBase/activateAutoConfirm"
    assert error_code(device.device("GET", "dev", path)) == "rest.body.notReadable"
    answer = device.device("PUT", "dev", path)
    assert (status(answer), set(str(answer.response.header("Allow")).split(", "))) == (405, {"GET", "POST"})


def test_options_names_methods_and_no_patch_formats(device: Rig) -> None:
    answer = device.device("OPTIONS", "dev", "")
    assert (answer.response.header("Allow"), answer.response.header("Accept-Patch")) == ("GET,HEAD,OPTIONS", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("%201%20", 404), ("+1", 404), ("%2B1", 404), ("0x7f", 404), ("-0x7f", 404), ("0x", 400), ("1.0", 400)],
)
def test_numbers_in_a_path(device: Rig, text: str, expected: int) -> None:
    assert status(device.device("GET", "dev", f"/deploymentBase/{text}")) == expected


def test_a_path_variable_of_blanks_is_none(device: Rig) -> None:
    answer = device.device("GET", "dev", "/deploymentBase/%20")
    assert (status(answer), document(answer)["error"]) == (400, "Bad Request")


@pytest.mark.parametrize("path", ["/foo", "/DEFAULT", "/DEFAULT/controller", "/REST/v1/targets", "/restful"])
def test_a_path_of_no_api_is_answered_by_the_framework_alone(rig: Rig, path: str) -> None:
    answer = rig.send("GET", path)
    assert status(answer) == 404
    assert document(answer)["error"] == "Not Found"
    assert [name for name, _ in answer.response.headers] == ["Content-Type"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_looks_whether_the_server_is_up_is_sent_to_its_documentation(rig: Rig, method: str) -> None:
    response = rig.send(method, "/").response
    assert (response.status, response.body) == (302, b"")
    assert response.headers == (("Location", f"{ORIGIN}/swagger-ui/index.html"), ("Content-Language", "en"))


@pytest.mark.parametrize(
    ("method", "expected", "allow"), [("OPTIONS", 200, "GET,HEAD,OPTIONS"), ("PUT", 405, "GET"), ("DELETE", 405, "GET")]
)
def test_the_front_page_can_only_be_read(rig: Rig, method: str, expected: int, allow: str) -> None:
    response = rig.send(method, "/").response
    assert (response.status, dict(response.headers)["Allow"]) == (expected, allow)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "Multipart/Mixed; charset=utf-8", "multipart/form-data; boundary="]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/rest/v1/targets"), ("GET", "/rest/v1/targets"), ("PUT", "/rest/v1/nope")]
)
def test_a_form_without_a_boundary_is_refused_wherever_it_goes(rig: Rig, method: str, path: str, kind: str) -> None:
    sent = {"Authorization": basic("admin", "admin"), "Content-Type": kind}
    answer = rig.send(method, path, sent, b"x")
    assert status(answer) == 400
    assert document(answer)["errorCode"] == "hawkbit.server.error.artifact.uploadFailed"
    assert status(rig.send(method, path, {"Content-Type": kind}, b"x")) == 401


@pytest.mark.parametrize(
    ("body", "expected"), [([None], 500), ([{}, None], 500), ([{}, "x", None], 400), ([[], None], 400)]
)
@pytest.mark.parametrize("path", ["/targets", "/targettags", "/distributionsettypes", "/softwaremodules"])
def test_what_is_no_object_is_told_before_a_null_breaks(rig: Rig, path: str, body: list[object], expected: int) -> None:
    assert status(rig.mgmt("POST", path, body)) == expected
