"""A console as the bench file describes it."""

from __future__ import annotations

import re
from dataclasses import replace

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.consoles.console import Console, Typing
from fleetrig.hil.consoles.console_trace import ConsoleTrace
from fleetrig.hil.consoles.shell_dialect import LINUX, UBOOT, ShellDialect
from fleetrig.hil.port import BoardPort
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.unreadable import why_no_pattern


def dialect_of(board: str, spec: ConsoleSpec) -> ShellDialect:
    """Raises UsageError: the board has no console, or its prompt is no regular expression."""
    if spec.kind == "none":
        raise UsageError(f"{board} has no console: say `console: {{kind: uboot}}` or linux in the bench file")
    dialect = UBOOT if spec.kind == "uboot" else LINUX
    if not spec.prompt:
        return dialect
    try:
        return replace(dialect, prompt=re.compile(f"(?:{spec.prompt})$"))
    except re.error as error:
        raise UsageError(
            f"{board}: the prompt {spec.prompt!r} is no regular expression: {why_no_pattern(error)}"
        ) from None


def console_of(
    board: str,
    spec: ConsoleSpec,
    port: BoardPort,
    token: str,
    told: ConsoleTrace | None = None,
    secrets: Secrets | None = None,
) -> Console:
    """`token`: letters and digits, new for each console. `told` hears commands, starts and panics, not the lines:
    those are told as they come over the port, whoever reads it (`LineTelling`). Raises UsageError.
    """
    typing = Typing(spec.chunk_bytes, spec.chunk_pause_s)
    console = Console(port, dialect_of(board, spec), token, typing=typing, secrets=secrets or Secrets())
    if told is not None:
        console.on_notice, console.on_ran = told.notice, told.ran
    return console
