"""Which scenarios are meant by what somebody typed: an id, the beginning of ids, a file or a folder."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.scenario_file.selection_folders import (
    SHIPPED,
    Folders,
    ScenarioFolders,
    folders_of,
    ids_below,
)
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

SHOWN_CHARACTERS: Final = 200
PATHS_BEGIN_WITH: Final = ("./", "../", "/")
"""What no id begins with."""


def find(wanted: Sequence[str], folders: Folders) -> dict[str, Path]:
    """The scenarios meant by ids, prefixes, files and folders, each by its id. Raises NoSuchId.

    Each word is looked up among one's own, and among the shipped ones only if there is none: what it means does not
    change when fleetrig brings more of them. Nothing at all means all of one's own.
    """
    folders = folders_of(folders)
    if not wanted:
        return _all_of(folders)
    found: dict[str, Path] = {}
    for one in wanted:
        for scenario_id, path in _meant_by(without_values(one), folders).items():
            if (other := found.get(scenario_id, path)) != path:
                raise UsageError(f"{other} and {path} are both called {scenario_id}: choose one of them")
            found[scenario_id] = path
    return found


def find_everywhere(wanted: Sequence[str], folders: Folders) -> dict[str, Path]:
    """All that there is of it: one's own first, then the shipped ones for which they do not stand in."""
    folders = folders_of(folders)
    if not wanted:
        return folders.known() or _all_of(folders)
    found = find(wanted, folders)
    shipped = {one: path for text in wanted for one, path in below(without_values(text), folders.of_shipped()).items()}
    return found | {one: path for one, path in shipped.items() if one not in found}


def remarks(wanted: Sequence[str], folders: Folders) -> Iterator[str]:
    """What a word has not meant, though shipped scenarios have that name too."""
    folders = folders_of(folders)
    own, shipped = folders.of_own(), folders.of_shipped()
    if not wanted and not own and folders.own is not None:
        yield f"there is no scenario in {folders.own}: these are the {len(shipped)} that are shipped with fleetrig"
    for text in dict.fromkeys(map(without_values, wanted)):
        meant, others = below(text, own), below(text, shipped)
        if not meant or not others:
            continue
        if text in meant and text in others and len(others) == 1:
            yield f"{text} is yours, {meant[text]}; `--scenarios {SHIPPED}` takes the one shipped with fleetrig"
        else:
            count, are = (f"{len(others)} more", "are") if len(others) > 1 else ("1 more", "is")
            yield (f"{text} means {len(meant)} of yours, below {folders.own}; {count} {are} shipped with fleetrig: "
                   f"`--scenarios {SHIPPED}` takes {'those' if len(others) > 1 else 'that'} instead")  # fmt: skip


def without_values(text: str) -> str:
    """`hawkbit/power_cuts[cut=poll#1:sent]` without what stands in brackets."""
    return text if is_file(text) else text.partition("[")[0]


def command_word(scenario_id: str, path: Path, known: Mapping[str, Path]) -> str:
    """How a command line names it: by its id where that means this file, else by its path."""
    meant, here = known.get(scenario_id), Path.cwd()
    if meant is not None and meant.resolve() == path.resolve():
        return scenario_id
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def id_of(path: Path, folders: Folders) -> str:
    """The id of a file named by its path: below a folder of scenarios that is looked into, else below the nearest
    folder `scenarios`, else its name.
    """
    inner = path.resolve().with_suffix("")
    for folder in folders_of(folders):
        if inner.is_relative_to(folder.resolve()):
            return inner.relative_to(folder.resolve()).as_posix()
    parts = inner.parts
    above = len(parts) - parts[::-1].index("scenarios") if "scenarios" in parts[:-1] else len(parts) - 1
    return "/".join(parts[above:])


def below(text: str, known: Mapping[str, Path]) -> dict[str, Path]:
    """Those with this id, or below it."""
    return {one: path for one, path in known.items() if one == text or one.startswith(text.rstrip("/") + "/")}


def no_such(text: str, known: Sequence[str], where: str = "") -> str:
    """A sentence with the nearest id or prefix."""
    place = f" in {where}" if where else ""
    prefixes = {"/".join(one.split("/")[:depth]) for one in known for depth in range(1, one.count("/") + 1)}
    nearest = difflib.get_close_matches(text, [*known, *sorted(prefixes)], n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else "`fleetrig list` shows what there is"
    return f"no scenario is called {text}{place}; {hint}"


def is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long a name, or half a character
        return False


def _all_of(folders: ScenarioFolders) -> dict[str, Path]:
    if found := folders.of_own() or folders.of_shipped():
        return found
    raise NoSuchId(f"there are no scenarios in {folders.own or folders}")


def _meant_by(text: str, folders: ScenarioFolders) -> dict[str, Path]:
    if found := below(text, folders.of_own()) or below(text, folders.of_shipped()):
        return found
    if is_file(text):
        return {id_of(Path(text), folders): Path(text)}
    try:
        inside = ids_below(Path(text)) if text and Path(text).is_dir() else {}
    except OSError:  # too long a name
        inside = {}
    if inside:
        return {id_of(one, folders): one for one in inside.values()}
    text = text[:SHOWN_CHARACTERS]
    if text.startswith(PATHS_BEGIN_WITH):
        raise NoSuchId(f"there is no file {text}, and no folder with scenarios")
    raise NoSuchId(no_such(text, list(folders.known()), str(folders)))
