"""`fleetrig explain`: what the words of scenario files mean, for those who have no documentation at hand."""

from __future__ import annotations

import shutil
from typing import Annotated, Final

import typer

from fleetrig.harness.language.explanation import explained, overview
from fleetrig.harness.language.lookup import meanings_of

WIDEST: Final = 110


def explain_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="Such as fast_polling, power_on, backoff.cap; all names when not given."),
    ] = None,
) -> None:
    """Say what words of scenario files mean, with their keys and an example."""
    width = min(WIDEST, shutil.get_terminal_size().columns)
    if not words:
        typer.echo("\n".join(overview(width)))
        return
    parts = ["\n".join(explained(meanings_of(word), width)) for word in words]
    typer.echo("\n\n".join(parts))
