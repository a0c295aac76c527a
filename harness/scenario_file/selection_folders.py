"""Where scenarios are looked up: one's own folder first, then those that were installed with fleetrig.

fleetrig run mine/first      ./scenarios/mine/first.yaml
fleetrig run hawkbit/demo    the same in ./scenarios, else the shipped one
fleetrig run                 all of one's own; where there are none, all that are shipped
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.scenario_file.recognition import SUFFIXES, is_other_file
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

OWN: Final = Path("scenarios")
SHIPPED: Final = "shipped"
"""What `--scenarios` takes in place of a folder."""


@dataclass(frozen=True, slots=True)
class ScenarioFolders:
    """In this order; a file of one's own wins over a shipped one of the same id."""

    own: Path | None = None
    """None where only the shipped ones count."""
    shipped: Path | None = None
    """None where a folder was named: then it is the only one."""

    def __iter__(self) -> Iterator[Path]:
        return (folder for folder in (self.own, self.shipped) if folder is not None)

    def __str__(self) -> str:
        if self.own is None:
            return "the scenarios shipped with fleetrig"
        return str(self.own) if self.shipped is None else f"{self.own}, nor shipped with fleetrig"

    def of_own(self) -> dict[str, Path]:
        """Those of one's own by id, in order. Raises UsageError for two files with one id."""
        return {} if self.own is None else ids_below(self.own)

    def of_shipped(self) -> dict[str, Path]:
        """All that are shipped, those that one's own stand in for included."""
        return {} if self.shipped is None else ids_below(self.shipped)

    def known(self) -> dict[str, Path]:
        """What each id means: one's own first."""
        own = self.of_own()
        return own | {one: path for one, path in self.of_shipped().items() if one not in own}


Folders = ScenarioFolders | Path
"""Or one folder alone."""


def folders_of(folders: Folders) -> ScenarioFolders:
    return ScenarioFolders(own=folders) if isinstance(folders, Path) else folders


def scenario_folders(given: Path | None = None) -> ScenarioFolders:
    """What `--scenarios` names, and without it ./scenarios and the installed ones. Raises NoSuchId."""
    installed = installed_folder()
    if given is not None:
        if given.is_dir():
            return ScenarioFolders(own=given)
        if str(given) == SHIPPED and installed is not None:
            return ScenarioFolders(shipped=installed)
        raise NoSuchId(f"there is no folder {given}")
    own = OWN if OWN.is_dir() else None
    if own is not None and installed is not None and own.resolve() == installed.resolve():
        return ScenarioFolders(own=own)
    if own is None and installed is None:
        raise NoSuchId("there is no folder ./scenarios; name one with --scenarios DIR")
    return ScenarioFolders(own, installed)


def installed_folder() -> Path | None:
    """The folder of scenarios that came with this fleetrig."""
    package = importlib.util.find_spec("fleetrig.scenarios")
    found = (package.submodule_search_locations or ()) if package else ()
    return next(map(Path, found), None)


def ids_below(folder: Path) -> dict[str, Path]:
    """Every scenario below a folder by its id, in order. Names that begin with `_` or `.` are other files.

    Raises UsageError for two files with one id.
    """
    found: dict[str, Path] = {}
    for path in sorted(path for suffix in SUFFIXES for path in folder.rglob(f"*{suffix}")):
        inner = path.relative_to(folder)
        if is_other_file(inner):
            continue
        scenario_id = inner.with_suffix("").as_posix()
        if scenario_id in found:
            raise UsageError(f"{found[scenario_id]} and {path} are both called {scenario_id}: rename one of them")
        found[scenario_id] = path
    return found
