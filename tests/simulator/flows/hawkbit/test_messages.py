"""What a hawkBit device writes and how it reads: every odd document gives a usable value or none (V03, V11 to V14)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity, GatewayToken, TargetToken, UserPassword
from fleetrig.simulator.effects import NoReply, Reply
from fleetrig.simulator.flows.hawkbit.messages import (
    attributes_request,
    document_of,
    download_request,
    feedback_request,
    get_request,
    link,
    poll_request,
    read_cancel,
    read_deployment,
    read_document,
    sleep_s,
)
from tests.simulator.flows.played import IMAGE, URL, deployment, polled

GATEWAY = GatewayToken("key")


@pytest.mark.parametrize(
    ("serial", "tenant", "url", "target"),
    [
        ("dev-1", "DEFAULT", URL, "/DEFAULT/controller/v1/dev-1"),
        ("dev-1", "DEFAULT", URL + "/", "/DEFAULT/controller/v1/dev-1"),
        ("dev-1", "DEFAULT", URL + "/proxy/", "/proxy/DEFAULT/controller/v1/dev-1"),
        ("a b/c?d#e%20ü:@,+*", "T 1", URL, "/T%201/controller/v1/a%20b%2Fc%3Fd%23e%2520%C3%BC%3A%40%2C%2B%2A"),
        ("..", "DEFAULT", URL, "/DEFAULT/controller/v1/.."),
    ],
)
def test_the_poll(serial: str, tenant: str, url: str, target: str) -> None:
    request = poll_request(url, DeviceIdentity(serial, tenant), TargetToken("t0ken"))
    assert (request.method, request.origin, request.target, request.body) == ("GET", URL, target, b"")
    assert request.headers == (("Authorization", "TargetToken t0ken"), ("Accept", "application/json"))


def test_each_credential_has_its_scheme() -> None:
    href = f"{URL}/x"
    assert get_request(href, GATEWAY).header("Authorization") == "GatewayToken key"
    assert get_request(href, None).header("Authorization") is None
    assert get_request(href, UserPassword("a", "b")).header("Authorization") is None


@pytest.mark.parametrize("target", ["/a//b/../%2e?c=-2122565939", "/a+b?x=%zz&y", "/?c=-1", "/"])
def test_links_are_followed_to_the_letter(target: str) -> None:
    assert get_request(URL + target, GATEWAY).target == target
    assert attributes_request(URL + target, GATEWAY, None, {}).target == target
    assert download_request(URL + target, GATEWAY, 0).target == target


def test_attributes() -> None:
    request = attributes_request(f"{URL}/x", GATEWAY, "merge", {"a": "1", "ü": None})
    assert request.method == "PUT"
    assert request.header("Content-Type") == "application/json"
    assert json.loads(request.body if isinstance(request.body, bytes) else b"") == {
        "mode": "merge",
        "data": {"a": "1", "ü": None},
    }
    assert attributes_request(f"{URL}/x", GATEWAY, None, {"a": "1"}).body == b'{"data":{"a":"1"}}'


def test_feedback_goes_to_the_path_of_the_action_and_has_no_time() -> None:
    """A device with a wrong clock would never be in_sync (§2.5, V32)."""
    request = feedback_request(f"{URL}/a/deploymentBase/12?c=-1", GATEWAY, "closed", "success", ("done",))
    assert (request.method, request.target) == ("POST", "/a/deploymentBase/12/feedback")
    assert json.loads(request.body if isinstance(request.body, bytes) else b"") == {
        "status": {"execution": "closed", "result": {"finished": "success"}, "details": ["done"]}
    }


def test_a_download_from_the_middle() -> None:
    assert download_request(f"{URL}/x", GATEWAY, 0).header("Range") is None
    assert download_request(f"{URL}/x", GATEWAY, 500).header("Range") == "bytes=500-"
    assert download_request(f"{URL}/x", GATEWAY, 0).header("Authorization") == "GatewayToken key"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:05", 5), ("00:05:00", 300), ("23:59:59", 86399), ("0:0:1", 1), ("00:00:00", 0), ("999:59:59", 3599999),
        ("PT24H", 86400), ("P1D", 86400), ("P1DT1H1M1S", 90061), ("PT0S", 0), ("PT1.5S", 1), ("P99999D", 8639913600),
    ],
)  # fmt: skip
def test_intervals_that_can_be_read(text: str, seconds: int) -> None:
    assert sleep_s(polled(text)) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "99:99:99", "00:60:00", "00:00:60", "5", "05:00", "-00:00:05", "00:00:05 ", "9999:59:59", "P",
     "00:00:0\u0665", "PT", "PT24", "24H", "P1W", "pt24h", "soon", -1, 5, 5.0, True, None, [], {},
     ["00:00:05"], "1" * 10_000],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_intervals_that_say_nothing(value: object) -> None:
    assert sleep_s(polled(value)) is None


@pytest.mark.parametrize(
    "document", [{}, {"config": None}, {"config": []}, {"config": {"polling": "x"}}, {"config": 1}]
)
def test_documents_without_an_interval(document: dict[str, Any]) -> None:
    assert sleep_s(document) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"7", b"<html>", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"a":' * 100_000,
     b"1" * 5_000],
)  # fmt: skip
def test_what_is_no_document(body: bytes) -> None:
    assert read_document(HttpResponse(200, (), body)) is None


def test_only_a_200_brings_a_document() -> None:
    assert document_of(Reply(HttpResponse(200, (), b'{"a":1}'), 0.1)) == {"a": 1}
    assert document_of(Reply(HttpResponse(404, (), b'{"a":1}'), 0.1)) is None
    assert document_of(NoReply("timeout", 0.1)) is None


@pytest.mark.parametrize(
    "links",
    [None, [], "x", {}, {"configData": None}, {"configData": "http://h/"}, {"configData": {"href": None}},
     {"configData": {"href": ["http://h/"]}}, {"configData": {"href": "/relative"}}, {"configData": {"href": ""}},
     {"configData": {"href": "ftp://h/"}}, {"configData": {"href": "http://h b/"}}, {"other": {"href": "http://h/"}},
     {"configData": {"href": "http://h/\r\nX-Evil: 1"}}, {"configData": {"href": "http://hü/"}},
     {"configData": {"href": "http://h/\x00"}}, {"configData": {"href": "http://h/\x85"}},
     {"configData": {"href": "http://h/\ud800"}}],
)  # fmt: skip
def test_links_that_cannot_be_followed(links: object) -> None:
    assert link({"_links": links}, "configData") is None


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/v1/schön@werk:1/a", "/v1/sch%C3%B6n@werk:1/a"),
        ("/v1/a b/Ж/%C3%B6?c=ü", "/v1/a%20b/%D0%96/%C3%B6?c=%C3%BC"),
        ("/v1/de:ad:be:ef:00:01/a+b%2Bc", "/v1/de:ad:be:ef:00:01/a+b%2Bc"),
        ("/v1/a[1]^`\\?x=[2]", "/v1/a%5B1%5D%5E%60%5C?x=%5B2%5D"),
        ('/v1/😀|{}"<>', "/v1/%F0%9F%98%80%7C%7B%7D%22%3C%3E"),
    ],
)
def test_a_link_that_holds_more_than_ascii_is_percent_encoded(written: str, sent: str) -> None:
    """hawkBit writes ids raw into the links of files; what can be sent stays to the letter."""
    assert link({"_links": {"download-http": {"href": f"{URL}{written}"}}}, "download-http") == URL + sent


def test_a_link_among_others() -> None:
    document = polled(configData="configData", somethingNew="http://elsewhere/x")
    assert link(document, "configData") == f"{URL}/DEFAULT/controller/v1/dev-1/configData"


def test_a_whole_deployment() -> None:
    plan = read_deployment(deployment("12", window="unavailable", update="skip", files=2))
    assert plan is not None
    assert (plan.action_id, plan.download, plan.update, plan.maintenance_window) == (
        "12",
        "forced",
        "skip",
        "unavailable",
    )
    assert [artifact.filename for artifact in plan.artifacts] == ["fw-1.bin", "fw-2.bin"]
    assert plan.artifacts[0].size_bytes == len(IMAGE)
    assert set(plan.artifacts[0].hashes) == {"sha1", "md5", "sha256"}


def test_https_is_preferred() -> None:
    document = deployment()
    document["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download"] = {"href": "https://h/fw"}
    plan = read_deployment(document)
    assert plan is not None
    assert plan.artifacts[0].href == "https://h/fw"


def test_ids_may_be_numbers() -> None:
    plan = read_deployment({**deployment(), "id": 12})
    assert plan is not None
    assert plan.action_id == "12"
    assert read_cancel({"cancelAction": {"stopId": 12}}) == "12"


@pytest.mark.parametrize(
    "document",
    [{}, {"id": "1"}, {"id": "1", "deployment": []}, {"id": None, "deployment": {"download": "forced", "update": "x"}},
     {"id": "1", "deployment": {"download": "forced"}}, {"id": "1", "deployment": {"download": 1, "update": "forced"}}],
)  # fmt: skip
def test_what_is_no_deployment(document: dict[str, Any]) -> None:
    assert read_deployment(document) is None


@pytest.mark.parametrize("chunks", [None, {}, "x", [None], [[]], [{}], [{"artifacts": None}], [{"artifacts": [1]}]])
def test_a_deployment_without_files(chunks: object) -> None:
    document = deployment()
    document["deployment"]["chunks"] = chunks
    plan = read_deployment(document)
    assert plan is not None
    assert plan.artifacts == ()


def test_a_file_that_cannot_be_fetched_is_still_a_file() -> None:
    """Leaving it out would install half an update and report success."""
    document = deployment()
    document["deployment"]["chunks"][0]["artifacts"] = [{"filename": "fw.bin", "_links": {"md5sum": {"href": "x"}}}, {}]
    plan = read_deployment(document)
    assert plan is not None
    assert [(artifact.filename, artifact.href) for artifact in plan.artifacts] == [("fw.bin", ""), ("", "")]


@pytest.mark.parametrize("document", [{}, {"cancelAction": None}, {"cancelAction": {"stopId": None}}, {"id": "12"}])
def test_what_is_no_cancel(document: dict[str, Any]) -> None:
    assert read_cancel(document) is None
