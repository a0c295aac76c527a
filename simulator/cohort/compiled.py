"""The body of the array engine as machine code, with the same results: one request after the other, as it is told.

Made by Numba (the extra `compiled`) and kept on disk. Only `compiled_body` imports this module, when it is wanted, and
leads a batch through these functions from top to bottom: they are several, and pass no arrays to each other, since
Numba counts the references to each array that is handed on. What devices remember is gathered by NumPy before: a
short loop has more loads from memory under way at a time than these long ones. Numba makes floats of an int64 and a
uint64 together, so that the words of chance never meet another type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort.chance import DEVICE_STEP, DRAW_STEP, MASK_64, SEED_STEP, Flags, Ints
from fleetrig.simulator.cohort.compiled_arrays import After, Of, ServerNumbers, While
from fleetrig.simulator.cohort.model import MOST_FAILURES
from fleetrig.simulator.cohort.outcomes import ANSWERED, LATE, SILENT, TURNED_AWAY, Codes
from fleetrig.simulator.cohort.retries import RETRY_AFTER_LIMIT_US, TOKEN_MILLI, UNCAPPED_US
from fleetrig.simulator.cohort.retry_table import NOT_ASKED_US
from fleetrig.simulator.cohort.state import NEVER, ONLINE
from fleetrig.simulator.cohort.tally import SECOND_US, CountOf
from fleetrig.simulator.drivers.load.histogram import BITS

P = ParamSpec("P")
R = TypeVar("R")

DEVICE_STEP_64: Final = np.uint64(DEVICE_STEP)
DRAW_STEP_64: Final = np.uint64(DRAW_STEP)
LOW_64: Final = np.uint64(0xFFFF_FFFF)
NEVER_KEY: Final = int(NEVER)


def seed_word(seed: int) -> np.uint64:
    """The seed's part of the words of chance."""
    return np.uint64(seed * SEED_STEP & MASK_64)


def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    return cast("Callable[P, R]", numba.njit(cache=True, error_model="numpy")(function))


@_compiled
def _word(seed: np.uint64, device: int, number: int) -> Any:
    mixed = seed + np.uint64(device) * DEVICE_STEP_64 + np.uint64(number) * DRAW_STEP_64
    mixed = (mixed ^ (mixed >> np.uint64(30))) * DEVICE_STEP_64
    mixed = (mixed ^ (mixed >> np.uint64(27))) * DRAW_STEP_64
    return mixed ^ (mixed >> np.uint64(31))


@_compiled
def _part_of(span: int, chance: int) -> int:
    return ((span >> 16) * chance + (((span & 0xFFFF) * chance) >> 16)) >> 16


@_compiled
def _bucket_of(duration_us: int) -> int:
    shift = max(math.frexp(float(duration_us))[1] - BITS, 0)
    return (shift << (BITS - 1)) + (duration_us >> shift)


@_compiled
def _serve(
    server: ServerNumbers, at_us: int, latency_us: int, timeout_us: int, busy_until_us: int
) -> tuple[int, int, int, int]:
    """Code, when it is seen, `Retry-After`, and until when the server is busy then."""
    round_trip_us, service_us, waiting_us, sheds_after_us, retry_after_us = server
    travel_us, wait_us = round_trip_us + latency_us, 0
    if service_us >= 0:
        wait_us = max(0, busy_until_us - at_us)
        if 0 <= waiting_us < wait_us:
            return TURNED_AWAY, at_us + min(round_trip_us, timeout_us), retry_after_us, busy_until_us
        if 0 <= sheds_after_us < wait_us:
            return LATE, at_us + timeout_us, NOT_ASKED_US, busy_until_us
        busy_until_us = at_us + wait_us + service_us
        travel_us += service_us
    if wait_us + travel_us > timeout_us:
        return LATE, at_us + timeout_us, NOT_ASKED_US, busy_until_us
    return ANSWERED, at_us + wait_us + travel_us, NOT_ASKED_US, busy_until_us


