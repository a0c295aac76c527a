"""Files that a scenario names: only from below its own folder, symbolic links followed.

A scenario may come from somebody else, and what its files say ends up in records, traces and messages. Whoever runs it
can allow others (`--allow-outside`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationInfo


def named_file(value: object, info: ValidationInfo) -> Path:
    """The path of a file that exists, relative to the context's `folder`. Raises ValueError."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("expected the path of a file")
    context = info.context or {}
    folder: Path = context.get("folder") or Path()
    path: Path = folder / value
    try:
        is_inside, is_file = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, or links that lead in a circle
        is_inside, is_file = True, False
    if not is_inside and not context.get("allows_outside"):
        raise ValueError(
            "expected a file below the folder of the scenario, since one from somebody else could name any file: "
            "copy it there, or say --allow-outside"
        )
    if not is_file:
        raise ValueError("expected a file that exists (paths are relative to the scenario file)")
    return path
