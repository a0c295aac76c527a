"""Where a command looks up scenarios, and what it says of words that could have meant others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fleetrig.harness.run.interrupts import tell
from fleetrig.harness.scenario_file.selection_folders import OWN, ScenarioFolders, scenario_folders
from fleetrig.harness.scenario_file.selection_lookup import remarks


def given_folder(given: Path | None) -> str:
    """What another process is told of `--scenarios`."""
    return "" if given is None else str(given)


def looked_up(given: Path | None, wanted: Sequence[str]) -> ScenarioFolders:
    """The folders; tells on stderr what else is called so. Raises NoSuchId, UsageError."""
    folders = scenario_folders(given)
    if given is None and folders.own is None and not wanted:
        tell(f"there is no folder ./{OWN}: these are the {len(folders.of_shipped())} scenarios shipped with fleetrig")
    for sentence in remarks(wanted, folders):
        tell(sentence)
    return folders
