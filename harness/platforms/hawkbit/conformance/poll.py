"""The poll: what a device is told, in which form, and what asking does (docs/contracts/hawkbit.md §2.1)."""

from __future__ import annotations

import hashlib
import time
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_headers,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    CBOR,
    DDI_TYPES,
    HAL,
    POLL_TIME_WITHIN_S,
    SLEEP,
    config_data,
    device,
    expect_cbor,
    expect_framework_error,
    expect_poll,
    names_in,
    put_attributes,
)
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import behind_proxy, tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "poll")

TICK_S: Final = 0.02
"""Long enough for a clock of milliseconds to move."""


@ROWS.row("S70", "fresh", "A fresh target is told to sleep five minutes and to send its attributes")
def fresh(client: RowClient) -> None:
    target = device(client)
    links = config_data(client, target.controller_id)

    def told() -> None:
        document = expect_document(client.poll(target))
        expect_poll(document, SLEEP, links)
        if not behind_proxy(client):
            expect_our_address(client, document["_links"]["configData"]["href"])

    client.until(CACHE_WITHIN_S, told)


def expect_our_address(client: RowClient, href: str) -> None:
    """Links begin with scheme and host of the request."""
    ours, theirs = urlsplit(client.http.url), urlsplit(href)
    got = f"{theirs.scheme}://{theirs.netloc}"
    same = (ours.scheme, ours.hostname, ours.port or 80) == (theirs.scheme, theirs.hostname, theirs.port or 80)
    expect_that(same, f"a link that begins with {ours.scheme}://{ours.netloc}, the host that was asked", got)


@ROWS.row("S71", "nothing-to-do", "A device that has told its attributes and has nothing to do gets no _links at all")
def nothing_to_do(client: RowClient) -> None:
    target = device(client)
    expect_poll(expect_document(client.poll(target)), SLEEP, config_data(client, target.controller_id))
    expect_bare(put_attributes(client, target, {"data": {"a": "b"}}))
    expect_poll(expect_document(client.poll(target)), SLEEP, {})
    expect("requestAttributes", False, client.record(target.controller_id)["requestAttributes"])


@ROWS.row("S72", "not-modified", "A poll with the ETag of the last is a bare 304, and counts as a poll all the same")
def not_modified(client: RowClient) -> None:
    target = device(client)
    first = client.poll(target)
    etag = expect_tag(first)
    polled_ms = last_poll_ms(client, target)
    time.sleep(TICK_S)
    expect_304(asked_with(client, target, etag), etag)

    def moved() -> None:
        now_ms = client.record(target.controller_id)["lastControllerRequestAt"]
        expect_that(now_ms > polled_ms, f"lastControllerRequestAt after {polled_ms}", now_ms)

    client.until(POLL_TIME_WITHIN_S, moved)
    for tag in (f"W/{etag}", f'"x", {etag}'):
        expect_304(asked_with(client, target, tag), etag)
    for tag in ("*", f'"0{"0" * 32}"'):
        answer = asked_with(client, target, tag)
        expect(f"status with If-None-Match: {tag}", 200, answer.status)
        expect(f"body with If-None-Match: {tag}", first.text, answer.text)
        expect(f"ETag with If-None-Match: {tag}", etag, answer.header("ETag"))


def expect_tag(answer: Answer) -> str:
    """The tag made from the body: `"0`, its md5, `"`."""
    expect_document(answer)
    etag = f'"0{hashlib.md5(answer.body, usedforsecurity=False).hexdigest()}"'
    expect("ETag of the poll", etag, answer.header("ETag"))
    return etag


def asked_with(client: RowClient, target: Target, tag: str) -> Answer:
    return client.poll(target, headers={"If-None-Match": tag})


def expect_304(answer: Answer, etag: str) -> None:
    expect_bare(answer, 304)
    gone = dict.fromkeys(("Cache-Control", "Pragma", "Expires", "Content-Type"))
    expect_headers(answer, {"ETag": etag, **gone})


def last_poll_ms(client: RowClient, target: Target) -> int:
    """When the device polled last, as soon as the server says so."""

    def shown() -> None:
        last = client.record(target.controller_id).get("lastControllerRequestAt")
        expect_that(isinstance(last, int), "lastControllerRequestAt: a time", last)

    client.until(POLL_TIME_WITHIN_S, shown)
    polled_ms: int = client.record(target.controller_id)["lastControllerRequestAt"]
    return polled_ms


@ROWS.row("S73", "media-types", "A poll comes as HAL, JSON or CBOR; any other type is a bare 406")
def media_types(client: RowClient) -> None:
    target = device(client)
    expect_bare(put_attributes(client, target, {"data": {"a": "b"}}))
    asked = {JSON: JSON, HAL: HAL, "*/*": HAL, "application/*": HAL, "text/html,*/*;q=0.8": HAL}
    for accept, given in asked.items():
        answer = client.poll(target, headers={"Accept": accept})
        expect_poll(expect_document(answer), SLEEP, {})
        expect_type(answer, given)
    cbor: Any = expect_cbor(client.poll(target, headers={"Accept": CBOR}))
    expect("the poll in CBOR", {"config": {"polling": {"sleep": SLEEP}}, "links": []}, cbor)
    for accept in ("application/xml", "text/plain"):
        answer = expect_bare(client.poll(target, headers={"Accept": accept}), 406)
        expect(f"Accept of the 406 for {accept}", DDI_TYPES, names_in(answer.header("Accept")))


@ROWS.row("S74", "methods", "The root is for GET and HEAD; OPTIONS names them, any other method is a 405 with Allow")
def methods(client: RowClient) -> None:
    target = device(client)
    path = target.controller_id
    before = client.record(path)
    auth = f"TargetToken {target.token}"
    for method in ("POST", "PUT", "DELETE"):
        answer = client.ddi(method, path, auth=auth, body=b"")
        expect_framework_error(answer, 405, "Method Not Allowed")
        expect_type(answer, JSON)
        expect(f"Allow of {method}", {"GET"}, names_in(answer.header("Allow")))
    expect("the target afterwards", before, client.record(path))
    expect_bare(client.ddi("HEAD", path, auth=auth))
    with tolerating_proxies(client, "answers to OPTIONS"):
        options = client.ddi("OPTIONS", path, auth=auth)
        expect("status of OPTIONS", 200, options.status)
        expect("Allow of OPTIONS", {"GET", "HEAD", "OPTIONS"}, names_in(options.header("Allow")))
