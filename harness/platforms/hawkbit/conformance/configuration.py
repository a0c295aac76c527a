"""The tenant's configuration (docs/contracts/hawkbit.md §1.6, §2.2)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_headers,
    expect_link,
)
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S, admitted, no_content
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE
from fleetrig.harness.platforms.hawkbit.conformance.polling_range import clock, need_range, polling_range_s
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target
from fleetrig.harness.platforms.hawkbit.settings import (
    HEADER_AUTHORITY,
    POLLING_OVERDUE_TIME,
    POLLING_TIME,
    TARGET_MODE,
)

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "configuration")

POLL_COUNT: Final = "maintenanceWindowPollCount"
NO_KEY: Final = "nosuch.key"
AUDIT: Final = ("createdBy", "createdAt", "lastModifiedBy", "lastModifiedAt")


def document(client: RowClient, key: str) -> dict[str, Any]:
    found: dict[str, Any] = expect_document(client.mgmt("GET", f"/system/configs/{key}"))
    return found


def put(client: RowClient, key: str, value: object) -> Answer:
    return client.mgmt("PUT", f"/system/configs/{key}", {"value": value})


def expect_set(client: RowClient, key: str, value: object, stored: object) -> None:
    """The value is taken, and this is what is kept of it; up to 0.9 the answer is the new value."""
    answer = put(client, key, value)
    if key == POLLING_TIME:
        need_range(answer, value)
    if client.generation.config_change_answers:
        expect(f"the answer to {key} = {value!r}", stored, expect_document(answer).get("value"))
    else:
        expect_bare(answer, 204)

    def kept() -> None:
        found = document(client, key)
        expect_keys(f"{key} after a change", ["value", "global", "_links", *AUDIT], found)
        expect_has(key, {"value": stored, "global": False}, found)
        expect_link("_links.self", found["_links"]["self"]["href"], f"/rest/v1/system/configs/{key}")

    client.until(CACHE_WITHIN_S, kept)


def expect_converted(client: RowClient, key: str, written: str, value: object) -> None:
    """Text is taken for what it says; where nothing is converted, it is refused and the value itself taken."""
    if not client.generation.config_values_are_converted:
        expect_refused(client, key, written)
    expect_set(client, key, written if client.generation.config_values_are_converted else value, value)


def expect_refused(client: RowClient, key: str, value: object) -> dict[str, Any]:
    """A wrong value changes nothing; gives the error."""
    before = document(client, key)
    error = expect_error(put(client, key, value), 400, "configValueInvalid")
    expect(f"{key} after {value!r} was refused", before, document(client, key))
    return error


@ROWS.row("S76", "polling-range", "A polling time that is none, or out of the server's range, is refused")
def polling_range(client: RowClient) -> None:
    client.settings.will_change([POLLING_TIME])
    least_s, most_s = polling_range_s(expect_refused(client, POLLING_TIME, "00:00:00"))
    for wrong in (clock(least_s - 1), clock(most_s + 1), "x", ""):
        expect_refused(client, POLLING_TIME, wrong)


@ROWS.row("S127", "values", "Wrong values are refused, a bulk as a whole; from 1.0 on those that can be are converted")
def values(client: RowClient) -> None:
    client.settings.will_change([TARGET_MODE, POLL_COUNT])
    expect_converted(client, TARGET_MODE, "true", True)
    read = client.mgmt("GET", f"/system/configs/{TARGET_MODE}")
    expect_headers(read, {"Content-Disposition": "inline;filename=f.txt"})  # `.enabled` is no extension it knows
    for key, wrong in ((TARGET_MODE, "maybe"), (TARGET_MODE, 1), (POLL_COUNT, "abc")):
        expect_refused(client, key, wrong)
    expect_converted(client, POLL_COUNT, "4", 4)
    unknown = f"The given configuration key {NO_KEY} does not exist."
    for answer in (put(client, NO_KEY, "x"), client.mgmt("GET", f"/system/configs/{NO_KEY}")):
        expect_error(answer, 400, "configKeyInvalid", message=unknown)
    bulk = {POLL_COUNT: 7, NO_KEY: 1}
    expect_error(client.mgmt("PUT", "/system/configs", bulk), 400, "configKeyInvalid", message=unknown)
    expect_has(f"{POLL_COUNT} after a refused bulk", {"value": 4, "global": False}, document(client, POLL_COUNT))
    bulk_and_back(client)


def bulk_and_back(client: RowClient) -> None:
    """Several values at once, and one of them back to its default."""
    several = client.mgmt("PUT", "/system/configs", {POLL_COUNT: 5, TARGET_MODE: True})
    expect(f"status of {several.request}", no_content(client), several.status)

    def changed() -> None:
        expect_has(f"{POLL_COUNT} after a bulk", {"value": 5, "global": False}, document(client, POLL_COUNT))

    client.until(CACHE_WITHIN_S, changed)
    expect_bare(client.mgmt("DELETE", f"/system/configs/{POLL_COUNT}"), no_content(client))

    def is_default() -> None:
        left = document(client, POLL_COUNT)
        expect_keys(f"{POLL_COUNT} after its deletion", ["value", "global", "_links"], left)
        expect(f"global of {POLL_COUNT}", True, left["global"])

    client.until(CACHE_WITHIN_S, is_default)


@ROWS.row("S139", "odd-polling-times", "From 0.10 on a polling time may begin with a minus or be a number of seconds")
def odd_polling_times(client: RowClient) -> None:
    client.settings.switch_target_tokens_on()
    target = client.target()
    admitted(client, target)
    client.settings.will_change([POLLING_TIME])
    if client.generation.polling_time_is_plain:  # There it was a plain HH:mm:ss.
        expect_refused(client, POLLING_TIME, "-00:01:00")
        expect_refused(client, POLLING_TIME, 300)
        return
    expect_set(client, POLLING_TIME, "-00:01:00", "-00:01:00")
    expect_sleep(client, target, "00:01:00")
    expect_set(client, POLLING_TIME, 300, "300")
    expect_sleep(client, target, "00:05:00")


def expect_sleep(client: RowClient, target: Target, sleep: str) -> None:
    """What the device is told, once the server's cache has let go of the former value."""

    def told() -> None:
        expect("config.polling.sleep", sleep, expect_document(client.poll(target))["config"]["polling"]["sleep"])

    client.until(CACHE_WITHIN_S, told)


