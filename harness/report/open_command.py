"""The command that shows where a finding comes from, to be copied into a terminal."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from fleetrig.harness.verdict import CheckResult, Report, Verdict


def open_command(check: CheckResult, trace_file: str) -> str:
    """`fleetrig trace T --device gw-7 --around device:110`; empty without a stored trace, or without evidence in it.

    All that the finding names, and only what is about these devices, unless an event is of none, or the finding is
    about all devices together.
    """
    named = [one for one in check.finding.evidence if one.is_in_trace] if check.finding is not None else []
    if not trace_file or not named:
        return ""
    of_some = all(one.device for one in named) and not (check.finding is not None and check.finding.of_all)
    devices = dict.fromkeys(one.device for one in named) if of_some else {}
    points = dict.fromkeys(f"{one.lane}:{one.seq}" for one in named)
    whose = [word for device in devices for word in ("--device", device)]
    return _command(trace_file, *whose, *(word for point in points for word in ("--around", point)))


def open_phase_command(report: Report) -> str:
    """For a run without such evidence: the phase in which it failed, or all of it. Empty without a stored trace."""
    checks = (check for phase in report.phases for check in phase.checks)
    if not report.trace_file or any(open_command(check, report.trace_file) for check in checks):
        return ""
    failed = next((one.name for one in report.phases if one.verdict in (Verdict.FAILED, Verdict.BROKEN)), "")
    return _command(report.trace_file, *(["--phase", failed] if failed else []))


def _command(trace_file: str, *words: str) -> str:
    return shlex.join(["fleetrig", "trace", shown_place(trace_file), *words])


def shown_place(file: str) -> str:
    """Relative to the working folder where it lies below."""
    path = Path(file)
    here = Path(os.path.curdir).absolute()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else file
