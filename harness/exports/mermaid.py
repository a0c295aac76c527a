"""A Mermaid sequence diagram of the last events before a finding, for tickets and wikis that draw it.

It ends with the last event that the first finding names, else with the event by which the bench says that a check does
not hold; of a run without findings it shows the end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from fleetrig.harness.traces.event_words import TO_DEVICE, TO_SERVER, EventWords, words_of
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord
from fleetrig.harness.verdict import Finding, Report
from fleetrig.simulator.contract.trace import Lane

SHOWN: Final = 30
LONGEST_TEXT: Final = 120
UNSAFE: Final = re.compile(r"[^\w .,/=?'()«»→←·µ+*-]")
"""`;`, `#`, `:`, `<`, `%` and more have a meaning to Mermaid: they are written as entities."""
SERVER, BENCH = "server", "bench"


def mermaid(report: Report, records: Iterable[SeenRecord]) -> Iterator[str]:
    """The diagram, line by line."""
    finding = first_finding(report)
    shown = last_before(finding, records)
    yield "sequenceDiagram\n"
    names = {who: f"d{number}" for number, who in enumerate(dict.fromkeys(map(_who, shown)), 1)}
    for who, name in names.items():
        yield f"    participant {name} as {safe(who)}\n"
    if any(_is_message(seen) for seen in shown) and SERVER not in names:
        names[SERVER] = "server"
        yield "    participant server as server\n"
    for seen in shown:
        yield f"    {_line(seen, names)}\n"
    over = names.get(_who(shown[-1]), "") if shown else ""
    said = f"{report.verdict}: {finding.got}" if finding is not None else f"{report.verdict}: {report.reason}"
    if over:
        yield f"    Note over {over}: {safe(said.rstrip(': '))}\n"


def first_finding(report: Report) -> Finding | None:
    checks = (check for phase in report.phases for check in phase.checks)
    return next((check.finding for check in checks if check.finding is not None), None)


def last_before(finding: Finding | None, records: Iterable[SeenRecord]) -> list[SeenEvent]:
    """The events up to the last one that the finding names."""
    named = [] if finding is None else [one for one in finding.evidence if one.is_in_trace]
    missing = {(one.lane, one.seq) for one in named}
    last: deque[SeenEvent] = deque(maxlen=SHOWN)
    for record in records:
        if not isinstance(record, SeenEvent):
            continue
        last.append(record)
        missing.discard((str(record.event.lane), record.event.seq))
        is_found = record.event.lane is Lane.BENCH and record.event.kind == "found"
        if finding is not None and (not missing if named else is_found):
            break
    return list(last)


def _who(seen: SeenEvent) -> str:
    return BENCH if seen.event.lane is Lane.BENCH else seen.device or SERVER


def _is_message(seen: SeenEvent) -> bool:
    return seen.event.lane is not Lane.BOARD and words_of(seen.event, seen.question).mark in (TO_SERVER, TO_DEVICE)


def _line(seen: SeenEvent, names: dict[str, str]) -> str:
    words, name = words_of(seen.event, seen.question), names[_who(seen)]
    text = safe(f"{seen.event.lane} {seen.event.seq} {words.text}")
    if not _is_message(seen):
        return f"Note over {name}: {text}"
    return _arrow(words, name, names[SERVER]) + f": {text}"


def _arrow(words: EventWords, device: str, server: str) -> str:
    asks, answers = (device, server) if words.mark == TO_SERVER else (server, device)
    return f"{asks}{'-x' if words.is_wrong else '->>'}{answers}"


def safe(text: str) -> str:
    """One line that Mermaid takes for text."""
    one_line = " ".join(text.split())
    shown = one_line if len(one_line) <= LONGEST_TEXT else one_line[:LONGEST_TEXT] + " …"
    return UNSAFE.sub(lambda found: f"#{ord(found[0])};", shown) or "-"
