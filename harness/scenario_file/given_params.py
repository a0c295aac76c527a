"""`--set NAME=VALUE`: another value for a param of a scenario file, of the same kind as the one that stands there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fleetrig.harness.scenario_file.problems import not_known
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.simulator.contract.errors import UsageError

FLAGS: Final = {"true": True, "false": False}
SHOWN_CHARS: Final = 60


def read_params(words: Iterable[str] | None) -> dict[str, str]:
    """Raises UsageError for what is no NAME=VALUE, and for a name that comes twice."""
    given: dict[str, str] = {}
    for word in words or ():
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise UsageError(f"--set {word[:SHOWN_CHARS]}: expected NAME=VALUE, such as devices=1000")
        if name in given:
            raise UsageError(f"--set {name} is given twice")
        given[name] = value
    return given


def check_params(given: Iterable[str], files: Sequence[ScenarioFile], *, option: str = "--set") -> None:
    """Raises UsageError for a name that no file has: one of several may lack it."""
    known = sorted({name for file in files for name in file.heading.params})
    for name in given:
        if name in known:
            continue
        if any(name in file.heading.matrix for file in files):
            raise UsageError(f"{option} {name}: that is a name of the matrix; choose a run by its name, ID[{name}=…]")
        what = not_known(name, known) if known else f"{name}: none of the scenarios has params"
        raise UsageError(f"{option} {what}")


def params_of(given: Mapping[str, str], file: ScenarioFile) -> dict[str, Any]:
    """Those that the file has, each of the kind of its own value. Raises UsageError."""
    params = file.heading.params
    return {name: _like(name, params[name], text) for name, text in given.items() if name in params}


def _like(name: str, own: Any, text: str) -> Any:
    match own:
        case bool():
            if text not in FLAGS:
                raise UsageError(f"--set {name}={text[:SHOWN_CHARS]}: expected true or false")
            return FLAGS[text]
        case int() | float():
            return _number(name, text)
        case str() if own.endswith("%") and not text.endswith("%"):
            return _number(name, text)  # in place of a share, as far as the place takes one
        case str() | None:  # of what is not there by default, the place says what it takes
            return text
        case _:
            raise UsageError(f"--set {name}: only single values can be set, and this one has parts: copy the file")


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise UsageError(f"--set {name}={text[:SHOWN_CHARS]}: expected a number")
