"""Quartz cron as cron-utils 9.2.1, the parser of the real server, reads it: what it made of each was written down."""

from __future__ import annotations

from datetime import datetime

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.quartz_cron import parse
from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import BadCron

START = datetime.fromisoformat("2026-01-14T10:20:30")  # a Wednesday
UNREADABLE = "Failed to parse cron expression. "
NO_RANGE = " does not describe a range. Negative numbers are not allowed."
BOTH_DAYS = ". Both, a day-of-week AND a day-of-month parameter, are not supported."

RUNS = (
    ("0 0 22-2 * * ?", "2026-01-14T22:00:00 2026-01-15T22:00:00"),
    ("0 0 2 ? * FRI-MON", "2026-01-16T02:00:00 2026-01-17T02:00:00"),
    ("0 0 2 ? NOV-FEB MON", "2026-11-02T02:00:00 2026-11-09T02:00:00"),
    ("0 45-15 2 * * ?", "2026-01-15T02:45:00 2026-01-16T02:45:00"),
    ("59-0 0 2 * * ?", "2026-01-15T02:00:59 2026-01-16T02:00:59"),
    ("0 0 22-2,5 * * ?", "2026-01-15T05:00:00 2026-01-16T05:00:00"),
    ("0 0 22-2,23-1 * * ?", "never"),
    ("0 0 22-2/2 * * ?", "2026-01-14T22:00:00 2026-01-15T22:00:00"),
    ("0 0 23-2/2 * * ?", "never"),
    ("0 0 22-2/2,4 * * ?", "2026-01-15T04:00:00 2026-01-16T04:00:00"),
    ("0 0 2 25-5 * ?", "2026-01-25T02:00:00 2026-02-25T02:00:00"),
    ("0 0 2 31-5 * ?", "2026-01-31T02:00:00 2026-03-31T02:00:00"),
    ("0 0 2 25-5,7 * ?", "2026-02-07T02:00:00 2026-03-07T02:00:00"),
    ("0 0 2 20-31 2 ?", "2026-02-20T02:00:00 2026-02-21T02:00:00"),
    ("0 0 2 ? * 6-2/2", "never"),
    ("0 0 2 ? * 2-6/2", "2026-01-16T02:00:00 2026-01-19T02:00:00"),
    ("0 0 2 ? * FRI-MON,WED", "2026-01-16T02:00:00 2026-01-17T02:00:00"),
    ("0 0 2 ? 12-1,3 MON", "2026-03-02T02:00:00 2026-03-09T02:00:00"),
    ("* * * * * ?", "2026-01-14T10:20:31 2026-01-14T10:20:32"),
    ("*/1 * 3 * * ?", "2026-01-15T03:00:00 2026-01-15T03:00:01"),
    ("0 /20 * ? * *", "2026-01-14T10:40:00 2026-01-14T11:00:00"),
    ("0 0/25 * * * ?", "2026-01-14T10:25:00 2026-01-14T10:50:00"),
    ("0 10-30/10,55 4,6 ? * *", "2026-01-15T04:10:00 2026-01-15T04:20:00"),
    ("0 */+7 3 * * ?", "2026-01-15T03:00:00 2026-01-15T03:07:00"),
    ("0 5/2/ 3 * * ?", "2026-01-15T03:05:00 2026-01-15T03:07:00"),
    ("0 5-9/2/3 3 * * ?", "2026-01-15T03:05:00 2026-01-15T03:07:00"),
    ("0 *,5 3 * * ?", "2026-01-15T03:00:00 2026-01-15T03:01:00"),
    ("0 +5 007 * * ?", "2026-01-15T07:05:00 2026-01-16T07:05:00"),
    ("0 0 3 ? * * 2027/2", "2027-01-01T03:00:00 2027-01-02T03:00:00"),
    ("0 0 3 ? * * 2028,2030-2040/5", "2028-01-01T03:00:00 2028-01-02T03:00:00"),
    ("0 0 3 29 2 ?", "2028-02-29T03:00:00 2032-02-29T03:00:00"),
    ("0 0 3 30 2 ?", "never"),
    ("0 0 3 1 1 ? 2020", "never"),
    ("0 0 0 L * ?", "2026-01-31T00:00:00 2026-02-28T00:00:00"),
    ("0 0 0 12L * ?", "2026-01-31T00:00:00 2026-02-28T00:00:00"),
    ("0 0 0 L-3 * ?", "2026-01-28T00:00:00 2026-02-25T00:00:00"),
    ("0 0 0 L-30 * ?", "2026-03-01T00:00:00 2026-05-01T00:00:00"),
    ("0 0 0 L,15 * ?", "2026-01-15T00:00:00 2026-02-15T00:00:00"),
    ("0 0 0 3-L * ?", "never"),
    ("0 0 0 3-L/2 * ?", "never"),
    ("0 0 0 LW * ?", "2026-01-30T00:00:00 2026-02-27T00:00:00"),
    ("0 0 0 LWLW * ?", "2026-01-30T00:00:00 2026-02-27T00:00:00"),
    ("0 0 0 1W 8 ?", "2026-08-03T00:00:00 2027-08-02T00:00:00"),
    ("0 0 0 17W * ?", "2026-01-16T00:00:00 2026-02-17T00:00:00"),
    ("0 0 0 18W * ?", "2026-01-19T00:00:00 2026-02-18T00:00:00"),
    ("0 0 0 31W * ?", "2026-01-30T00:00:00"),
    ("0 0 0 17W,20 * ?", "2026-01-17T00:00:00 2026-01-20T00:00:00"),
    ("0 0 0 ?,5 * ?", "never"),
    ("0 0 0 ? * L", "2026-01-17T00:00:00 2026-01-24T00:00:00"),
    ("0 0 0 ? * L-3", "2026-01-17T00:00:00 2026-01-24T00:00:00"),
    ("0 0 0 ? * 6L", "2026-01-30T00:00:00 2026-02-27T00:00:00"),
    ("0 0 0 ? * FRIL", "2026-01-30T00:00:00 2026-02-27T00:00:00"),
    ("0 0 0 ? * 2,6L", "2026-01-19T00:00:00 2026-01-26T00:00:00"),
    ("0 0 0 ? * 2-L", "never"),
    ("0 0 0 ? * 6#3", "2026-01-16T00:00:00 2026-02-20T00:00:00"),
    ("0 0 0 ? * FRI#5", "2026-01-30T00:00:00 2026-05-29T00:00:00"),
    ("0 0 0 ? * 6#6", "never"),
    ("0 0 0 ? * 6#1#2", "2026-02-06T00:00:00 2026-03-06T00:00:00"),
    ("0 0 0 ? * 6#2,MON#1,*/6", "2026-01-17T00:00:00 2026-01-18T00:00:00"),
    ("0 0 0 ? * ?,MON", "2026-01-19T00:00:00 2026-01-26T00:00:00"),
    ("0 0 0 ? * */3", "2026-01-17T00:00:00 2026-01-18T00:00:00"),
    ("0 0 0 ? * 3/2", "2026-01-15T00:00:00 2026-01-17T00:00:00"),
    ("0 0 3 ? jan,MAR-may mon-fri", "2026-01-15T03:00:00 2026-01-16T03:00:00"),
    ("0 0 3 ? JAN-3 MON", "2026-01-19T03:00:00 2026-01-26T03:00:00"),
    ("0 0 3 ? 1-12/FEB MON", "2026-01-19T03:00:00 2026-01-26T03:00:00"),
    ("0|30 0 3 * * ?", "2026-01-15T03:00:00 2026-01-15T03:00:30"),
    ("0 0|30 3|4 * * ?", "2026-01-15T03:00:00 2026-01-15T04:30:00"),
    ("0| 0 3 * * ?", "2026-01-15T03:00:00 2026-01-16T03:00:00"),
    ("0 0 3 * * ?||0 0 2 ? * MON", "2026-01-15T03:00:00 2026-01-16T03:00:00"),
    ("0 0 3 * * ?||", "2026-01-15T03:00:00 2026-01-16T03:00:00"),
    ("0 0 3 * * ? || 0 0 2 31W * ?", "2026-01-15T03:00:00 2026-01-16T03:00:00"),
)
"""(expression, its first two times; `never`: accepted without any)."""

