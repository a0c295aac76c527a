"""Requests that find no decision: the server gives up after 10 to 16 s (docs/contracts/thingsboard.md §1.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    REQUEST,
    as_bytes,
    ask,
    expect_refused,
    expect_token,
    session,
)
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, RowMqtt

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "time-out")
GIVES_UP: Final[Sequence[tuple[int, int, tuple[str, ...]]]] = (
    (4, 1, ("PUBACK", "closed")),
    (5, 1, ("PUBACK 0x83", "DISCONNECT 0x83", "closed")),
    (5, 0, ("DISCONNECT 0x83", "closed")),
)
"""(level, QoS, what comes once the server gives up)."""
SLOW: Final = "P*/provision*"
"""`PUBLISH /provision/request`, `POST /api/v1/provision`, `POST coap:/api/v1/provision`."""
TOO_SLOW_S: Final = 14
CODES: Final = {"http": "500", "coap": "5.00"}


def expect_given_up(client: RowClient, requests: Mapping[str, Mapping[str, Any]], *, by_clock: bool = True) -> None:
    """All ask at the same time: each gets the error of its transport, and none gets it at once.

    `requests`: transport -> document. `by_clock`: our own server gives up by its clock, which can be moved.
    """
    waiting = _asked_over_mqtt(client, requests["mqtt"]) if "mqtt" in client.transports else []
    others = [over for over in client.transports if over != "mqtt"]
    answers = client.under_test.waited_for(
        [partial(ask, client, over, requests[over]) for over in others], by_clock=by_clock
    )
    for said in answers:
        expect(f"code and body over {said.over}", (CODES[said.over], b""), (said.code, said.body))
    for connection, lines in waiting:
        connection.expect_heard("after the internal time-out", *client.generation.ending(*lines))


def _asked_over_mqtt(client: RowClient, members: Mapping[str, Any]) -> list[tuple[RowMqtt, tuple[str, ...]]]:
    waiting = []
    for level, qos, lines in GIVES_UP:
        connection = session(client, level, qos=None)
        connection.publish(REQUEST, as_bytes(members), qos)
        connection.expect_open("before the internal time-out")
        waiting.append((connection, lines))
    return waiting


@ROWS.row("S98", "slow-store", "While its store is too slow for it, a server answers with an error; the device "
          "may be there all the same", needs=("slow_store",))  # fmt: skip
def slow_store(client: RowClient) -> None:
    profile = client.profile()
    requests = {over: profile.members(client.name()) for over in client.transports}
    with client.under_test.slow_store(SLOW, TOO_SLOW_S):
        expect_given_up(client, requests, by_clock=False)
    for over, members in requests.items():
        is_there = client.device(members["deviceName"]) is not None
        said = ask(client, over, members)
        if is_there:
            expect_refused(said, FAILURE)
        else:
            expect_token(said)
