"""Traces of real runs, with the secrets that were really used in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleetrig.harness.exports.exported_trace import ExportedTrace
from fleetrig.harness.exports.formats import FORMATS
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.traces.seen_events import SeenEvent
from fleetrig.simulator.contract.http import Body, HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import TraceEvent
from tests.harness.runs import FAILS, expanded
from tests.harness.test_both_times import SCENARIOS

SECRET = re.compile(
    rb'"(?:(?:credentialsValue|provisionDeviceSecret|securityToken|pwd-plain|password)": ?"([^"]{8,})|'
    rb'key": ?"([A-Za-z0-9+/]{12,}=+))"'
)
"""`key` has other meanings too: of those that look like Base64."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A trace, its events, and what nobody may read in it."""

    trace: ExportedTrace
    events: tuple[SeenEvent, ...]
    secrets: frozenset[str]

    def bytes_of(self, name: str) -> bytes:
        pieces = FORMATS[name].write([self.trace])
        return b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)

    @property
    def devices(self) -> set[str]:
        return {seen.device for seen in self.events if seen.device}


def stored_run(folder: Path, run_id: str) -> Stored:
    """Runs a shipped scenario (the first of its matrix), or one that fails for an empty id."""
    secrets: set[str] = set()
    one = plan([run_id], SCENARIOS)[0] if run_id else expanded(folder, FAILS)
    folders = SCENARIOS if run_id else folder / "scenarios"
    path = folder / "t.trace.jsonl"
    options = RunOptions(trace=path, results=folder / "results", listener=_learning(secrets))
    asyncio.run(run(one, options))
    report, _ = replay(path, folders)
    trace = ExportedTrace(path, report)
    return Stored(trace, tuple(one for one in trace.records() if isinstance(one, SeenEvent)), frozenset(secrets))


def _named_in(body: Body) -> list[str]:
    return [max(found).decode() for found in SECRET.findall(body)] if isinstance(body, bytes) else []


def _learning(secrets: set[str]) -> Callable[[TraceEvent], None]:
    """Listeners hear what was really sent: what stands in the trace is masked later."""

    def learn(event: TraceEvent) -> None:
        match event.envelope:
            case HttpRequest(body=body) as request:
                secrets.add((request.header("Authorization") or "").rpartition(" ")[2])
                secrets.update(_named_in(body))
            case HttpResponse(body=bytes() as said) | MqttPublish(payload=said):
                secrets.update(_named_in(said))
            case MqttConnect(password=bytes() as password):
                secrets.add(password.decode())
            case _:
                pass
        secrets.discard("")

    return learn
