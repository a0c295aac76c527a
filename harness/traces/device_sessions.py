"""The sessions of some devices, looked up in the whole file: a connection is theirs before anything on it says so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.traces.trace_filter import GLOBS
from fleetrig.simulator.contract.trace_json import from_line

OF_A_SESSION: Final = '"session":'


def sessions_of_devices(path: Path, wanted: Sequence[str]) -> frozenset[int]:
    """Empty for what cannot be read twice, such as a pipe. Raises UsageError for what cannot be read."""
    if not wanted or (path.exists() and not path.is_file()):
        return frozenset()
    return sessions_in((line for _, line in StoredTrace(path).lines()), wanted)


def sessions_in(lines: Iterable[str], wanted: Sequence[str]) -> frozenset[int]:
    """Looked for by text first: reading a line takes a hundred times as long."""
    texts = [json.dumps(one)[1:-1] for one in wanted if not GLOBS.search(one)]
    has_globs = len(texts) < len(wanted)
    sessions: set[int] = set()
    for line in lines:
        if OF_A_SESSION in line and (has_globs or any(text in line for text in texts)):
            sessions.update(_session_in(line, wanted))
    return frozenset(sessions)


def _session_in(line: str, wanted: Sequence[str]) -> Sequence[int]:
    try:
        event = from_line(line)
    except ValueError:
        return ()
    is_wanted = event.session and any(fnmatchcase(event.device, one) for one in wanted)
    return (event.session,) if is_wanted else ()
