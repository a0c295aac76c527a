"""A command's page of help, and that of a family of commands.

Differs from what typer writes: sections for many options, defaults and bounds in words, whole lines for the commands of
a family, examples as they are typed. A command says its own with `@examples`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from typer import TyperException
from typer.core import TyperArgument, TyperCommand, TyperGroup

from fleetrig.harness.commands.option_groups import Sections, sections_of
from fleetrig.harness.servers.description import did_you_mean
from fleetrig.simulator.contract.errors import UsageError

HELP_WORDS: Final = ("-h", "--help")
FEW_OPTIONS: Final = 12
"""Up to so many need no sections."""
EXAMPLES: Final = "\n\nExamples:\n"
"""What stands in the text of a page before its examples."""

DEFAULT: Final = "  [default: "
"""How a help sentence begins to say a default that typer cannot know."""

_BOUNDS: Final = re.compile(r"(?:(?P<least>-?[\d.]+)<=?)?x(?:(?P<sign>[<>])=?(?P<bound>-?[\d.]+))?$")
_WORDS: Final = re.compile(r" <([^<>]*\|[^<>]*)>$")


HelpEntry = tuple[str, str]
"""A name, and what is said of it."""


Function = TypeVar("Function", bound=Callable[..., Any])


def examples(*lines: str, sections: Sections | None = None) -> Callable[[Function], Function]:
    """For a command: lines of its page as they are typed, and sections of options that are not those of its verb."""

    def add(function: Function) -> Function:
        function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__ or "") + EXAMPLES.rstrip(), *lines])
        vars(function)["help_sections"] = sections
        return function

    return add


class HelpPage(TyperCommand):
    """The page of a command that does something."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`[OPTIONS]`, then `PATH`, `TRACE.jsonl...` or `[ID...]`."""
        names = [(shown_name(one), one.required) for one in self.params if isinstance(one, TyperArgument)]
        return ["[OPTIONS]", *(name if is_required else f"[{name}]" for name, is_required in names)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined] # typer does not always know it
            raise

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        write_text(formatter, self.help or "")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then options, one entry each; many options have sections."""
        arguments: list[HelpEntry] = []
        options: dict[str, HelpEntry] = {}
        for parameter in self.get_params(ctx):
            if (entry := entry_of(parameter, ctx)) is None:
                continue
            if isinstance(parameter, TyperArgument):
                arguments.append(entry)
            else:
                options[max(parameter.opts, key=len)] = entry
        sections = getattr(self.callback, "help_sections", None) or sections_of(ctx.command_path.partition(" ")[2])
        write_entries(formatter, {"Arguments": arguments, **in_sections(options, sections)})


class FamilyPage(TyperGroup):
    """The page of a family of commands, such as `fleetrig ca`. No line of a command is cut off."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        write_text(formatter, self.help or "")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)
        entries = [entry_of(parameter, ctx) for parameter in self.get_params(ctx)]
        write_entries(formatter, {"Options": [entry for entry in entries if entry is not None]})

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        write_entries(formatter, {title: self._entries(names) for title, names in self.titles().items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Raises UsageError for a word that is none of the commands."""
        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise UsageError(
            with_page(f"{ctx.command_path} has no command {args[0]!r}{self.hint(args[0])}", ctx.command_path)
        )

    def hint(self, word: str) -> str:
        return did_you_mean(word, list(self.commands))

    def titles(self) -> Mapping[str, Sequence[str]]:
        """Which commands stand below which title."""
        return {"Commands": list(self.commands)}

    def _entries(self, names: Sequence[str]) -> list[HelpEntry]:
        return [(name, (self.commands[name].help or "").partition("\n\n")[0]) for name in names]


class VerbsPage(FamilyPage):
    """The page of `fleetrig` itself: its verbs by what people want to do."""

    tasks: Mapping[str, Sequence[str]] = MappingProxyType({})
    """Title -> its verbs; filled in by who makes the page."""

    def titles(self) -> Mapping[str, Sequence[str]]:
        return self.tasks

    def hint(self, word: str) -> str:
        """The nearest verb; for a word of a family's, such as `issue`, the whole command."""
        families = [family for family, command in self.commands.items() if word in getattr(command, "commands", ())]
        return f"; did you mean `fleetrig {families[0]} {word}`?" if families else super().hint(word)


def in_sections(options: Mapping[str, HelpEntry], sections: Sections) -> Mapping[str, Sequence[HelpEntry]]:
    """Title -> its options. A page with few of them has no titles."""
    if len(options) <= FEW_OPTIONS:
        sections = {}
    placed = {title: [options[name] for name in names if name in options] for title, names in sections.items()}
    known = {name for names in sections.values() for name in names}
    rest = [entry for name, entry in options.items() if name not in known]
    return {**placed, "Other options" if known else "Options": rest}


def entry_of(parameter: Any, ctx: Any) -> HelpEntry | None:
    """`--jobs N`, and its sentence with at most one pair of brackets behind it; None if it is hidden."""
    record = parameter.get_help_record(ctx)
    if record is None:
        return None
    if set(parameter.opts) == set(HELP_WORDS):
        return ", ".join(HELP_WORDS), "Show this page."
    sentence, _, written = (parameter.help or "").partition(DEFAULT)
    added = record[1].removeprefix(parameter.help or "").strip().removeprefix("[").removesuffix("]")
    notes = [f"default: {written.removesuffix(']')}"] if written else []
    notes += [in_words(note) for note in added.split("; ") if note]
    if isinstance(parameter, TyperArgument):
        names, notes = shown_name(parameter), [note for note in notes if note != "required"]
    else:
        names = _WORDS.sub(r" \1", record[0])  # words to choose from stand between angle brackets
    return names, sentence + (f"  [{'; '.join(notes)}]" if notes else "")


def in_words(note: str) -> str:
    """What typer says of a parameter's default and bounds: `at least 1` for `x>=1`."""
    found = _BOUNDS.match(note)
    if found is None:
        return re.sub(r"(?<=^default: )(\d+)\.0$", r"\1", note)
    least, sign, bound = found.group("least", "sign", "bound")
    if least is not None:
        return f"{float(least):g} to {float(bound):g}"
    return f"at {'least' if sign == '>' else 'most'} {float(bound):g}"


def with_page(said: str, path: str) -> str:
    """What is wrong, and where to look."""
    return f"{said}{' See' if said.endswith('?') else '; see'} `{path} --help`"


def write_text(formatter: Any, text: str) -> None:
    """Paragraphs as the page is wide, then the examples as they were written."""
    prose, _, lines = inspect.cleandoc(text).partition(EXAMPLES)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(prose)
    if lines:
        with formatter.section("Examples"):
            formatter.write("".join(f"  {line}\n" for line in lines.splitlines()))


def write_entries(formatter: Any, of_title: Mapping[str, Sequence[HelpEntry]]) -> None:
    for title, entries in of_title.items():
        if entries:
            with formatter.section(title):
                formatter.write_dl(entries)


def shown_name(argument: TyperArgument) -> str:
    """The name of an argument; `...` says that it may be repeated."""
    name = argument.display_name_raw.strip("[]").removesuffix("...")
    return name + ("..." if argument.nargs != 1 else "")
