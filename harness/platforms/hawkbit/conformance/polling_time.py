"""How often devices are told to poll, and when they are overdue (docs/contracts/hawkbit.md §2.2)."""

from __future__ import annotations

import time
from typing import Any, Final

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.configuration import expect_refused, put
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S, no_content
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    SLEEP,
    device,
)
from fleetrig.harness.platforms.hawkbit.conformance.polling_range import clock, need_range, polling_range_s
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target
from fleetrig.harness.platforms.hawkbit.settings import POLLING_OVERDUE_TIME, POLLING_TIME
from fleetrig.harness.verdict import Finding

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "polling-time")

PATH: Final = f"/system/configs/{POLLING_TIME}"
POLLS: Final = 200
DIFFERENT: Final = 20
FASTEST: Final = (("00:00:01", "00:00:01", 1, 1), ("00:00:30", "00:00:05", 30, 5), ("00:00:30", "00:00:30", 30, 30))
"""Interval and tolerance as text and in seconds: as fast as the server lets us."""


def accept(client: RowClient, value: object) -> None:
    """A polling time that the server must take."""
    answer = put(client, POLLING_TIME, value)
    need_range(answer, value)
    expect(f"status of PUT pollingTime {value!r}", no_content(client), answer.status)


def refuse(client: RowClient, value: object, code: str = "configValueInvalid") -> None:
    """A polling time that the server must not take; what there was stays."""
    before = expect_document(client.mgmt("GET", PATH))
    answer = put(client, POLLING_TIME, value)
    expect(f"status of PUT pollingTime {value!r}", 400, answer.status)
    expect_error(answer, 400, code)
    expect(f"pollingTime after the refusal of {value!r}", before, expect_document(client.mgmt("GET", PATH)))


def sleep_of(client: RowClient, target: Target) -> str:
    sleep: str = expect_document(client.poll(target))["config"]["polling"]["sleep"]
    return sleep


def expect_sleep(client: RowClient, target: Target, sleep: str) -> None:
    """What the device is told, once a change is seen by devices."""
    client.until(CACHE_WITHIN_S, lambda: expect("config.polling.sleep", sleep, sleep_of(client, target)))


def is_plain(client: RowClient) -> bool:
    """Before 0.10 a polling time was HH:mm:ss and nothing else."""
    return client.generation.polling_time_is_plain


@ROWS.row("S75", "set", "Devices are told the polling time of the tenant, however its interval was written")
def set_time(client: RowClient) -> None:
    target = device(client)
    client.settings.will_change([POLLING_TIME])
    accept(client, "00:02:00")
    expect_sleep(client, target, "00:02:00")
    shown = expect_document(client.mgmt("GET", PATH))
    expect("value and global", ("00:02:00", False), (shown["value"], shown["global"]))
    expect_bare(client.mgmt("DELETE", PATH), no_content(client))
    expect("global after DELETE", True, expect_document(client.mgmt("GET", PATH))["global"])
    if is_plain(client):
        return
    for written, sleep in (("PT2M", "00:02:00"), ("03:00", "00:03:00"), ("120", "00:02:00"), ("PT1H30M", "01:30:00")):
        accept(client, written)
        expect_sleep(client, target, sleep)


@ROWS.row(
    "S77", "overrides", "From 0.10 on targets get the interval of an override that they match, of several the first"
)
def overrides(client: RowClient) -> None:
    first, second = client.name("one"), client.name("two")
    written = (f"00:05:00, group == '{first}' -> 00:02:00, group == '{second}' -> 00:03:00, "
               f"group == '{first}' -> 00:04:00")  # fmt: skip
    plain = device(client)
    client.settings.will_change([POLLING_TIME])
    if is_plain(client):
        refuse(client, written)
        return
    one, two = device(client, group=first), device(client, group=second)
    accept(client, written)
    for target, sleep in ((one, "00:02:00"), (two, "00:03:00"), (plain, "00:05:00")):
        expect_sleep(client, target, sleep)
    refuse(client, "00:05:00, nosuch == 'x' -> 00:02:00", "rest.param.rsqlInvalidField")
    least_s, _ = polling_range_s(expect_refused(client, POLLING_TIME, "00:00:00"))
    refuse(client, f"00:05:00, group == '{first}' -> {clock(least_s - 1)}")


