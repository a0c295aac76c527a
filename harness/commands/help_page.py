"""A command's page of help. Arguments are shown by name only; typer would add their Python types."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand


class HelpPage(TyperCommand):
    """A command whose help shows `ID...` and `PATH` instead of `ID <list[str]>`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`[OPTIONS]`, then `PATH`, `TRACE.jsonl...` or `[ID...]`."""
        names = [(shown_name(one), one.required) for one in self.params if isinstance(one, TyperArgument)]
        return ["[OPTIONS]", *(name if is_required else f"[{name}]" for name, is_required in names)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then options, one entry each."""
        arguments, options = [], []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if isinstance(parameter, TyperArgument):
                arguments.append((shown_name(parameter), record[1]))
            else:
                options.append(record)
        for title, records in (("Arguments", arguments), ("Options", options)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def shown_name(argument: TyperArgument) -> str:
    """The name of an argument; `...` says that it may be repeated."""
    return argument.display_name_raw + ("..." if argument.nargs != 1 else "")
