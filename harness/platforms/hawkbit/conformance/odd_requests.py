"""HTTP that few clients speak and servers must understand (S136)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.raw_exchange import raw_exchange
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON, tt
from fleetrig.harness.platforms.hawkbit.conformance.attributes import attributes
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import SLEEP, config_data, device, expect_poll
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import behind_proxy, tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import EVERY_HOST, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "requests")

INTERIM_WITHIN_S: Final = 15.0
LOOPBACK: Final = "http://127.0.0.1"
LOCALHOST: Final = re.compile(r"localhost(:\d+)?")


@ROWS.row(
    "S136",
    "odd-http",
    "Chunks, 100-continue and HTTP/1.0 are understood; TRACE and unknown methods are refused",
)
def odd_http(client: RowClient) -> None:
    target = device(client)
    expect_bare(in_chunks(client, target, [b'{"data":', b'{"a":"', b'chunked"}}']))
    expect("attributes sent in chunks", {"a": "chunked"}, attributes(client, target))
    with tolerating_proxies(client, "Expect, HTTP/1.0 and odd methods"):
        expect_bare(after_100(client, target, b'{"data":{"a":"awaited"}}'))
        expect("attributes sent after a 100", {"a": "awaited"}, attributes(client, target))
        client.mgmt("PUT", f"/targets/{target.controller_id}", {"requestAttributes": True})
        with resting_on(EVERY_HOST):
            expect_without_host(client, target)
        for method, status in (("TRACE", client.generation.trace_status), ("BREW", 400)):
            expect(f"status of {method}", status, client.ddi(method, target.controller_id, auth=tt(target)).status)


def root(client: RowClient, target: Target) -> str:
    return f"/{client.tenant}/controller/v1/{target.controller_id}"


def in_chunks(client: RowClient, target: Target, pieces: list[bytes]) -> Answer:
    """A body whose length nobody knows beforehand."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    headers = {"Authorization": tt(target), "Content-Type": JSON, "Transfer-Encoding": "chunked"}
    return client.call("PUT", root(client, target) + "/configData", headers, body)


def after_100(client: RowClient, target: Target, body: bytes) -> Answer:
    """A body that is sent only when the server has asked for it."""
    connection = client.http
    with raw_exchange(connection, "PUT") as exchange:
        lines = (
            f"PUT {connection.prefix}{root(client, target)}/configData HTTP/1.1", f"Host: {connection.netloc}",
            f"Authorization: {tt(target)}", f"Content-Type: {JSON}", f"Content-Length: {len(body)}",
            "Expect: 100-continue", "Connection: close",
        )  # fmt: skip
        exchange.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        interim = exchange.interim(INTERIM_WITHIN_S)
        expect_that(interim.startswith("HTTP/1.1 100"), "an interim answer HTTP/1.1 100", interim)
        exchange.send(body)
        return exchange.answer()


def expect_without_host(client: RowClient, target: Target) -> None:
    """HTTP/1.0 needs no Host; then links name the server as its own socket does."""
    connection = client.http
    with raw_exchange(connection, "GET") as exchange:
        lines = (f"GET {connection.prefix}{root(client, target)} HTTP/1.0", f"Authorization: {tt(target)}")
        exchange.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        document = expect_document(exchange.answer())
    expect_poll(document, SLEEP, config_data(client, target.controller_id))
    # Seen from elsewhere the socket has another name, and behind a tunnel another port than ours.
    if client.record(target.controller_id)["address"] == LOOPBACK and not behind_proxy(client):
        host = urlsplit(document["_links"]["configData"]["href"]).netloc
        expect_that(LOCALHOST.fullmatch(host), "host of a link: localhost and the server's port", host)
