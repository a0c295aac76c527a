"""Answers that say something else, and places that lead elsewhere: what faults make of an honest answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan, describe
from fleetrig.reference_server.http_faults import HttpFaults, blocks, distort, filter_request, replacement
from fleetrig.reference_server.http_rewrite import other_host
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.delivery import Delivery, Framing
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.json_types import Json

POLL = HttpRequest(
    "GET", "http://127.0.0.1:8080", "/DEFAULT/controller/v1/d1", (("If-None-Match", '"1"'), ("Range", "x"))
)
HREF = "http://127.0.0.1:8080/DEFAULT/controller/v1/d1/configData"
DOCUMENT: dict[str, Json] = {
    "config": {"polling": {"sleep": "00:00:05"}}, "_links": {"configData": {"href": HREF}}, "list": [{"a": 1}, 2],
}  # fmt: skip
HONEST = Delivery(
    HttpResponse(200, (("ETag", '"1"'), ("Content-Type", "application/json")), json.dumps(DOCUMENT).encode())
)


def rewriting(**parameters: Json) -> Fault:
    return Fault(FaultKind.REWRITE, parameters=parameters)


def moving(**parameters: Json) -> Fault:
    return Fault(FaultKind.MOVED, parameters={"below": "/elsewhere", **parameters})


def after(fault: Fault, request: HttpRequest = POLL) -> HttpResponse:
    response = distort(fault, request, HONEST).response
    assert response is not None
    return response


def document(response: HttpResponse) -> Any:
    return json.loads(body_bytes(response.body))


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("config.polling.sleep", "00:00:00", {"config": {"polling": {"sleep": "00:00:00"}}}),
        ("config.polling.sleep", -1, {"config": {"polling": {"sleep": -1}}}),
        ("config.polling.sleep", None, {"config": {"polling": {}}}),
        (
            "_links.later.href",
            "http://h/x",
            {"_links": {"configData": {"href": HREF}, "later": {"href": "http://h/x"}}},
        ),
        ("_links.configData", None, {"_links": {}}),
        ("not.there", None, {}),
        ("list.0.a", 2, {"list": [{"a": 2}, 2]}),
        ("list.1", "two", {"list": [{"a": 1}, "two"]}),
        ("list.7", "seven", {}),
        ("list.x.a", 1, {}),
    ],
)
def test_a_value_in_the_body_is_set_or_taken_away(path: str, value: Json, found: dict[str, Json]) -> None:
    assert document(after(rewriting(set_values={path: value}))) == {**DOCUMENT, **found}


def test_several_values_at_once() -> None:
    body = document(after(rewriting(set_values={"config": None, "_links": None, "x": 1})))
    assert body == {"list": [{"a": 1}, 2], "x": 1}


def test_the_whole_body_is_replaced_and_has_no_tag() -> None:
    response = after(rewriting(body="no json"))
    assert response.body == b"no json"
    assert response.header("ETag") is None
    assert response.header("Content-Type") == "application/json"


def test_what_is_no_json_or_lies_in_a_file_stays() -> None:
    fault = rewriting(set_values={"a": 1})
    for body in (b"plain", b"", FileSlice("/no/such/file", 0, 3)):
        delivery = distort(fault, POLL, Delivery(HttpResponse(200, (), body)))
        assert delivery.response == HttpResponse(200, (), body)


def test_status_and_headers() -> None:
    fault = rewriting(status=206, headers={"Date": "Fri, 01 Jan 1999 00:00:00 GMT", "etag": None, "X-New": "1"})
    delivery = distort(fault, POLL, HONEST)
    assert delivery.response is not None
    assert delivery.response.status == 206
    assert delivery.response.headers == (
        ("Content-Type", "application/json"), ("Date", "Fri, 01 Jan 1999 00:00:00 GMT"), ("X-New", "1"),
    )  # fmt: skip
    assert delivery.as_given == {"date", "x-new"}
    assert delivery.response.body == body_bytes(HONEST.response.body if HONEST.response else b"")


def test_a_reply_that_is_lost_already_is_left_alone() -> None:
    assert distort(rewriting(status=500), POLL, Delivery(None)) == Delivery(None)
    assert distort(moving(), POLL, Delivery(None)) == Delivery(None)


def test_the_server_overlooks_headers() -> None:
    assert filter_request([rewriting(unseen=["range"])], POLL).headers == (("If-None-Match", '"1"'),)


@pytest.mark.parametrize("fault", [rewriting(body=""), rewriting(set_values={"a": 1}), moving()])
def test_a_changed_body_is_never_answered_by_not_modified(fault: Fault) -> None:
    assert filter_request([fault], POLL).headers == (("Range", "x"),)


def test_a_status_alone_leaves_the_request_as_it_is() -> None:
    assert filter_request([rewriting(status=304)], POLL) == POLL


def test_links_lead_to_another_path_on_another_host() -> None:
    moved = document(after(moving()))
    assert (
        moved["_links"]["configData"]["href"] == "http://localhost:8080/elsewhere/DEFAULT/controller/v1/d1/configData"
    )
    assert moved["config"] == DOCUMENT["config"]


def test_links_to_others_stay() -> None:
    other = {"_links": {"x": {"href": "http://127.0.0.1:80800/y"}}, "href": 1}
    response = distort(moving(), POLL, Delivery(HttpResponse(200, (), json.dumps(other).encode()))).response
    assert response is not None
    assert document(response) == other


def test_who_was_sent_elsewhere_is_served_there_also_later() -> None:
    plan = FaultPlan(lambda: 0.0)
    plan.add(Fault(FaultKind.MOVED, for_s=1.0, times=1, parameters={"below": "/elsewhere"}), 0)
    there = HttpRequest("PUT", "http://localhost:8080", "/elsewhere/DEFAULT/controller/v1/d1/configData?x=1")
    home = HttpRequest("PUT", "http://127.0.0.1:8080", "/DEFAULT/controller/v1/d1/configData?x=1")
    faults = HttpFaults(plan)
    assert faults.original_request(there) == home
    assert faults.original_request(home) == home
    near = HttpRequest("GET", "http://localhost:8080", "/elsewhereabouts/x")
    assert faults.original_request(near) == near


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_never_reaches_the_platform_and_is_followed_once(status: int) -> None:
    fault = moving(status=status)
    assert blocks(fault)
    location = ("Location", "http://localhost:8080/elsewhere/DEFAULT/controller/v1/d1")
    assert replacement(fault, POLL) == Delivery(HttpResponse(status, (location,)))
    plan = FaultPlan(lambda: 0.0)
    plan.add(fault, 0)
    faults = HttpFaults(plan)
    assert faults.blocking(POLL, 0) == fault
    followed = HttpRequest("GET", "http://localhost:8080", "/elsewhere/DEFAULT/controller/v1/d1")
    assert faults.blocking(followed, 0) is None
    assert faults.original_request(followed).target == POLL.target
    assert faults.distorting(POLL, 0) == []


def test_every_other_name_leads_back() -> None:
    for origin in ("http://127.0.0.1:8080", "https://localhost", "http://hawkbit.test:8080"):
        assert other_host(origin) != origin
        assert other_host(other_host(origin)) == origin
    assert other_host("https://hawkbit.example.org:8443") == "https://hawkbit.example.org:8443"


def test_drops_and_frames() -> None:
    dripping = Fault(FaultKind.DRIPPING, parameters={"bytes_per_s": 20})
    framing = Fault(FaultKind.FRAMING, parameters={"framed": "chunked"})
    delivery = distort(framing, POLL, distort(dripping, POLL, HONEST))
    assert (delivery.bytes_per_s, delivery.framing, delivery.response) == (20.0, Framing.CHUNKED, HONEST.response)


def test_the_trace_says_what_they_do() -> None:
    assert describe(rewriting(status=304)) == "status 304"
    assert describe(Fault(FaultKind.DRIPPING, parameters={"bytes_per_s": 20})) == "bytes_per_s 20"
    assert describe(Fault(FaultKind.OUTAGE)) == "shows as refused"


def test_one_of_each_kind_in_a_fixed_order() -> None:
    plan = FaultPlan(lambda: 0.0)
    for fault in (Fault(FaultKind.LOST_REPLY), rewriting(status=404), rewriting(status=500), moving()):
        plan.add(fault, 0)
    assert [fault.kind for fault in HttpFaults(plan).distorting(POLL, 0)] == [
        FaultKind.MOVED,
        FaultKind.REWRITE,
        FaultKind.LOST_REPLY,
    ]
