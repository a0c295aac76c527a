"""Many requests at the same time (docs/contracts/thingsboard.md §1.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import PATH, Said, as_bytes, expect_token
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "crowd")
AT_A_TIME: Final = 20


def ask_at_once(client: RowClient, requests: Sequence[Mapping[str, Any]]) -> list[Said]:
    """Over HTTP, each on a connection of its own."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(lambda members: _ask_alone(client, members), requests))


def _ask_alone(client: RowClient, members: Mapping[str, Any]) -> Said:
    http = client.http.another()
    try:
        answer = http.call("POST", PATH, {"Content-Type": "application/json"}, as_bytes(members))
    finally:
        http.close()
    return Said("http", str(answer.status), answer.body, client.generation.form)


@ROWS.row("S49", "one-name", "Of 20 requests at once for one new name exactly one is answered with SUCCESS")
def one_name(client: RowClient) -> None:
    profile, name = client.profile("A"), client.name()
    answers = ask_at_once(client, [profile.members(name)] * 20)
    expect("results", {"SUCCESS": 1, "FAILURE": 19}, dict(Counter(one.status for one in answers)))
    expect("devices", 1, len(client.devices_of(profile.name)))


@ROWS.row("S50", "many-names", "100 requests at once for different names give 100 different tokens")
def many_names(client: RowClient) -> None:
    profile = client.profile("A")
    answers = ask_at_once(client, [profile.members(client.name()) for _ in range(100)])
    expect("distinct tokens", 100, len({expect_token(one) for one in answers}))
    expect("devices", 100, len(client.devices_of(profile.name)))
