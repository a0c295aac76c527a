"""Maintenance windows: a device is told early enough, and when it may install (§1.4, §2.2, §2.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import MissingCapability, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.configuration import expect_refused
from fleetrig.harness.platforms.hawkbit.conformance.deployment import expect_deployment
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import (
    Deployment,
    deployed,
    server_now_ms,
    unassigned,
)
from fleetrig.harness.platforms.hawkbit.conformance.polling_range import clock, polling_range_s
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.settings import POLLING_TIME

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "windows")

INTERVAL: Final = "00:05:00"
POLLS_BEFORE: Final = 3
LEAD_MS: Final = 600_000
LONGEST_SLEEP: Final = "00:03:20"
"""A third of the lead."""
SHORTEST_SLEEP: Final = "00:03:00"
"""What is left of it on a server that takes a minute for the row's first requests."""

FORMS: Final = (
    "0 0 3 ? * *", "0 0/15 3-5 ? * MON-FRI", "0 0,30 3 L * ?", "0 0 3 LW * ?", "0 0 3 15W * ?", "0 0 3 L-3 * ?",
    "0 0 3 ? * 6L", "0 0 3 ? * 6#3", "0 0 3 ? * L", "0 0 3 1,15 JAN-MAR,DEC ? 2090/2", "*/10 * * * * ?",
)  # fmt: skip
NO_FORMS: Final = (
    "0 0 3 * *", "0 0 3 * * *", "0 0 3 ? * ?", "60 0 3 ? * *", "0 0 25 ? * *", "0 0 3 ? * FUN", "0 0/0 3 ? * *",
    "0 0 3 32 * ?", "0 0 3 ? * * 1999", "every day",
)  # fmt: skip


def window(start_ms: int, duration: str) -> dict[str, str]:
    """A window that opens once, at this moment of the server's clock (to the second below)."""
    moment = datetime.fromtimestamp(start_ms // 1000, tz=UTC)
    schedule = f"{moment.second} {moment.minute} {moment.hour} {moment.day} {moment.month} ? {moment.year}"
    return {"schedule": schedule, "duration": duration, "timezone": "+00:00"}


def deployed_in(client: RowClient, lead_ms: int, duration: str) -> tuple[Deployment, dict[str, str]]:
    """A deployment whose window opens `lead_ms` from now; the intervals that the row reckons with are set."""
    client.settings.change({POLLING_TIME: INTERVAL, "maintenanceWindowPollCount": POLLS_BEFORE})
    chosen = window(server_now_ms(client) + lead_ms, duration)
    return deployed(client, maintenanceWindow=chosen), chosen


def need_interval(client: RowClient, interval: str) -> None:
    """Raises MissingCapability where no device is told to sleep as short as this."""
    client.settings.will_change([POLLING_TIME])
    least_s, _ = polling_range_s(expect_refused(client, POLLING_TIME, "00:00:00"))
    if interval < clock(least_s):
        raise MissingCapability(
            f"leave to poll every {interval}: hawkbit.controller.minPollingTime is {clock(least_s)}"
        )


def sleep_of(one: Deployment) -> str:
    text: str = expect_document(one.device("GET"))["config"]["polling"]["sleep"]
    return text


@ROWS.row("S112", "closed", "Before its window opens a device polls more often, and may download only")
def closed(client: RowClient) -> None:
    one, chosen = deployed_in(client, LEAD_MS, "00:10:00")
    need_interval(client, SHORTEST_SLEEP)
    sleep = sleep_of(one)
    expect_that(SHORTEST_SLEEP <= sleep <= LONGEST_SLEEP, f"sleep: about {LONGEST_SLEEP}", sleep)
    document = one.document()
    expect_deployment(document, one.update, download="forced", update="skip", maintenanceWindow="unavailable")
    expect_has("maintenanceWindow of the action", chosen, one.action()["maintenanceWindow"])
    for bad in ({**chosen, "schedule": "0 0 0 1 1 ? 2020"}, {"schedule": "0 0 3 ? * *"}):
        refuse(client, one, bad)


def refuse(client: RowClient, one: Deployment, bad: dict[str, Any]) -> None:
    """A window that lies in the past, or of which only a part is given."""
    path, nobody = f"/distributionsets/{one.update.set_id}/assignedTargets", client.target()
    answer = client.mgmt("POST", path, [{"id": nobody.controller_id, "maintenanceWindow": bad}])
    expect_error(answer, 400, "maintenanceScheduleInvalid")
    actions = expect_document(client.mgmt("GET", f"/targets/{nobody.controller_id}/actions"))
    expect("number of actions after the refusal", 0, actions["total"])


@ROWS.row("S113", "open", "In an open window the device may install")
def opened(client: RowClient) -> None:
    one, _ = deployed_in(client, -LEAD_MS, "01:00:00")
    expect("sleep", INTERVAL, sleep_of(one))
    expect_deployment(one.document(), one.update, download="forced", update="forced", maintenanceWindow="available")


@ROWS.row("S184", "schedules", "Schedules may have every form that Quartz knows; what it does not know is a 400")
def schedules(client: RowClient) -> None:
    client.settings.change({POLLING_TIME: INTERVAL, "maintenanceWindowPollCount": POLLS_BEFORE})
    update, _ = unassigned(client)
    path = f"/distributionsets/{update.set_id}/assignedTargets"

    def assign(schedule: str, **more: str) -> Answer:
        chosen = {"schedule": schedule, "duration": "00:10:00", "timezone": "+00:00", **more}
        return client.mgmt("POST", path, [{"id": client.target().controller_id, "maintenanceWindow": chosen}])

    for schedule in FORMS:
        expect_has(f"the assignment with {schedule}", {"assigned": 1}, expect_document(assign(schedule)))
    for schedule in NO_FORMS:
        expect_error(assign(schedule), 400, "maintenanceScheduleInvalid")
    for more in ({"duration": "25:00:00"}, {"duration": "long"}, {"timezone": "+19:00"}, {"timezone": "Mars"}):
        expect_error(assign(FORMS[0], **more), 400, "maintenanceScheduleInvalid")
    expect_document(assign(FORMS[0], timezone="Z"))
