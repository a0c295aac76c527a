"""Performing hawkBit's words on rollouts (§1.5): an update reaches the devices group by group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.harness.platforms.hawkbit.updates import made_set
from fleetrig.harness.platforms.hawkbit.words import MoveRollout, Rollout
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Pause

POLL_EVERY_S: Final = 0.25
READY_WITHIN_S: Final = 30.0
RESERVED: Final = re.compile(r"""["'()=<>!~;,\\\s]""")
"""Characters that RSQL reads."""
MOVES: Final = {"next_group": "triggerNextGroup"}
"""Words of scenario files that the server spells another way."""


def roll_out(run: HawkbitRun, words: Rollout) -> Director[None]:
    """Makes an update and a rollout of it, and starts it as soon as its groups have their devices.

    Raises BrokenBench when the server does not get that far in time.
    """
    serials = run.context.serials(words.to)
    set_id = yield from made_set(run, words.version, words.size_bytes)
    body = {
        "name": f"{run.context.prefix or 'fleetrig-'}{words.version}", "distributionSetId": set_id, "type": words.type,
        "targetFilterQuery": query_of(run.context.prefix, words.to, serials), "amountGroups": words.groups,
        "successCondition": {"condition": "THRESHOLD", "expression": str(words.success_percent)},
        "errorCondition": {"condition": "THRESHOLD", "expression": str(words.error_percent)},
    }  # fmt: skip
    rollout_id = run.rollout_ids[words.version] = yield from run.admin.create_rollout(body)
    deadline_us = run.context.driver.now_us() + int(READY_WITHIN_S * 1e6)
    while (status := (yield from run.admin.rollout_status(rollout_id))) != "ready":
        if run.context.driver.now_us() > deadline_us:
            raise BrokenBench(f"the rollout of version {words.version} is {status} after {READY_WITHIN_S:g} s, "
                              "and cannot be started: does rollout.approval.enabled ask for an approval?")  # fmt: skip
        yield Pause(POLL_EVERY_S, POLL_EVERY_S, "rollout")
    yield from run.admin.move_rollout(rollout_id, "start")


def query_of(prefix: str, glob: str, serials: Sequence[str]) -> str:
    """A query that finds these devices and no others: `*` is all that both languages know of globs."""
    if not set(glob) & set("?[]\\"):
        return f"controllerId=={rsql_value(prefix + glob)}"
    return f"controllerId=in=({','.join(map(rsql_value, serials))})"


def rsql_value(text: str) -> str:
    """In quotes when it holds what would end a value: `*,name==*` must not become a query for every target."""
    if not RESERVED.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def move_rollout(run: HawkbitRun, words: MoveRollout) -> Director[None]:
    """Raises BrokenBench when no rollout of this version was made, or the server refuses the move."""
    if words.version not in run.rollout_ids:
        made = ", ".join(run.rollout_ids) or "none yet"
        raise BrokenBench(f"no rollout of version {words.version} was made; there is {made}: say rollout before that")
    yield from run.admin.move_rollout(run.rollout_ids[words.version], MOVES.get(words.move, words.move))
