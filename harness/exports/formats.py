"""The table of formats: what each is for, and which function makes it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.exports.chrome_trace import chrome_trace
from fleetrig.harness.exports.ctrf import ctrf
from fleetrig.harness.exports.exported_trace import ExportedTrace, all_records, reports_of
from fleetrig.harness.exports.markdown import markdown
from fleetrig.harness.exports.mermaid import mermaid
from fleetrig.harness.exports.otlp import otlp
from fleetrig.harness.exports.pcapng import pcapng
from fleetrig.harness.traces.seen_events import SeenRecord
from fleetrig.simulator.contract.errors import UsageError

Pieces = Iterator[str] | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """`opens`: the program or page that shows it, for the line that says where it was written."""

    about: str
    write: Callable[[Sequence[ExportedTrace]], Pieces]
    opens: str
    needs_verdict: bool = False
    is_of_one_trace: bool = False


def _of_events(make: Callable[[Iterable[SeenRecord]], Pieces]) -> Callable[[Sequence[ExportedTrace]], Pieces]:
    return lambda traces: make(all_records(traces))


def _mermaid(traces: Sequence[ExportedTrace]) -> Iterator[str]:
    for trace in traces:
        if trace.report is not None:
            yield from mermaid(trace.report, trace.records())


FORMATS: Final[Mapping[str, ExportFormat]] = {
    "pcapng": ExportFormat("packets, for Wireshark and tshark", _of_events(pcapng), "wireshark"),
    "chrome": ExportFormat("a timeline (Chrome trace JSON), for Perfetto", _of_events(chrome_trace), "ui.perfetto.dev"),
    "otlp": ExportFormat("spans and logs (OTLP/JSON lines), for OpenTelemetry", _of_events(otlp), "any OTLP collector"),
    "ctrf": ExportFormat(
        "test results (CTRF JSON)", lambda traces: ctrf(reports_of(traces)), "any CTRF reader", needs_verdict=True
    ),
    "mermaid": ExportFormat(
        "a sequence diagram of the last 30 events before the finding; of one trace", _mermaid, "mermaid.live",
        needs_verdict=True, is_of_one_trace=True,
    ),
    "markdown": ExportFormat(
        "a summary for the page of a CI's step; added to $GITHUB_STEP_SUMMARY, if that is the file",
        lambda traces: markdown(reports_of(traces)), "any Markdown reader", needs_verdict=True,
    ),
}  # fmt: skip


def known_format(name: str) -> ExportFormat:
    """Raises UsageError, with the nearest word."""
    if name in FORMATS:
        return FORMATS[name]
    nearest = difflib.get_close_matches(name.lower(), FORMATS, n=1, cutoff=0.4)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise UsageError(f"--to {name}: no format is called {name!r}, expected one of {', '.join(FORMATS)}{hint}")
