"""The check `registry`: what the server's own records say of the devices, read through its public interface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fleetrig.harness.checks.fold import some
from fleetrig.harness.run.context import Rig
from fleetrig.harness.scenario_file.check_words import Registry
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall

Difference = tuple[str, str, str]
"""Serial, what was expected of its record, what stands there."""

NO_RECORD: Final = "there is no such record"


def judge_registry(rig: Rig, words: Registry) -> AdminCall[Finding | None]:
    """The first difference found, with how many devices share it; None when there is none."""
    records: dict[str, dict[str, Any] | None] = {}
    for serial in rig.serials(words.only):
        records[serial] = yield from read_record(rig, serial, words)
    there = [record for record in records.values() if record is not None]
    if words.devices is not None and len(there) != words.devices:
        return Finding(f"{words.devices} records of these devices", f"{len(there)}")
    if words.tokens_differ and (repeated := repeated_tokens(rig, there)):
        return Finding("no two records hold the same token", f"{repeated} repeat another one's")
    differences = [(serial, *pair) for serial, record in records.items() for pair in compare(serial, record, words)]
    return summary(differences) if differences else None


def summary(differences: list[Difference]) -> Finding:
    """The first difference in full, and who else differs."""
    serial, expected, got = differences[0]
    others = [name for name in dict.fromkeys(name for name, _, _ in differences) if name != serial]
    more = f" ({some(others)} differ too)" if others else ""
    return Finding(f"the record of {serial} has {expected}", f"{got}{more}")


def repeated_tokens(rig: Rig, records: list[dict[str, Any]]) -> int:
    """Raises BrokenBench when the account may not see tokens."""
    tokens = [record.get("securityToken") for record in records]
    if None in tokens:
        raise BrokenBench(f"{rig.server.name} does not show tokens to the account {rig.server.admin.account.user!r}, "
                          "so tokens_differ cannot be judged; it needs READ_TARGET_SECURITY_TOKEN")  # fmt: skip
    return len(tokens) - len(set(tokens))


def read_record(rig: Rig, serial: str, words: Registry) -> AdminCall[dict[str, Any] | None]:
    """A target with as much of what hangs on it as the check asks for."""
    admin = rig.server.admin
    record = yield from admin.target(serial)
    if record is None:
        return None
    if words.attributes or words.attribute_keys is not None:
        record["attributes"] = yield from admin.attributes(serial)
    if words.installed is not None:
        record["installed"] = yield from admin.set_version(serial, "installedDS")
    if words.assigned is not None:
        record["assigned"] = yield from admin.set_version(serial, "assignedDS")
    if words.action is not None or words.open_actions is not None:
        actions = yield from admin.actions(serial)
        record["action"] = actions[0]["status"] if actions else None
        record["open actions"] = sum(bool(action.get("active")) for action in actions)
    return record


def compare(serial: str, record: dict[str, Any] | None, words: Registry) -> Iterator[tuple[str, str]]:
    """Pairs of expected and got for one record."""
    if words.absent:
        if record is not None:
            yield "no place on the server", f"it is there, {record.get('updateStatus')}"
        return
    if record is None:
        if words.devices is None:
            yield "a place on the server", NO_RECORD
        return
    for key, wanted in plain_fields(words, serial).items():
        if record.get(key) != wanted:
            yield f"{key} {wanted!r}", f"{record.get(key)!r}"
    attributes = record.get("attributes", {})
    for key, wanted in words.attributes.items():
        if attributes.get(key) != wanted:
            yield f"attribute {key} = {wanted!r}", f"{attributes.get(key)!r}"
    if words.attribute_keys is not None and set(attributes) != set(words.attribute_keys):
        yield f"exactly the attributes {sorted(words.attribute_keys)}", f"{sorted(attributes)}"


def plain_fields(words: Registry, serial: str) -> dict[str, str | int]:
    """What is compared as it stands, under the names of the record."""
    fields = {
        "updateStatus": words.in_state,
        "createdBy": words.created_by,
        "name": None if words.name is None else words.name.replace("{serial}", serial),
        "installed": words.installed,
        "assigned": words.assigned,
        "action": words.action,
        "open actions": words.open_actions,
    }
    return {key: wanted for key, wanted in fields.items() if wanted is not None}
