"""What is wrong with a command line, in our words. Typer and pydantic find it; they speak to programmers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from typer import BadParameter, TyperException

from fleetrig.harness.commands.help_page import shown_name, with_page
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.description import did_you_mean

_TOO_MANY: Final = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)$", re.DOTALL)
_NO_CHOICE: Final = re.compile(r"Value error, '(.*)' is not one of (.*)\.$", re.DOTALL)
_QUOTED: Final = r"'([^']*)'"
_FROM_CALLBACK: Final = re.compile(r"^Value error, ")


def usage_sentence(error: TyperException) -> str:
    """`fleetrig run has no option --agianst; did you mean --against? See fleetrig run --help`, in one sentence."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "fleetrig"
    return with_page(_said(error, context, path), path)


def _said(error: TyperException, context: Any, path: str) -> str:
    # The classes are not public; their names are what tracebacks show.
    match type(error).__name__:
        case "NoSuchOption":
            return _no_option(str(getattr(error, "option_name", "")), context, path)
        case "BadOptionUsage":
            return _without_value(error, context)
        case "MissingParameter":
            return _missing(error, context, path)
        case _ if isinstance(error, BadParameter):
            return _bad_value(error)
        case _ if found := _TOO_MANY.match(error.message):
            return _too_many(found[1].split(" "), context, path)
        case _:
            return f"{path}: {error.format_message().rstrip('.')}"


def _no_option(name: str, context: Any, path: str) -> str:
    if not name.startswith("--"):
        return f"{path} has no option {name}; options of more than one letter begin with two dashes"
    return f"{path} has no option {name}{did_you_mean(name, list(_options(context)))}"


def _options(context: Any) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        if parameter.param_type_name == "option" and not parameter.hidden:
            yield from parameter.opts


def _without_value(error: TyperException, context: Any) -> str:
    name = str(getattr(error, "option_name", ""))
    if "not take a value" in error.message:
        return f"{name} takes no value: leave away what follows ="
    parameters = [] if context is None else context.command.get_params(context)
    what = next((one.metavar for one in parameters if name in one.opts), None)
    return f"{name} needs a value" + (f": {name} {what}" if what else "")


def _missing(error: TyperException, context: Any, path: str) -> str:
    """All that is missing: what was given has been read before the first miss was noticed."""
    missing = [one for one in context.command.get_params(context) if one.required and one.name not in context.params]
    missing = missing or [one for one in [getattr(error, "param", None)] if one is not None]
    return f"{path} needs {' and '.join(map(_as_typed, missing))}"


def _as_typed(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return shown_name(parameter)
    return " ".join(filter(None, (parameter.opts[0], parameter.metavar)))


def _bad_value(error: BadParameter) -> str:
    name = "" if error.param is None else _name(error.param)
    return f"{name}: {_expected(error)}" if name else _expected(error)


def _name(parameter: Any) -> str:
    return shown_name(parameter) if parameter.param_type_name == "argument" else str(parameter.opts[-1])


def _expected(error: BadParameter) -> str:
    errors = getattr(error.__cause__, "errors", None)
    if errors is None:
        return _FROM_CALLBACK.sub("", error.message).rstrip(".")
    from pydantic import BaseModel  # large, and imported already when it has found something

    from fleetrig.harness.scenario_file.problems import sentence

    found = errors()[0]
    if choice := _NO_CHOICE.match(str(found["msg"])):
        words = re.findall(_QUOTED, choice[2])
        return f"expected {' or '.join(words)}, got {choice[1]!r}{did_you_mean(choice[1], words)}"
    found["loc"] = ()
    return sentence(found, None, BaseModel)


def _too_many(words: Sequence[str], context: Any, path: str) -> str:
    takes = [shown_name(one) for one in context.command.params if one.param_type_name == "argument"]
    most = f"takes {' '.join(takes)} and nothing more" if takes else "takes options only"
    if words[0] in PLATFORMS and "--platform" in _options(context):
        return f"{path} {most}, got {' '.join(words)}; did you mean --platform {words[0]}?"
    return f"{path} {most}, got {' '.join(words)}"