REFUSED = (
    ("0 0 2 1 1 ? 2030-2028", UNREADABLE + "Invalid range! [2030,2028]"),
    ("0 */61 * * * ?", UNREADABLE + "Period 61 not in range [0, 59]"),
    ("0 0/0 3 ? * *", UNREADABLE + "Period 0 not in range [0, 59]"),
    ("0 0/x 3 ? * *", UNREADABLE + 'For input string: "X"'),
    ("0 0 */24 * * ?", UNREADABLE + "Period 24 not in range [0, 23]"),
    ("0 5/2/3 3 * * ?", UNREADABLE + "Invalid expression: 5/2/3"),
    ("0 // 3 * * ?", UNREADABLE + "Invalid expression: //"),
    ("0 5// 3 * * ?", UNREADABLE + "Missing steps for expression: 5//"),
    ("0 *-5 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression: * Invalid chars: "),
    ("0 5- 3 * * ?", UNREADABLE + "Missing values for range: 5-"),
    ("0 -5 3 * * ?", UNREADABLE + "Invalid expression! Expression: -5" + NO_RANGE),
    ("0 1-2-3 3 * * ?", UNREADABLE + "Missing values for range: 1-2-3"),
    ("0 ,5 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression:  Invalid chars: "),
    ("0 5, 3 * * ?", "Invalid field value! Trailing commas not permitted! '5,'"),
    ("0 5,,6 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression:  Invalid chars: "),
    ("0 ? 3 * * ?", UNREADABLE + "Invalid expression: ?"),
    ("0 5? 3 * * ?", UNREADABLE + "Invalid expression: 5?"),
    ("0 3L 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression: 3L Invalid chars: L"),
    ("0 99999999999 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression: 99999999999 Invalid chars: "),
    ("0 1.5 3 * * ?", UNREADABLE + "Invalid chars in expression! Expression: 1.5 Invalid chars: ."),
    ("60 0 3 ? * *", UNREADABLE + "Value 60 not in range [0, 59]"),
    ("0 0 24 ? * *", UNREADABLE + "Value 24 not in range [0, 23]"),
    ("0 0 3 0 * ?", UNREADABLE + "Value 0 not in range [1, 31]"),
    ("0 0 3 32 * ?", UNREADABLE + "Value 32 not in range [1, 31]"),
    ("0 0 3 ? 13 *", UNREADABLE + "Value 13 not in range [1, 12]"),
    ("0 0 3 ? * 8", UNREADABLE + "Value 8 not in range [1, 7]"),
    ("0 0 3 ? * 0", UNREADABLE + "Value 0 not in range [1, 7]"),
    ("0 0 3 ? * * 2100", UNREADABLE + "Value 2100 not in range [1970, 2099]"),
    ("0 0 3 ? * * 1969", UNREADABLE + "Value 1969 not in range [1970, 2099]"),
    ("0 0 0 L-0 * ?", UNREADABLE + "Value 0 not in range [1, 31]"),
    ("0 0 0 L-32 * ?", UNREADABLE + "Value 32 not in range [1, 31]"),
    ("0 0 0 L/2 * ?", UNREADABLE + "Invalid chars in expression! Expression: L Invalid chars: "),
    ("0 0 0 5LW * ?", UNREADABLE + "Expected: LW, found: 5"),
    ("0 0 0 LW-2 * ?", UNREADABLE + "No special characters allowed in range, except for 'L'"),
    ("0 0 0 W * ?", UNREADABLE + "Invalid chars in expression! Expression: W Invalid chars: "),
    ("0 0 0 W31 5 ? 2026", UNREADABLE + "Invalid chars in expression! Expression: W31 Invalid chars: "),
    ("0 0 0 ? * 2,FRIL", UNREADABLE + "Invalid chars in expression! Expression: FRIL Invalid chars: FRIL"),
    ("0 0 0 ? * 6#8", UNREADABLE + "Value 8 not in range [1, 7]"),
    ("0 0 0 ? * #6", UNREADABLE + "Time should be specified!"),
    ("0 0 0 ? * #", UNREADABLE + "Invalid Position of # Character!"),
    ("0 0 0 1#2 * ?", UNREADABLE + "Invalid expression: 1#2"),
    ("0 0 0 ? * 5W", UNREADABLE + "Invalid chars in expression! Expression: 5W Invalid chars: W"),
    ("0 0 0 ? * */8", UNREADABLE + "Period 8 not in range [1, 7]"),
    ("0 0 0 ? * XYZ", UNREADABLE + "Invalid chars in expression! Expression: XYZ Invalid chars: XYZ"),
    ("0 0 3 ? */FEB MON", UNREADABLE + 'For input string: "FEB"'),
    ("0 0 3 ? FEBRUARY MON", UNREADABLE + "Invalid chars in expression! Expression: FEBRUARY Invalid chars: FEBRUARY"),
    ("0 0 3 NONE-3 * ?", UNREADABLE + "Invalid chars in expression! Expression: NONE-3 Invalid chars: NONE"),
    ("0 0 3 * *", "Cron expression contains 5 parts but we expect one of [6, 7]"),
    ("0 0 3 * * * * *", "Cron expression contains 8 parts but we expect one of [6, 7]"),
    ("0 0 3 * * *", UNREADABLE + "Invalid cron expression: 0 0 3 * * *" + BOTH_DAYS),
    ("0 0 3 ? * ?", UNREADABLE + "Invalid cron expression: 0 0 3 ? * ?" + BOTH_DAYS),
    ("0 0 3 ? * * ?", UNREADABLE + "Invalid expression: ?"),
    ("|0 0 3 * * ?", "Cron expression contains 5 parts but we expect one of [6, 7]"),
    ("||0 0 3 * * ?", "Empty expression!"),
    ("||", "List of Cron cannot be null or empty"),
    ("|", "List of Cron cannot be null or empty"),
    ("@daily", "Nicknames not supported!"),
)
"""(expression, what is said of it)."""

CRASHES = (
    "0 0 0 ? * 6#",
    "0|30 0 3|4|5 * * ?",
)
"""The real parser fails at these, and the real server answers with another error than of a bad schedule."""


@pytest.mark.parametrize(("expression", "expected"), RUNS)
def test_times(expression, expected):
    times: list[str] = []
    cron, at = parse(expression), START
    while len(times) < 2 and (found := cron.next_after(at)) is not None:
        times.append(found.isoformat())
        at = found
    assert (" ".join(times) or "never") == expected


@pytest.mark.parametrize(("expression", "said"), REFUSED)
def test_what_is_refused(expression, said):
    with pytest.raises(BadCron) as told:
        parse(expression)
    assert str(told.value) == said


@pytest.mark.parametrize("expression", CRASHES)
def test_what_the_real_parser_fails_at_is_refused(expression):
    with pytest.raises(BadCron):
        parse(expression)


def test_a_fraction_of_a_second_stays_when_every_second_fits():
    """The next time is then the same fraction of the next second."""
    moment = START.replace(microsecond=250_000)
    assert parse("* * * * * ?").next_after(moment) == moment.replace(second=31)
    assert parse("*/2 * * * * ?").next_after(moment) == START.replace(second=32)