CONVERTED: Final[tuple[tuple[str, object, object], ...]] = (
    (POLL_COUNT, 4.0, 4), (POLL_COUNT, [6], 6), (POLL_COUNT, "0x10", 16), (TARGET_MODE, " TRUE ", True),
    (HEADER_AUTHORITY, ["a", 7], "a,7"), (HEADER_AUTHORITY, True, "true"),
    (POLLING_OVERDUE_TIME, "PT1M", "PT1M"), (POLLING_OVERDUE_TIME, "90", "90"),
)  # fmt: skip
"""Key, a value of another type, and what is kept of it."""
UNCONVERTED: Final[tuple[tuple[str, object], ...]] = (
    (POLL_COUNT, []), (POLL_COUNT, ""), (POLL_COUNT, {"a": 1}), (POLL_COUNT, True), (TARGET_MODE, [1]),
    (POLL_COUNT, 2**40), (TARGET_MODE, None), (POLLING_OVERDUE_TIME, "PT-1S"),
    (POLLING_TIME, "00:01:00, colour==red -> 00:02:00"),
)  # fmt: skip
OF_OTHER_TYPE: Final[tuple[tuple[str, object], ...]] = (
    (POLL_COUNT, [5]), (TARGET_MODE, "true"), (HEADER_AUTHORITY, 7), (POLLING_OVERDUE_TIME, "PT5M"),
)  # fmt: skip


@ROWS.row("S185", "conversions", "A value of another type is taken for what it says, or refused; never half of it")
def conversions(client: RowClient) -> None:
    client.settings.will_change([TARGET_MODE, POLL_COUNT, POLLING_OVERDUE_TIME, HEADER_AUTHORITY])
    if not client.generation.config_values_are_converted:
        for key, wrong in OF_OTHER_TYPE:
            expect_refused(client, key, wrong)
        return
    for key, value, stored in CONVERTED:
        expect_set(client, key, value, stored)
    for key, wrong in UNCONVERTED:
        before = document(client, key)
        expect(f"status of {key} = {wrong!r}", 400, put(client, key, wrong).status)
        expect(f"{key} after {wrong!r} was refused", before, document(client, key))
    expect_error(put(client, POLLING_OVERDUE_TIME, "soon"), 400, NOT_READABLE)
    set_type = client.settings.read("default.ds.type")
    expect_error(put(client, "default.ds.type", "os"), 400, "configValueInvalid")
    expect("default.ds.type", set_type, client.settings.read("default.ds.type"))
