"""The check `registry`: what the server's own records say of the devices, read through its public interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from fleetrig.harness.checks.fold import format_amount, summarize_names
from fleetrig.harness.platform import Record
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.check_words import Registry
from fleetrig.harness.verdict import Finding, Measured
from fleetrig.simulator.drivers.director import AdminCall

Difference = tuple[str, str, str]
"""Serial, what was expected of its record, what stands there."""

NO_RECORD: Final = "there is no such record"


def query_registry(context: RunContext, words: Registry) -> AdminCall[Finding | Measured]:
    """The first difference found, with how many devices share it; what was read when there is none."""
    records: dict[str, Record | None] = {}
    wanted = wanted_of(words)
    for serial in context.record_names(words.only):
        records[serial] = yield from context.work.record(serial, wanted)
    if not records:
        return Finding("records of these devices", "there is no such device")
    if (words.absent or words.devices == 0) and not context.touched:
        return Finding("no place on the server", "nothing was done that could have given them one")
    there = [record for record in records.values() if record is not None]
    if words.devices is not None and len(there) != words.devices:
        return Finding(f"{format_amount(words.devices, 'record')} of these devices", f"{len(there)}")
    if words.tokens_differ and len(there) < 2:
        return Finding("no two records hold the same token", f"{len(there)} to compare")
    if words.tokens_differ and (repeated := len(there) - len({record.token for record in there})):
        return Finding("no two records hold the same token", f"{repeated} repeat another one's")
    differences = [(serial, *pair) for serial, record in records.items() for pair in compare(serial, record, words)]
    return summary(differences) if differences else Measured(what_was_read(records, words))


def what_was_read(records: Mapping[str, Record | None], words: Registry) -> str:
    """`3 records: registered ×3; of HB-1: name 'Gateway HB-1'`; secrets are left away."""
    there = [record for record in records.values() if record is not None]
    if not there:
        return f"no record of {summarize_names(list(records))}"
    states = Counter(record.state for record in there).most_common()
    parts = [f"{format_amount(len(there), 'record')}: " + ", ".join(f"{state} ×{count}" for state, count in states)]
    first = there[0]
    read = [f"{key} {first.fields.get(key)!r}" for key in words.fields("")]
    if words.attributes or words.attribute_keys is not None:
        read.append(f"attributes {dict(sorted(first.attributes.items()))!r}")
    parts += [f"of {first.serial}: {', '.join(read)}"] if read else []
    parts += [f"{len(there)} different tokens"] if words.tokens_differ else []
    return "; ".join(parts)


def wanted_of(words: Registry) -> frozenset[str]:
    """What must be read in addition to the record itself."""
    attributes = bool(words.attributes) or words.attribute_keys is not None
    more = {"attributes": attributes, "token": words.tokens_differ}
    return frozenset(words.fields("")) | {name for name, is_wanted in more.items() if is_wanted}


def summary(differences: list[Difference]) -> Finding:
    """The first difference in full, and who else differs."""
    serial, expected, got = differences[0]
    others = [name for name in dict.fromkeys(name for name, _, _ in differences) if name != serial]
    more = f" ({summarize_names(others)} differ too)" if others else ""
    return Finding(f"the record of {serial} has {expected}", f"{got}{more}")


def compare(serial: str, record: Record | None, words: Registry) -> Iterator[tuple[str, str]]:
    """Pairs of expected and got for one record."""
    if words.absent:
        if record is not None:
            yield "no place on the server", f"it is there, {record.state}"
        return
    if record is None:
        if words.devices is None:
            yield "a place on the server", NO_RECORD
        return
    if words.in_state is not None and record.state != words.in_state:
        yield f"in_state {words.in_state!r}", f"{record.state!r}"
    for key, wanted in words.fields(serial).items():
        if record.fields.get(key) != wanted:
            yield f"{key} {wanted!r}", f"{record.fields.get(key)!r}"
    yield from compare_attributes(record, words)


def compare_attributes(record: Record, words: Registry) -> Iterator[tuple[str, str]]:
    for key, wanted in words.attributes.items():
        if record.attributes.get(key) != wanted:
            yield f"attribute {key} = {wanted!r}", f"{record.attributes.get(key)!r}"
    if words.attribute_keys is not None and set(record.attributes) != set(words.attribute_keys):
        yield f"exactly the attributes {sorted(words.attribute_keys)}", f"{sorted(record.attributes)}"