@ROWS.row("S78", "spread", "From 0.10 on the server spreads what it tells within a deviation, if there is one")
def spread(client: RowClient) -> None:
    target = device(client)
    client.settings.will_change([POLLING_TIME])
    if is_plain(client):
        refuse(client, "00:10:00~10%")
        return
    accept(client, "00:10:00~10%")

    def seen() -> None:
        expect_that(sleep_of(client, target) != SLEEP, "another sleep than before", SLEEP)

    client.until(CACHE_WITHIN_S, seen)
    told = {sleep_of(client, target) for _ in range(POLLS)}
    outside = sorted(sleep for sleep in told if not "00:09:00" <= sleep <= "00:11:00")
    expect("sleeps beyond 10 percent of ten minutes", [], outside)
    expect_that(len(told) >= DIFFERENT, f"at least {DIFFERENT} different sleeps in {POLLS} polls", f"{len(told)}")
    for wrong in ("00:10:00~100%", "00:10:00~10", "00:10:00~-5%"):
        refuse(client, wrong)


@ROWS.row("S79", "overdue", "A device that stays away is overdue, which changes nothing else")
def overdue(client: RowClient) -> None:
    target = device(client)
    interval_s, tolerance_s = fastest(client)
    began_s, ended_s = polled(client, target, interval_s)
    state = client.record(target.controller_id)["updateStatus"]
    expect("updateStatus of a target that polled", "registered", state)
    for after_s in (0.0, interval_s + tolerance_s / 4):
        sleep_until(began_s + after_s)
        status = poll_status(client, target)
        # Only an answer that came in time can say so.
        if time.monotonic() - began_s < interval_s + tolerance_s:
            expect(f"overdue {after_s:g} s after a poll", False, status["overdue"])

    def late() -> None:
        what = f"overdue after more than {interval_s} + {tolerance_s} s"
        expect(what, True, poll_status(client, target)["overdue"])

    sleep_until(ended_s + interval_s + tolerance_s)
    client.until(CACHE_WITHIN_S, late)
    expect("updateStatus of an overdue target", state, client.record(target.controller_id)["updateStatus"])


def polled(client: RowClient, target: Target, interval_s: int) -> tuple[float, float]:
    """When a poll began and ended, after which the next is expected in time."""
    times_s = (0.0, 0.0)

    def on_time() -> None:
        nonlocal times_s
        began_s = time.monotonic()
        expect_document(client.poll(target))
        times_s = began_s, time.monotonic()
        status = poll_status(client, target)
        until_next_ms = status["nextExpectedRequestAt"] - status["lastRequestAt"]
        expect("ms until the next poll is expected", interval_s * 1000, until_next_ms)

    client.until(CACHE_WITHIN_S, on_time)
    return times_s


def sleep_until(moment_s: float) -> None:
    time.sleep(max(0.0, moment_s - time.monotonic()))


def fastest(client: RowClient) -> tuple[int, int]:
    """Sets the shortest interval and tolerance that this server takes; gives them in seconds."""
    client.settings.will_change([POLLING_TIME, POLLING_OVERDUE_TIME])
    answer = None
    for interval, tolerance, interval_s, tolerance_s in FASTEST:
        answer = client.mgmt("PUT", "/system/configs", {POLLING_TIME: interval, POLLING_OVERDUE_TIME: tolerance})
        if answer.status == no_content(client):
            return interval_s, tolerance_s
    if answer is not None:
        need_range(answer, FASTEST[-1][0])
    raise Mismatch(Finding(f"the server takes an interval of {FASTEST[-1][0]}", f"{answer and answer.status}"))


def poll_status(client: RowClient, target: Target) -> dict[str, Any]:
    status: dict[str, Any] = client.record(target.controller_id).get("pollStatus", {})
    expect_keys("pollStatus", ["lastRequestAt", "nextExpectedRequestAt", "overdue"], status)
    return status