@_compiled
def judge(
    keys: Ints, device_bits: int, seed: np.uint64, numbers: NDArray[np.uint32], server: ServerNumbers,
    disruptions: Ints, cohorts: Ints, busy_until_us: int, cohort_of: Ints, chance: Ints, codes: Codes, seen: Ints,
    asked: Ints, busy: Ints,
) -> None:  # fmt: skip
    """What becomes of requests, as if these were all there is. Fills in the arrays from `cohort_of` on."""
    cohort = 0
    for place in range(keys.size):
        device, at_us = keys[place] & ((1 << device_bits) - 1), keys[place] >> device_bits
        while not cohorts[cohort, Of.BEGIN] <= device < cohorts[cohort, Of.END]:
            cohort = 0 if device < cohorts[cohort, Of.BEGIN] else cohort + 1
        word = _word(seed, device, numbers[place])
        timeout_us, latency_us, code = cohorts[cohort, Of.TIMEOUT_US], 0, ANSWERED
        asked_us = NOT_ASKED_US
        for number in range(disruptions.shape[0]):
            if disruptions[number, While.BEGIN_US] <= at_us < disruptions[number, While.END_US]:
                if _part_of(1000, int(word & LOW_64)) < disruptions[number, While.SHARE_MILLI]:
                    latency_us, code = disruptions[number, While.LATENCY_US], disruptions[number, While.CODE]
                    asked_us = disruptions[number, While.RETRY_AFTER_US]
                break
        if code == ANSWERED:
            code, seen_us, asked_us, busy_until_us = _serve(server, at_us, latency_us, timeout_us, busy_until_us)
        else:
            seen_us = at_us + (timeout_us if code == SILENT else min(server[0] + latency_us, timeout_us))
        cohort_of[place], chance[place] = cohort, int(word >> np.uint64(32))
        codes[place], seen[place], asked[place], busy[place] = code, seen_us, asked_us, busy_until_us


@_compiled
def plan_answered(
    keys: Ints, device_bits: int, cohorts: Ints, round_trip_us: int, work: NDArray[np.int32], cohort_of: Ints,
    chance: Ints, codes: Codes, seen: Ints, successors: Ints,
) -> None:  # fmt: skip
    """The keys of the next requests of those that were answered."""
    for place in range(keys.size):
        if codes[place] != ANSWERED:
            continue
        device, cohort = keys[place] & ((1 << device_bits) - 1), cohort_of[place]
        if work.size and work[device] > 0:
            next_us = seen[place] + round_trip_us
        elif not cohorts[cohort, Of.HAS_RHYTHM]:
            successors[place] = NEVER_KEY
            continue
        else:
            span_us = cohorts[cohort, Of.INTERVAL_SPAN_US]
            next_us = seen[place] + cohorts[cohort, Of.INTERVAL_US] + _part_of(span_us, chance[place])
        successors[place] = (next_us << device_bits) | device


