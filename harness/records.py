"""The manufacturing record: one line per unit as CSV and JSON, with what a factory must be able to show later."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Final

from harness.check_words import Record
from harness.folds import some
from harness.rig import Device, Rig
from harness.verdict import Finding
from simulator.drivers.bench import Inquiry
from simulator.stages import Stage

COLUMNS: Final = ("serial", "controllerId", "fingerprint", "verdict")
ACCEPTED: Final = frozenset({Stage.ENROLLED, Stage.ONLINE, Stage.UPDATING})
KNOWN_STATES: Final = frozenset({"registered", "pending", "in_sync"})


def judge_record(rig: Rig, words: Record) -> Inquiry[Finding | None]:
    """Writes both files, then says whether enough units passed."""
    rows = []
    for device in rig.devices.values():
        target = yield from rig.server.admin.target(device.serial)
        rows.append(row_of(rig, device, None if target is None else str(target["updateStatus"])))
    write_record(rows, rig.results, words.file)
    needed = len(rows) if words.passed == "all" else words.passed
    failed = [row["serial"] for row in rows if row["verdict"] != "passed"]
    if len(rows) - len(failed) >= needed:
        return None
    return Finding(f"{needed} units passed", f"{len(rows) - len(failed)}; not these: {some(failed)}")


def row_of(rig: Rig, device: Device, state: str | None) -> dict[str, str]:
    """A unit passed when the device knows that it was accepted and the server knows the device."""
    if state is None:
        verdict = "failed: not on the server"
    elif state not in KNOWN_STATES:
        verdict = f"failed: {state} on the server"
    elif device.agent.stage not in ACCEPTED:
        verdict = f"failed: device is {device.agent.stage}"
    else:
        verdict = "passed"
    serial = device.serial.removeprefix(rig.prefix)
    return {
        "serial": serial,
        "controllerId": device.serial,
        "fingerprint": fingerprint(rig.tokens[device.serial]),
        "verdict": verdict,
    }


def fingerprint(token: str) -> str:
    """Tells which token was burnt in without giving it away: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def write_record(rows: list[dict[str, str]], folder: Path, name: str) -> None:
    """`name.csv` and `name.json`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(rows)
    for ending, content in (("csv", text.getvalue()), ("json", json.dumps(rows, indent=2) + "\n")):
        draft = folder / f"{name}.{ending}.part"
        draft.write_text(content, encoding="utf-8", newline="")
        draft.replace(folder / f"{name}.{ending}")
