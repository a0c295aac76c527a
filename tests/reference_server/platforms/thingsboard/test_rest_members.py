"""How the members of an operator's document are read: what is taken for what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.rest.members import flag, mapping, text, whole_number, word
from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, refused
from tests.reference_server.platforms.thingsboard.http_rig import text as body_of


class Colour(StrEnum):
    RED = "RED"


def colour(body: dict[str, Any], name: str) -> Colour | None:
    return word(body, name, Colour)


@pytest.mark.parametrize(
    ("reads", "given", "value"),
    [
        (text, None, None),
        (text, "a", "a"),
        (text, True, "true"),
        (text, False, "false"),
        (text, 5, "5"),
        (whole_number, None, None),
        (whole_number, 5, 5),
        (whole_number, 5.7, 5),
        (whole_number, " 5 ", 5),
        (flag, True, True),
        (flag, None, False),
        (flag, "true", True),
        (flag, "false", False),
        (flag, " TRUE ", True),
        (flag, "", False),
        (flag, 1, True),
        (flag, 0, False),
        (colour, "RED", Colour.RED),
        (colour, None, None),
        (mapping, {"a": 1}, {"a": 1}),
        (mapping, None, None),
    ],
)
def test_a_member_is_read(reads: Callable[[dict[str, Any], str], object], given: object, value: object) -> None:
    assert reads({"m": given}, "m") == value


@pytest.mark.parametrize(
    ("reads", "given"),
    [
        (text, []),
        (text, {}),
        (whole_number, True),
        (whole_number, "5_0"),
        (whole_number, "²"),
        (whole_number, 2**63),
        (whole_number, 1e30),
        (whole_number, []),
        (flag, "yes"),
        (flag, 1.0),
        (flag, "tRUE"),
        (whole_number, "0x10"),
        (colour, "red"),
        (colour, 0),
        (mapping, []),
        (mapping, "x"),
    ],
)
def test_a_member_of_another_form_is_refused(reads: Callable[[dict[str, Any], str], object], given: object) -> None:
    with pytest.raises(HttpRefusal) as refusal:
        reads({"m": given}, "m")

    assert refusal.value.status == 500


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"name":NaN}', b'{"name":1e999}', b'{"name":"' + b"\xff", b"[" * 100_000]
)
def test_a_document_that_is_none_is_refused(body: bytes) -> None:
    rig = HttpRig()
    bearer = f"Bearer {rig.token()}"

    answer = rig.send("POST", "/api/device", body, Content_Type="application/json", X_Authorization=bearer)

    assert refused(answer)[:2] == (500, 2)


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"name":"d"}', b'{"name":"d"}x', b' {"name":"d"} {'])
def test_what_stands_around_a_document_does_not_count(body: bytes) -> None:
    rig = HttpRig()

    made = rig.send(
        "POST", "/api/device", body, Content_Type="application/json", X_Authorization=f"Bearer {rig.token()}"
    )

    assert document(made)["name"] == "d"


def test_half_a_character_becomes_a_question_mark_and_two_halves_one() -> None:
    rig = HttpRig()
    bearer = f"Bearer {rig.token()}"
    body = rb'{"name":"a\ud83d\uDE00\ud83d"}'

    made = rig.send("POST", "/api/device", body, Content_Type="application/json", X_Authorization=bearer)

    assert document(made)["name"] == "a\U0001f600?"
    assert rig.get("/api/tenant/devices?deviceName=a%F0%9F%98%80%3F") == document(made)


def test_commands_are_handed_on() -> None:
    rig = HttpRig()
    device = rig.device("d")["id"]["id"]

    sent = rig.ask("POST", f"/api/rpc/oneway/{device}", {"method": "ping", "params": {"a": 1}})
    nameless = rig.ask("POST", f"/api/rpc/oneway/{device}", {"params": {}})

    assert (sent.response.status, body_of(sent)) == (200, "")
    assert [dict(notice.body) for notice in rig.registry.take_notices()] == [{"method": "ping", "params": {"a": 1}}]
    assert refused(nameless)[:2] == (400, 31)


def test_a_device_is_given_to_a_customer_and_taken_back() -> None:
    rig = HttpRig()
    device = rig.device("d")["id"]["id"]
    customer = document(rig.ask("POST", "/api/customer", {"title": "c"}))["id"]["id"]

    given = document(rig.ask("POST", f"/api/customer/{customer}/device/{device}"))
    taken = document(rig.ask("DELETE", f"/api/customer/device/{device}"))
    again = rig.ask("DELETE", f"/api/customer/device/{device}")

    assert given["customerId"]["id"] == customer
    assert taken["customerId"]["id"] != customer
    assert refused(again) == (400, 31, "Device isn't assigned to any customer!")


def test_who_has_logged_in_is_told() -> None:
    rig = HttpRig()

    found = rig.get("/api/auth/user")

    assert (found["email"], found["authority"]) == ("tenant@thingsboard.org", "TENANT_ADMIN")