@_compiled
def plan_retries(
    keys: Ints, device_bits: int, cohorts: Ints, delays: Ints, failures: NDArray[np.uint8], previous_us: Ints,
    tokens_milli: NDArray[np.int32], cohort_of: Ints, chance: Ints, codes: Codes, seen: Ints, asked: Ints,
    pays: Flags, delay_us: Ints, successors: Ints,
) -> None:  # fmt: skip
    """How long the others wait, who pays a token for it, and the keys of their next requests."""
    for place in range(keys.size):
        if codes[place] == ANSWERED:
            continue
        device, cohort = keys[place] & ((1 << device_bits) - 1), cohort_of[place]
        in_a_row = min(int(failures[place]) + 1, MOST_FAILURES)
        least_us, most_us = delays[cohort, in_a_row, After.LEAST_US], delays[cohort, in_a_row, After.MOST_US]
        cap_us, is_strong = delays[cohort, in_a_row, After.CAPPED_AT_US], delays[cohort, in_a_row, After.IS_OPEN] != 0
        step_us = delays[cohort, in_a_row, After.STEP_US]
        if cap_us < UNCAPPED_US and previous_us[device] > 0:
            most_us = max(least_us, 3 * previous_us[device])
        pays[place] = False
        if cohorts[cohort, Of.HAS_BUDGET] and not is_strong:
            pays[place] = tokens_milli[device] >= TOKEN_MILLI
            if not pays[place]:
                is_strong, cap_us, step_us = True, UNCAPPED_US, 1
                least_us = cohorts[cohort, Of.LEAST_WITHOUT_TOKEN_US]
                most_us = cohorts[cohort, Of.MOST_WITHOUT_TOKEN_US]
        if asked[place] != NOT_ASKED_US and cohorts[cohort, Of.HONOURS_RETRY_AFTER]:
            floor_us, named_us = cohorts[cohort, Of.FLOOR_US], min(asked[place], RETRY_AFTER_LIMIT_US)
            cap_us, step_us = UNCAPPED_US, 1
            least_us = max(floor_us, named_us, least_us if is_strong else 0)
            most_us = max(floor_us, named_us + cohorts[cohort, Of.SPREAD_US], most_us if is_strong else 0)
        drawn_us = min(cap_us, least_us + _part_of(most_us - least_us, chance[place]))
        if step_us > 1:
            drawn_us = max(cohorts[cohort, Of.FLOOR_US], drawn_us // step_us * step_us)
        delay_us[place] = drawn_us
        successors[place] = ((seen[place] + delay_us[place]) << device_bits) | device


@_compiled
def believed(keys: Ints, successors: Ints) -> int:
    """How many come before the earliest successor."""
    soonest = NEVER_KEY
    for place in range(keys.size):
        if keys[place] >= soonest:
            return place
        soonest = min(soonest, successors[place])
    return keys.size


@_compiled
def count(
    keys: Ints, device_bits: int, offline: int, failures: NDArray[np.uint8], cohort_of: Ints, codes: Codes,
    seen: Ints, seconds: Ints, slowest_us: Ints, took: Ints,
) -> None:  # fmt: skip
    """What happened, second by second; before devices move on. `offline`: how many are."""
    for place in range(keys.size):
        at_us, cohort, code = keys[place] >> device_bits, cohort_of[place], codes[place]
        second = at_us // SECOND_US
        seconds[cohort, CountOf.REQUESTS, second] += 1
        # The kinds have the order of the codes.
        seconds[cohort, CountOf.ANSWERED + code, second] += 1
        if offline and failures[place]:
            seconds[cohort, CountOf.RETRIES, second] += 1
        if code == ANSWERED:
            took_us = seen[place] - at_us
            took[_bucket_of(took_us)] += 1
            slowest_us[second] = max(slowest_us[second], took_us)


@_compiled
def answer(
    keys: Ints, device_bits: int, offline: int, cohorts: Ints, failures: NDArray[np.uint8], since: Ints, since_us: Ints,
    previous_us: Ints, tokens_milli: NDArray[np.int32], work: NDArray[np.int32], cohort_of: Ints, codes: Codes,
    seen: Ints, seconds: Ints, to_online: Ints,
) -> int:  # fmt: skip
    """Those that were answered move on: how many are offline then."""
    for place in range(keys.size):
        if codes[place] != ANSWERED:
            continue
        device, cohort = keys[place] & ((1 << device_bits) - 1), cohort_of[place]
        if work.size and work[device] > 0:
            work[device] -= 1
        if cohorts[cohort, Of.HAS_BUDGET]:
            earned_milli = tokens_milli[device] + cohorts[cohort, Of.GAIN_MILLI]
            tokens_milli[device] = min(earned_milli, cohorts[cohort, Of.FULL_MILLI])
        if offline and since[place] != ONLINE:
            offline -= 1
            to_online[_bucket_of(seen[place] - since[place])] += 1
            seconds[cohort, CountOf.CAME_ONLINE, (keys[place] >> device_bits) // SECOND_US] += 1
            since_us[device], failures[device] = ONLINE, 0
            if previous_us.size:
                previous_us[device] = 0
    return offline


@_compiled
def fail(
    keys: Ints, device_bits: int, offline: int, failures_before: NDArray[np.uint8], failures: NDArray[np.uint8],
    since: Ints, since_us: Ints, previous_us: Ints, tokens_milli: NDArray[np.int32], cohort_of: Ints, codes: Codes,
    pays: Flags, delay_us: Ints, seconds: Ints,
) -> int:  # fmt: skip
    """The others move on: how many are offline then."""
    for place in range(keys.size):
        if codes[place] == ANSWERED:
            continue
        device, at_us = keys[place] & ((1 << device_bits) - 1), keys[place] >> device_bits
        if since[place] == ONLINE:
            offline += 1
            since_us[device] = at_us
            seconds[cohort_of[place], CountOf.WENT_OFFLINE, at_us // SECOND_US] += 1
        failures[device] = min(int(failures_before[place]) + 1, MOST_FAILURES)
        if previous_us.size:
            previous_us[device] = delay_us[place]
        if pays[place]:
            tokens_milli[device] -= TOKEN_MILLI
    return offline
