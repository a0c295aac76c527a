"""What a control interface says of its server, read by the harness: whatever stands there, there is a page or none."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from fleetrig.harness.servers.control_page import ControlPage, ToldPlatform, as_in_server_file, page_of
from fleetrig.harness.servers.served_account import ServedAccount
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.errors import UsageError

URL = "http://bench-7:8081"
DOCUMENT: dict[str, Any] = {
    "server": "fleetrig reference server",
    "version": "1",
    "profiles": {"hawkbit": "1.1", "hono": "2"},
    "administrators": {"hawkbit": {"user": "admin", "password": "well-known"}, "hono": None},
    "can": {"hawkbit": ["hawkbit.fast_polling"], "hono": []},
    "properties": {"hawkbit": {"a": "b"}, "hono": {}},
    "platforms": ["hawkbit", "hono"],
    "urls": {
        "hawkbit": {"http": "http://127.0.0.1:8080/hb"},
        "hono": {"registry": "http://0.0.0.0:28080", "mqtts": "mqtts://127.0.0.1:8883", "coap": "coap://[::]:5683"},
        "control": URL,
    },
    "ca": "/tmp/ca.pem",
}
OTHER_KINDS: tuple[Any, ...] = (None, True, 3, "x", [], [1], {}, {"a": 1})


def test_a_page_says_all_that_a_run_needs() -> None:
    assert page_of(URL, json.dumps(DOCUMENT).encode()) == ControlPage(
        URL,
        {
            "hawkbit": ToldPlatform(
                "1.1",
                {"http": "http://127.0.0.1:8080/hb"},
                ServedAccount("admin", "well-known"),
                frozenset({"hawkbit.fast_polling"}),
                {"a": "b"},
            ),
            "hono": ToldPlatform(
                "2",
                {"registry": "http://bench-7:28080", "mqtts": "127.0.0.1:8883", "coap": "bench-7:5683"},
            ),
        },
        "/tmp/ca.pem",
    )


@pytest.mark.parametrize(
    ("told", "control", "written"),
    [
        ("https://127.0.0.1:8443", URL, "https://127.0.0.1:8443"),
        ("mqtt://127.0.0.1:1883", URL, "127.0.0.1:1883"),
        ("http://0.0.0.0:8080/hb", "http://[::1]:9", "http://[::1]:8080/hb"),
        ("mqtt://[::]:1883", "http://10.0.0.7:9", "10.0.0.7:1883"),
    ],
)
def test_an_address_is_written_as_in_a_server_file(told: str, control: str, written: str) -> None:
    assert as_in_server_file(told, control) == written


@pytest.mark.parametrize(
    "told",
    ["", "x", "http://", "http://[::", "http://0.0.0.0", "http://0.0.0.0:99999", "http://h:x", "http://u:p@h:1",
     "mqtt://h", "mqtt://h:1\r\nX"],
)  # fmt: skip
def test_what_is_no_address_is_not_told(told: str) -> None:
    assert as_in_server_file(told, URL) == ""


def test_a_page_without_the_address_that_is_needed_is_told_in_a_sentence() -> None:
    page = page_of(URL, json.dumps({**DOCUMENT, "urls": {"hawkbit": {"http": "http://["}}}).encode())

    def ask(_: str) -> ControlPage | None:
        return page

    with pytest.raises(UsageError, match="names no address of hawkBit's administration interface"):
        remote_server_from("http://127.0.0.1:8081", "hawkbit", may_change_settings=False, ask=ask)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"server": "hawkBit"}', b'{"status": 404}', b"\xff"]
)
def test_other_answers_are_no_page(body: bytes) -> None:
    assert page_of(URL, body) is None


@pytest.mark.parametrize("key", [key for key in DOCUMENT if key != "server"])
def test_values_of_another_kind_make_a_page_that_says_less(key: str) -> None:
    inner = DOCUMENT[key] if isinstance(DOCUMENT[key], dict) else {}
    for value, place in itertools.product(OTHER_KINDS, ["", *inner]):
        changed = json.loads(json.dumps(DOCUMENT))
        if place:
            changed[key][place] = value
        else:
            changed[key] = value
        page = page_of(URL, json.dumps(changed).encode())
        assert page is not None
        for one in page.platforms.values():
            assert isinstance(one.profile, str)
            assert all(isinstance(text, str) for text in (*one.listeners.values(), *one.can, *one.properties.values()))
