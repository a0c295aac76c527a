"""The manufacturing record: one line per unit as CSV and JSON, with what a factory must be able to prove later."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from fleetrig.harness.checks.fold import format_amount, summarize_names
from fleetrig.harness.report.csv_cell import plain_cell
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.context import Device, RunContext
from fleetrig.harness.scenario_file.check_words import ManufacturingRecord
from fleetrig.harness.verdict import Finding, Measured
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.identity import ClientCertificate, Credential
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.stages import Stage

ACCEPTED: Final = frozenset({Stage.ENROLLED, Stage.ONLINE, Stage.UPDATING})


def query_manufacturing_record(context: RunContext, words: ManufacturingRecord) -> AdminCall[Finding | Measured]:
    """Writes both files, then judges whether enough units passed."""
    rows = []
    for device in context.devices.values():
        record = yield from context.work.record(device.serial, frozenset())
        rows.append(row_of(context, device, None if record is None else record.state))
    write_record(rows, context.results, words.file)
    needed = len(rows) if words.passed == "all" else words.passed
    failed = [row["serial"] for row in rows if row["verdict"] != "passed"]
    passed = len(rows) - len(failed)
    if passed >= needed:
        return Measured(f"{passed} of {format_amount(len(rows), 'unit')} passed; {words.file}.csv and .json")
    return Finding(f"{needed} units passed", f"{passed}; not these: {summarize_names(failed)}")


def row_of(context: RunContext, device: Device, state: str | None) -> dict[str, str]:
    """One unit; `state` is what the server says of it, None when it has no record."""
    platform = context.platform
    return {
        "serial": device.serial.removeprefix(context.prefix),
        platform.vocabulary.id_name: device.serial,
        "fingerprint": fingerprint_of(context, device.credential),
        "verdict": verdict_on(device, state, platform.vocabulary.accepted_states),
    }


def verdict_on(device: Device, state: str | None, accepted_states: Collection[str]) -> str:
    """A unit passed when the device knows that it was accepted and the server knows the device."""
    if state is None:
        return "failed: not on the server"
    if state not in accepted_states:
        return f"failed: {state} on the server"
    if device.agent.stage not in ACCEPTED:
        return f"failed: device is {device.agent.stage}"
    return "passed"


def fingerprint_of(context: RunContext, credential: Credential | None) -> str:
    """Of a certificate the beginning of the fingerprint that everybody knows it by."""
    if isinstance(credential, ClientCertificate):
        return credential.fingerprint[:16]
    return fingerprint("".join(context.platform.credential_values(credential).values()))


def fingerprint(secret: str) -> str:
    """Identifies a secret without revealing it: the first 16 hex digits of its SHA-256, or "" for none."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else ""


def write_record(rows: list[dict[str, str]], folder: Path, name: str) -> None:
    """`name.csv` and `name.json`, both whole or neither; JSON has every value as it is.

    Raises BrokenBench when they cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows({name: plain_cell(text) for name, text in row.items()} for row in rows)
    contents = {"csv": text.getvalue(), "json": json.dumps(rows, indent=2) + "\n"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as both:
            files = {ending: both.enter_context(whole_file(folder / f"{name}.{ending}")) for ending in contents}
            for ending, content in contents.items():
                files[ending].write(content)
                files[ending].flush()
    except OSError as wrong:
        raise BrokenBench(f"cannot write the manufacturing record {folder / name}: {system_said(wrong)}") from None
