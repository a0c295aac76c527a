"""Checks in words, before anything has happened: those over the stream say it themselves."""

from __future__ import annotations

from fleetrig.harness.checks.evaluators import FleetSnapshot, fold_of
from fleetrig.harness.checks.registry import plain_fields
from fleetrig.harness.scenario_file.check_words import KeepsSecrets, Record, Registry
from fleetrig.harness.scenario_file.words import Check, CheckWord


def sentence_of(check: Check, fleet: FleetSnapshot) -> str:
    """What is expected; several lines for an order."""
    beside = f" (only a warning, {'; '.join(check.cites)})" if check.cites else " (only a warning)"
    return expected(check.arguments, fleet) + (beside if check.severity == "warning" else "")


def expected(words: CheckWord, fleet: FleetSnapshot) -> str:
    match words:
        case Registry():
            return registry(words)
        case Record():
            return f"the manufacturing record {words.file}.csv and .json is written, and {words.passed} units passed"
        case KeepsSecrets():
            return f"no token stands in what the programs of {whom(words.only)} write"
        case _:
            return fold_of(fleet, words).expected


def registry(words: Registry) -> str:
    """What the server's records must say."""
    if words.absent:
        return f"the server has no record of {whom(words.only)}"
    parts = [f"there are {words.devices}"] if words.devices is not None else []
    parts += [f"{key} {wanted!r}" for key, wanted in plain_fields(words, "{serial}").items()]
    parts += [f"attribute {key} = {wanted!r}" for key, wanted in words.attributes.items()]
    if words.attribute_keys is not None:
        parts.append(f"exactly the attributes {', '.join(words.attribute_keys) or 'none'}")
    if words.tokens_differ:
        parts.append("no token twice")
    return f"the server's records of {whom(words.only)}: {', '.join(parts)}"


def whom(only: str) -> str:
    return "all devices" if only == "*" else f"the devices {only}"
