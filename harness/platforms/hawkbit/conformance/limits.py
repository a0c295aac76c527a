"""The request limiter (docs/contracts/hawkbit.md §3.5): so many requests a second from one address.

Addresses are made up, in the ranges kept for documentation, and told in X-Forwarded-For. A window counts only when all
of it took less than a second as we saw it: then it did for the server as well.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import MissingCapability, expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON, LIMITER_WINDOW_S
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import DOS, LIMITER, resting_on

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "limits")

READS: Final = 202
WRITES: Final = 52
WINDOW_S: Final = 0.95
ATTEMPTS: Final = 5
CONNECTIONS: Final = 8
FILTER: Final = f"{DOS}filter."


@dataclass(frozen=True, slots=True)
class Clients:
    """Several connections that speak for one made-up address at a time."""

    client: RowClient
    connections: Sequence[ExactClient]

    def ask(self, connection: ExactClient, method: str, address: str) -> Answer:
        """A request without credentials: the limiter comes before authentication."""
        path = f"/{self.client.tenant}/controller/v1/{self.client.under_test.prefix}-limits"
        headers = {"X-Forwarded-For": address}
        if method == "GET":
            return connection.call("GET", path, headers)
        return connection.call(method, path + "/configData", {**headers, "Content-Type": JSON}, b"{}")

    def one(self, method: str, address: str) -> Answer:
        return self.ask(self.connections[0], method, address)

    def many(self, method: str, address: str, count: int) -> list[Answer]:
        """The first request alone, since it opens the window, the others over all connections."""

        def share(number: int) -> list[Answer]:
            connection = self.connections[number]
            return [self.ask(connection, method, address) for _ in range(1 + number, count, len(self.connections))]

        first = self.one(method, address)
        with ThreadPoolExecutor(len(self.connections)) as pool:
            return [first, *(answer for part in pool.map(share, range(len(self.connections))) for answer in part)]


@contextmanager
def connected(client: RowClient) -> Iterator[Clients]:
    connections = [client.http.another() for _ in range(CONNECTIONS)]
    try:
        for connection in connections:
            connection.call("GET", f"/{client.tenant}/controller/v1/{client.name('open')}")
        yield Clients(client, connections)
    finally:
        for connection in connections:
            connection.close()


def made_up_address() -> str:
    """A public one of the range kept for documentation."""
    return f"203.0.113.{1 + secrets.randbelow(254)}"


def full_window(connections: Clients, method: str, most: int) -> tuple[str, Answer]:
    """Sends `most` + 1 requests within a second; the last of them comes back, with the address that sent them.

    Raises Mismatch when one of the first is limited already, Missing when a second is too short for them here.
    """
    took_s = 0.0
    for _ in range(ATTEMPTS):
        address, began_s = made_up_address(), time.monotonic()
        statuses = Counter(answer.status for answer in connections.many(method, address, most))
        last = connections.one(method, address)
        took_s = time.monotonic() - began_s
        if took_s < WINDOW_S:
            expect(f"statuses of the first {most} {method} within a second", {401: most}, dict(statuses))
            return address, last
        time.sleep(LIMITER_WINDOW_S)
    raise MissingCapability(
        f"the speed that this takes: {most + 1} {method} lasted {took_s:.1f} s, the limiter counts for one"
    )


def expect_limited(answer: Answer, most: int) -> None:
    """Nobody outside can tell a limiter that is switched off from one that does not work."""
    method = answer.request.partition(" ")[0]
    expect(f"status of {method} number {most + 1} within a second", 429, answer.status)
    expect_bare(answer, 429)
    expect("Retry-After of the 429", None, answer.header("Retry-After"))


@ROWS.row("S60", "reads", "202 reads a second pass, the next is a bare 429; other addresses and later seconds are free")
def reads(client: RowClient) -> None:
    with connected(client) as connections, tolerating_proxies(client, "addresses in X-Forwarded-For"):
        with resting_on({**LIMITER, f"{FILTER}maxRead": str(READS - 2)}):
            address, last = full_window(connections, "GET", READS)
            expect_limited(last, READS)
        expect("status of a write, which is counted apart", 401, connections.one("PUT", address).status)
        other = connections.one("GET", other_than(address))
        expect("status of a read from another address", 401, other.status)
        time.sleep(LIMITER_WINDOW_S)
        expect("status of a read after a second", 401, connections.one("GET", address).status)


@ROWS.row("S61", "writes", "52 writes a second pass, the next is a bare 429; reads are counted apart")
def writes(client: RowClient) -> None:
    with connected(client) as connections, tolerating_proxies(client, "addresses in X-Forwarded-For"):
        with resting_on({**LIMITER, f"{FILTER}maxWrite": str(WRITES - 2)}):
            address, last = full_window(connections, "PUT", WRITES)
            expect_limited(last, WRITES)
        expect("status of a read", 401, connections.one("GET", address).status)


def other_than(address: str) -> str:
    return address.replace("203.0.113.", "198.51.100.")
