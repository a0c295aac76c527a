"""The manufacturing record: one line per unit as CSV and JSON, with what a factory must be able to show later."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Final

from fleetrig.harness.checks.fold import some
from fleetrig.harness.run.context import Device, Rig
from fleetrig.harness.scenario_file.check_words import Record
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import Credential, GatewayToken, TargetToken
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.stages import Stage

COLUMNS: Final = ("serial", "controllerId", "fingerprint", "verdict")
ACCEPTED: Final = frozenset({Stage.ENROLLED, Stage.ONLINE, Stage.UPDATING})
KNOWN_STATES: Final = frozenset({"registered", "pending", "in_sync"})


def judge_record(rig: Rig, words: Record) -> AdminCall[Finding | None]:
    """Writes both files, then says whether enough units passed."""
    rows = []
    for device in rig.devices.values():
        target = yield from rig.server.admin.target(device.serial)
        rows.append(row_of(device, rig.prefix, None if target is None else str(target.get("updateStatus"))))
    write_record(rows, rig.results, words.file)
    needed = len(rows) if words.passed == "all" else words.passed
    failed = [row["serial"] for row in rows if row["verdict"] != "passed"]
    if len(rows) - len(failed) >= needed:
        return None
    return Finding(f"{needed} units passed", f"{len(rows) - len(failed)}; not these: {some(failed)}")


def row_of(device: Device, prefix: str, state: str | None) -> dict[str, str]:
    """One unit; `state` is what the server says of it, None when it has no record."""
    return {
        "serial": device.serial.removeprefix(prefix),
        "controllerId": device.serial,
        "fingerprint": fingerprint(device.credential),
        "verdict": verdict_on(device, state),
    }


def verdict_on(device: Device, state: str | None) -> str:
    """A unit passed when the device knows that it was accepted and the server knows the device."""
    if state is None:
        return "failed: not on the server"
    if state not in KNOWN_STATES:
        return f"failed: {state} on the server"
    if device.agent.stage not in ACCEPTED:
        return f"failed: device is {device.agent.stage}"
    return "passed"


def fingerprint(credential: Credential | None) -> str:
    """Tells which token was burnt in without giving it away: the first 16 hex digits of its SHA-256."""
    match credential:
        case TargetToken(token) | GatewayToken(token):
            return hashlib.sha256(token.encode()).hexdigest()[:16]
        case _:
            return ""


def write_record(rows: list[dict[str, str]], folder: Path, name: str) -> None:
    """`name.csv` and `name.json`, both whole or neither. Raises BrokenBench when they cannot be written."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(rows)
    contents = {"csv": text.getvalue(), "json": json.dumps(rows, indent=2) + "\n"}
    drafts = {ending: folder / f"{name}.{ending}.part" for ending in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, content in contents.items():
            drafts[ending].write_text(content, encoding="utf-8", newline="")
        for ending, draft in drafts.items():
            draft.replace(folder / f"{name}.{ending}")
    except OSError as wrong:
        for draft in drafts.values():
            if draft.is_file():
                draft.unlink()
        raise BrokenBench(f"cannot write the manufacturing record {folder / name}: {wrong.strerror or wrong}") from None
