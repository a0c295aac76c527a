"""Actions and checks on one line, as a person finds them again in the scenario file."""

from __future__ import annotations

import json
from typing import Any, Final

from fleetrig.harness.scenario_file.check_words import Order, Seen
from fleetrig.harness.scenario_file.words import Action, Check

SHOWN_OF_A_STEP: Final = ("name", "method", "path", "status", "stage")
"""What tells one step of an `order` from the next. Headers and bodies are left to the finding."""

SHOWN_LAST: Final = {"tokens_differ": 1, "times": 2, "devices": 2, "only": 2}
"""Keys that come after what is wanted, and in which order."""


def title_of(entry: Action | Check) -> str:
    """As it stands in the file: `sends {name: configData, times: 1}`. An order shows its steps in short."""
    if isinstance(entry.arguments, Order):
        return f"{entry.word} {' → '.join(map(step_title, entry.arguments.steps))}"
    arguments = in_order(entry.arguments.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return f"{entry.word} {flow_text(arguments)}" if arguments or arguments == 0 else entry.word


def in_order(arguments: Any) -> Any:
    """What is wanted first, then how often and of whom."""
    if not isinstance(arguments, dict):
        return arguments
    return {key: arguments[key] for key in sorted(arguments, key=lambda key: SHOWN_LAST.get(key, 0))}


def step_title(step: Seen) -> str:
    """`receives poll 200 {…}`: the braces stand for what is not shown."""
    given = step.arguments.model_dump(mode="json", by_alias=True, exclude_unset=True)
    shown = [str(given.pop(key)) for key in SHOWN_OF_A_STEP if key in given]
    return " ".join([step.word, *shown, *(["{…}"] if given else [])])


def flow_text(value: object) -> str:
    """A value in YAML's flow style, quotes left away."""
    match value:
        case {"at_least": int() as least, "at_most": int() as most} if least == most:
            return str(least)
        case dict():
            return "{" + ", ".join(f"{key}: {flow_text(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow_text, value)) + "]"
        case str():
            return value
        case _:
            return json.dumps(value)
