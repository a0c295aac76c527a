"""Provisioning over HTTP (docs/contracts/thingsboard.md §1.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.raw_exchange import raw_exchange
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    NOT_FOUND,
    PATH,
    as_bytes,
    ask,
    expect_refused,
    expect_token,
)
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "http")
KINDS: Final = {
    "": "text/plain;charset=UTF-8",
    "*/*": "text/plain;charset=UTF-8",
    "application/json": "application/json",
    "application/xml": "application/xml;charset=UTF-8",
    "*/*; q=0.2, text/html": "text/html;charset=UTF-8",
}
SENT: Final = ("application/json; charset=utf-8", "text/plain", "application/octet-stream")
"""A body is read as text, whatever it says that it is (1.5)."""
TOO_LONG_BYTES: Final = 17 * 1024 * 1024
PIECE_BYTES: Final = 64 * 1024


@ROWS.row("S69", "always-200", "FAILURE and NOT_FOUND are answered with 200")
def always_200(client: RowClient) -> None:
    members = client.profile().members(client.name())
    expect_token(ask(client, "http", members))
    expect_refused(ask(client, "http", members), FAILURE)
    expect_refused(ask(client, "http", {**members, "provisionDeviceSecret": "wrong"}), NOT_FOUND)


@ROWS.row("S70", "methods", "Only POST is allowed")
def methods(client: RowClient) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = client.http.call(method, PATH)
        expect(f"status and Allow of {method}", (405, "POST"), (answer.status, answer.header("Allow")))
    expect("status of OPTIONS", 403, client.http.call("OPTIONS", PATH).status)


@ROWS.row("S94", "accept", "The content type follows Accept; the body is JSON whatever it says")
def accept(client: RowClient) -> None:
    body = as_bytes({"provisionDeviceKey": client.name("k"), "provisionDeviceSecret": "x"})
    for wanted, kind in KINDS.items():
        asked = {"Accept": wanted} if wanted else {}
        answer = client.http.call("POST", PATH, {**asked, "Content-Type": "application/json"}, body)
        expect("the document", client.generation.form.refusal(NOT_FOUND), answer.json())
        expect(f"Content-Type for Accept: {wanted or '(none)'}", kind, answer.header("Content-Type"))
    for sent in SENT:
        answer = client.http.call("POST", PATH, {"Content-Type": sent}, body)
        expect(f"the document for a body of type {sent}", client.generation.form.refusal(NOT_FOUND), answer.json())


@ROWS.row("S95", "odd-bodies", "A form loses its body (500), 17 MiB are too much (413), a slash at the end is 404")
def odd_bodies(client: RowClient) -> None:
    body = as_bytes(client.profile().members(client.name()))
    form = client.http.call("POST", PATH, {"Content-Type": "application/x-www-form-urlencoded"}, body)
    expect("status of a form", 500, form.status)
    slash = client.http.call("POST", f"{PATH}/", {"Content-Type": "application/json"}, body)
    expect("status of a path with a slash at its end", 404, slash.status)
    long = too_long(client)
    expect("status of 17 MiB", 413, long.status)
    expect("the text", '"Payload size exceeds the limit of 16777216 bytes"', long.text)


def too_long(client: RowClient) -> Answer:
    """The answer to 17 MiB, which a real server gives without reading them."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: {client.http.netloc}\r\nContent-Type: application/json\r\n"
    with raw_exchange(client.http, "POST") as exchange:
        exchange.send(f"{head}Content-Length: {TOO_LONG_BYTES}\r\n\r\n".encode())
        exchange.send_until_answered([b"x" * PIECE_BYTES] * (TOO_LONG_BYTES // PIECE_BYTES))
        return exchange.answer()
