"""What no handler sees: URLs that are none to the container, methods and paths that Spring's firewall refuses."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, text

PROVISION = "/api/v1/provision"


@pytest.mark.parametrize(
    "target",
    ["api/v1/provision", f'{PROVISION}?a="', f"{PROVISION}?a={{}}", f"{PROVISION}%2Fa", f"{PROVISION}%00",
     f"{PROVISION}%4", f"{PROVISION}%ff"],
    ids=["no slash first", "quotes", "braces", "an escaped slash", "a zero byte", "half an escape", "no UTF-8"],
)  # fmt: skip
def test_the_container_answers_what_is_no_url_with_its_page(target: str) -> None:
    answer = HttpRig().send("POST", target, b"{}", Content_Type="application/json")
    assert answer.response.status == 400
    assert answer.response.header("Content-Type") == "text/html;charset=utf-8"
    assert "<h1>HTTP Status 400 – Bad Request</h1>" in text(answer)


@pytest.mark.parametrize(
    "path", ["/api//v1/provision", f"{PROVISION};a", f"{PROVISION}%3Ba", "/api/./x", "/api/%2e%2e/x"]
)
def test_a_path_of_two_meanings_is_a_bad_request(path: str) -> None:
    answer = HttpRig().send("POST", path, b"{}", Content_Type="application/json")
    assert (answer.response.status, document(answer)["message"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    ("method", "allow"), [("TRACE", "HEAD, DELETE, POST, GET, OPTIONS, PUT"), ("CONNECT", None), ("post", None)]
)
def test_a_method_that_is_not_let_through_hears_nothing_more(method: str, allow: str | None) -> None:
    answer = HttpRig().send(method, PROVISION)
    assert (answer.response.status, answer.response.body) == (400, b"")
    assert answer.response.header("Allow") == allow


def test_escapes_that_mean_one_thing_pass() -> None:
    assert HttpRig().send("GET", "/api/v1/provisio%6e").response.status == 405
