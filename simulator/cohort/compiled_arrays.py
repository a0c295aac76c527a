"""What machine code gets to see of a fleet: whole numbers in tables, one row for each cohort or disruption.

Plain arrays: Numba counts the references to each array that it takes out of a tuple, which costs more than the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np

from fleetrig.simulator.cohort.chance import Ints
from fleetrig.simulator.cohort.model import Cohort, Disruption, FleetModel, Unanswered
from fleetrig.simulator.cohort.outcomes import ANSWERED, CODES
from fleetrig.simulator.cohort.retries import full_milli
from fleetrig.simulator.cohort.retry_table import NOT_ASKED_US, RetryTable

NONE: Final = -1


class Of(IntEnum):
    """Columns of the table of cohorts."""

    BEGIN = 0
    END = 1
    INTERVAL_US = 2
    INTERVAL_SPAN_US = 3
    TIMEOUT_US = 4
    HAS_RHYTHM = 5
    HAS_BUDGET = 6
    GAIN_MILLI = 7
    FULL_MILLI = 8
    LEAST_WITHOUT_TOKEN_US = 9
    MOST_WITHOUT_TOKEN_US = 10
    HONOURS_RETRY_AFTER = 11
    FLOOR_US = 12
    SPREAD_US = 13


class After(IntEnum):
    """What a device knows of its next delay after so many failures in a row."""

    LEAST_US = 0
    MOST_US = 1
    CAPPED_AT_US = 2
    IS_OPEN = 3
    STEP_US = 4


class While(IntEnum):
    """Columns of the table of disruptions, which are in the order in which they were added."""

    BEGIN_US = 0
    END_US = 1
    CODE = 2
    RETRY_AFTER_US = 3
    LATENCY_US = 4
    SHARE_MILLI = 5


ServerNumbers = tuple[int, int, int, int, int]
"""Round trip, service, waiting room, when it sheds, `Retry-After`; NONE where there is none."""


def server_numbers(model: FleetModel) -> ServerNumbers:
    server = model.server
    service_us, waiting_us, sheds_after_us, retry_after_us = (
        NONE if each is None else each
        for each in (server.service_us, server.waiting_us, server.sheds_after_us, server.retry_after_us)
    )
    return model.round_trip_us, service_us, waiting_us, sheds_after_us, retry_after_us


def cohort_table(tables: Sequence[RetryTable]) -> Ints:
    rows, begin = [], 0
    for table in tables:
        rows.append(_cohort_row(table.cohort, table, begin))
        begin += table.cohort.count
    return np.array(rows, np.int64)


def _cohort_row(cohort: Cohort, table: RetryTable, begin: int) -> list[int]:
    rule, row = cohort.retry, [0] * len(Of)
    row[Of.BEGIN], row[Of.END] = begin, begin + cohort.count
    row[Of.INTERVAL_US], row[Of.INTERVAL_SPAN_US] = cohort.interval_us[0], cohort.interval_us[1] - cohort.interval_us[0]
    row[Of.TIMEOUT_US], row[Of.HAS_RHYTHM] = cohort.timeout_us, cohort.has_rhythm
    row[Of.HAS_BUDGET], row[Of.FULL_MILLI] = rule.budget is not None, full_milli(rule)
    row[Of.GAIN_MILLI] = rule.budget.gain_milli if rule.budget else 0
    row[Of.LEAST_WITHOUT_TOKEN_US] = table.without_token.least_us
    row[Of.MOST_WITHOUT_TOKEN_US] = table.without_token.most_us
    row[Of.HONOURS_RETRY_AFTER] = rule.honours_retry_after
    row[Of.FLOOR_US], row[Of.SPREAD_US] = rule.floor_us, rule.retry_after_spread_us
    return row


def delay_table(tables: Sequence[RetryTable]) -> Ints:
    """`[cohort, failures, column of After]`."""
    columns = (
        (each.least_us, each.most_us, each.capped_at_us, each.is_open.astype(np.int64), each.step_us) for each in tables
    )
    return np.array([np.stack(each, axis=1) for each in columns], np.int64)


def disruption_table(disruptions: Sequence[Disruption]) -> Ints:
    return np.array([_disruption_row(each) for each in disruptions], np.int64).reshape(len(disruptions), len(While))


def _disruption_row(disruption: Disruption) -> list[int]:
    row = [0] * len(While)
    row[While.BEGIN_US], row[While.END_US] = disruption.begin_us, disruption.end_us
    row[While.CODE] = ANSWERED if disruption.answer is None else CODES[disruption.answer]
    is_named = disruption.answer is Unanswered.TURNED_AWAY and disruption.retry_after_us is not None
    row[While.RETRY_AFTER_US] = (disruption.retry_after_us or 0) if is_named else NOT_ASKED_US
    row[While.LATENCY_US], row[While.SHARE_MILLI] = disruption.latency_us, disruption.share_milli
    return row
