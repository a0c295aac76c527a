"""Many devices at the same time (docs/contracts/hono.md §2.3, §2.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import post
from fleetrig.harness.platforms.hono.conformance.issuing import D1, D1_AUTH_ID
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.harness.platforms.hono.conformance.templates import BY_CN
from fleetrig.simulator.contract.identity import ClientCertificate

ROWS: Final[Resource[RowClient]] = Resource("hono", "crowd")
NEEDS: Final = ("https", "current")
EVERY: Final = ("https", "countable")
AT_A_TIME: Final = 20
LOST: Final = {"409", "500"}
"""What a Hono tells who comes at the same time as another one."""
RETRIES: Final = 2


def post_at_once(client: RowClient, shown: Sequence[ClientCertificate]) -> list[str]:
    """Over HTTPS, each on a connection of its own."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(lambda one: post(client, one), shown))


@ROWS.row("A28", "one-device", "20 first contacts at once of one device are accepted (Hono: after two retries), and "
          "one device has its credentials (Hono: the others leave devices without)", needs=EVERY)  # fmt: skip
def one_device(client: RowClient) -> None:
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted()), authority.device()
    expect_accepted_in_the_end(client, shown)
    found = [client.credentials(tenant, one["id"]) for one in client.devices_of(tenant)]
    expect("credentials", [D1_AUTH_ID], [entry["auth-id"] for entries in found for entry in entries])
    if len(found) > 1:
        client.expect_known("devices without credentials", True, lambda one: one.leaves_orphans)


def expect_accepted_in_the_end(client: RowClient, shown: ClientCertificate) -> None:
    statuses = post_at_once(client, [shown] * AT_A_TIME)
    expect_that("202" in statuses and set(statuses) <= {"202", *LOST}, "202 at least once, else 409 or 500", statuses)
    are_refused = set(statuses) != {"202"}
    imitates_losers = not client.under_test.is_foreign and client.generation.leaves_orphans
    if are_refused or imitates_losers:
        client.expect_known("contacts that are refused", are_refused, lambda one: one.loses_races)
    losers = len(statuses) - statuses.count("202")
    for _ in range(RETRIES):
        again = post_at_once(client, [shown] * losers) if losers else []
        losers -= again.count("202")
    expect("refused after two retries", 0, losers)


def post_until_there_is_time(client: RowClient, shown: Sequence[ClientCertificate]) -> list[str]:
    """Who is told 503 comes again, twice: a real Hono may be too busy for so many."""
    statuses = post_at_once(client, shown)
    for _ in range(RETRIES):
        again = [at for at, status in enumerate(statuses) if status == "503"]
        for at, status in zip(again, post_at_once(client, [shown[at] for at in again]), strict=True):
            statuses[at] = status
    return statuses


@ROWS.row("A29", "many-devices", "1000 devices, 20 at a time, are provisioned each for itself", needs=NEEDS)
def many_devices(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(**BY_CN))
    names = [f"device-{number}" for number in range(client.under_test.crowd)]
    shown = [authority.device((*D1[:2], ("CN", name))) for name in names]
    expect("statuses", {"202": len(names)}, dict(Counter(post_until_there_is_time(client, shown))))
    expect("devices", len(names), client.document(f"/devices/{tenant}?pageSize=1")["total"])
    for name in names:
        found = [entry["auth-id"] for entry in client.credentials(tenant, f"dev-{name}")]
        expect(f"credentials of dev-{name}", [f"CN={name},OU=iot,O=ACME"], found)
