"""The `fleetrig` command: a table of verbs, and the one place where errors become exit codes.

A verb is an ordinary function whose parameters are annotated for typer. Its module is imported when the verb is called
and not before, so that `fleetrig --help` answers at once.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import typer

from fleetrig.harness.commands.help_page import HELP_WORDS, FamilyPage, HelpPage, VerbsPage
from fleetrig.harness.commands.usage_sentence import usage_sentence
from fleetrig.harness.platforms import FIRST, PLATFORMS, load
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.interrupts import StopRequests, stop_signals
from fleetrig.harness.servers.description import description_of, known_platform
from fleetrig.simulator.contract.errors import FleetrigError, UsageError, broken_environment, system_said


class Verb(NamedTuple):
    """Where a verb's function lies, and its line in `fleetrig --help`."""

    function: str
    """`module:function`, imported when the verb is called. With `by_platform` it lies below the platform's package."""
    help: str
    by_platform: bool = False
    """Each platform has a command of its own, with its own options: `fleetrig doctor PLATFORM`."""
    parts: Mapping[str, Verb] = {}
    """A verb that is a family of commands: `fleetrig ca new`."""
    task: str = ""
    """The title below which `fleetrig --help` lists it."""
    examples: tuple[str, ...] = ()
    """Of a family's page; a command says its own."""

    def page(self, more: str) -> str:
        """The text of a family's page."""
        return "\n".join([f"{self.help}\n\n{more}\n\nExamples:", *self.examples])


COMMANDS: Final = "fleetrig.harness.commands"
CA: Final = {
    "new": Verb(f"{COMMANDS}.ca.new:new_command", "Make a certificate authority."),
    "issue": Verb(f"{COMMANDS}.ca.issue:issue_command", "Issue certificates with their keys."),
    "sign": Verb(f"{COMMANDS}.ca.sign:sign_command", "Sign a certificate request (CSR)."),
    "renew": Verb(f"{COMMANDS}.ca.renew:renew_command", "Issue for the same names again, before the end."),
    "cross-sign": Verb(f"{COMMANDS}.ca.cross_sign:cross_sign_command", "Roll over to a new authority, with overlap."),
    "revoke": Verb(f"{COMMANDS}.ca.revoke:revoke_command", "Revoke certificates, and write the list that says so."),
    "show": Verb(f"{COMMANDS}.ca.show:show_command", "Say what is in a file of certificates."),
}
BOARD: Final = {
    "list": Verb(f"{COMMANDS}.board.list:list_command", "List the boards: what is there, who has it."),
    "scan": Verb(f"{COMMANDS}.board.scan:scan_command", "Write a bench file of the ports of this machine."),
    "prepare": Verb(f"{COMMANDS}.board.emulated:prepare_command", "Build the image of the emulated gateway."),
    "firmware": Verb(f"{COMMANDS}.board.emulated:firmware_command", "Write an image for emulated and fake boards."),
    "console": Verb(f"{COMMANDS}.board.console:console_command", "Talk to a board, or run commands on it."),
    "flash": Verb(f"{COMMANDS}.board.flash:flash_command", "Write an image to a board, and read it back."),
    "bridge": Verb(f"{COMMANDS}.board.bridge:bridge_command", "Share a board's line, or carry what it asks."),
    "bring-up": Verb(f"{COMMANDS}.board.bring_up:bring_up_command", "Bring boards up, with a record for each unit."),
    "records": Verb(f"{COMMANDS}.board.records:records_command", "List what became of the units that were made."),
    "who": Verb(f"{COMMANDS}.board.who:who_command", "Say who has a board, and who had it."),
    "out-of-service": Verb(f"{COMMANDS}.board.service:out_of_service_command", "Say why nobody may use a board."),
    "in-service": Verb(f"{COMMANDS}.board.service:in_service_command", "Put a board in service again."),
}
TEST: Final = "Test devices and servers"
WRITE: Final = "Find and write scenarios"
DESK: Final = "A server on your desk"
FLEETS: Final = "Fleets and load"
BENCH: Final = "Certificates and real boards"
TASKS: Final = (TEST, WRITE, DESK, FLEETS, BENCH)
"""Their order in `fleetrig --help`."""
VERBS: Final = {
    "serve": Verb(f"{COMMANDS}.serve:serve", "Start the reference server.", task=DESK),
    "run": Verb(
        f"{COMMANDS}.run:run_command", "Run scenarios in virtual time, in real time, or against a server.", task=TEST
    ),
    "load": Verb(
        f"{COMMANDS}.load:load_command", "Run a scenario as load, from many devices over real sockets.", task=FLEETS
    ),
    "predict": Verb(f"{COMMANDS}.predict:predict_command", "Foretell a load run, in virtual time.", task=FLEETS),
    "study": Verb(
        f"{COMMANDS}.study:study_command", "Run a scenario with many values, and say which are best.", task=FLEETS
    ),
    "compare": Verb(f"{COMMANDS}.compare:compare_command", "Lay the curves of two runs on each other.", task=FLEETS),
    "policy": Verb(f"{COMMANDS}.policy:policy_command", "Say how the devices of a stored trace back off.", task=FLEETS),
    "edge": Verb(
        f"{COMMANDS}.edge:edge_command", "Find the value from which on a fleet collapses, or survives.", task=FLEETS
    ),
    "conform": Verb(
        "conformance.command:conform_command",
        "Check a server against every row of a contract.",
        True,
        task=TEST,
        examples=(f"fleetrig conform {FIRST} --list", f"fleetrig conform {FIRST} --against SERVER.yaml"),
    ),
    "doctor": Verb(
        "doctor.command:doctor_command",
        "Say why a server refuses a device.",
        True,
        task=DESK,
        examples=(f"fleetrig doctor {FIRST} --against http://127.0.0.1:8080 --id gateway-7",),
    ),
    "simulate": Verb(
        "simulate:simulate_command",
        "Simulate devices without a scenario.",
        True,
        task=FLEETS,
        examples=(f"fleetrig simulate {FIRST} --against http://127.0.0.1:8080 --register",),
    ),
    "register": Verb(f"{COMMANDS}.register:register_command", "Let a device in, and say how it gets in.", task=DESK),
    "deploy": Verb(
        f"{COMMANDS}.deploy:deploy_command", "Give files to devices, and see what they make of them.", task=DESK
    ),
    "list": Verb(f"{COMMANDS}.scenario_commands:list_scenarios", "List scenarios.", task=WRITE),
    "plan": Verb(f"{COMMANDS}.plan:plan_command", "Show what a run would do, without running it.", task=WRITE),
    "report": Verb(
        f"{COMMANDS}.report:report_command", "Judge stored traces again, without running anything.", task=TEST
    ),
    "trace": Verb(
        f"{COMMANDS}.trace:trace_command", "Show what happened, event by event: of a run or a server.", task=TEST
    ),
    "check": Verb(f"{COMMANDS}.scenario_commands:check", "Check scenario files without running them.", task=WRITE),
    "explain": Verb(f"{COMMANDS}.explain:explain_command", "Say what words of scenario files mean.", task=WRITE),
    "schema": Verb(
        f"{COMMANDS}.scenario_commands:schema",
        "Print the JSON Schema of scenario, bench or study files, for editors.",
        task=WRITE,
    ),
    "new": Verb(f"{COMMANDS}.scenario_commands:new", "Write a scenario or a study to start from.", task=WRITE),
    "ca": Verb(
        "",
        "Make certificates for a bench.",
        parts=CA,
        task=BENCH,
        examples=("fleetrig ca new plant --name 'Plant CA'", "fleetrig ca issue plant --server localhost --out server"),
    ),
    "board": Verb(
        "",
        "Use real boards, by the names of a bench file.",
        parts=BOARD,
        task=BENCH,
        examples=(
            "fleetrig board list",
            "fleetrig board scan --out bench.yaml",
            "fleetrig board console emulated-uboot",
        ),
    ),
}
ABOUT: Final = f"""A test bench for device provisioning: a reference server, simulated fleets, scenarios that judge.

Each command has a page of its own: `fleetrig COMMAND --help`. README.md and docs/ of the project say more.

Examples:
  fleetrig run {FIRST}/demo  # devices register and take an update
  fleetrig serve             # a server on this machine, for your own device
  fleetrig new mine/first    # a scenario of your own to start from
"""
FAMILY_SETTINGS: Final[Mapping[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "no_args_is_help": True,
    "context_settings": {"help_option_names": list(HELP_WORDS)},
}
"""Of every `typer.Typer`. typer hands the names of the help option down to the commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    requests = StopRequests()
    try:
        # Outside: a stop during the imports ends the program at once (`entry.py`), since libraries swallow exceptions.
        command = _prepared(given)
        with stop_signals(ends_program=arguments is None) as requests:
            code = _run(command, given)
            sys.stdout.flush()
            return code
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            raise
        return _report(error, is_stopped=requests.stops)


def _prepared(given: list[str]) -> Any:
    """The command with its verb imported; the words are put in order."""
    if given[:1] == ["help"]:
        given[:] = [*given[1:], "--help"]
    at = next((at for at, argument in enumerate(given) if not argument.startswith("-")), len(given))
    wanted = given[at] if at < len(given) else None
    if wanted in VERBS and VERBS[wanted].by_platform:
        given[at + 1 :] = platform_first(wanted, given[at + 1 :])
    return _command(wanted, given[at + 1 :])


def _run(command: Any, given: list[str]) -> int:
    try:
        # Not `command(…)`: that would turn Ctrl-C and a closed pipe into exit codes of its own.
        with command.make_context("fleetrig", given) as context:
            result = command.invoke(context)
    except typer.Exit as end:
        result = end.exit_code
    return int(result or 0)


def _command(wanted: str | None, words: Sequence[str]) -> Any:
    """All verbs in the order of their table; typer would sort them differently."""
    command: Any = typer.main.get_command(_app(wanted, words))
    command.commands = {name: command.commands[name] for name in VERBS}
    command.tasks = {task: [name for name, verb in VERBS.items() if verb.task == task] for task in TASKS}
    return command


def platform_first(verb: str, words: list[str]) -> list[str]:
    """The words after a verb, the platform's name moved before its options. Raises UsageError without a platform."""
    if not words:
        return words
    if not words[0].startswith("-"):
        known_platform(words[0], f"fleetrig {verb}")
        return words
    named = next((word for word in words if word in PLATFORMS), None)
    if named is not None:
        return [named, *words[: words.index(named)], *words[words.index(named) + 1 :]]
    if not {*HELP_WORDS}.isdisjoint(words):
        return ["--help"]
    raise UsageError(f"fleetrig {verb} needs a platform: {', '.join(PLATFORMS)}; see `fleetrig {verb} --help`")


def _app(wanted: str | None, words: Sequence[str]) -> typer.Typer:
    """All verbs; only the requested one is imported."""
    app = typer.Typer(cls=VerbsPage, **FAMILY_SETTINGS)
    app.callback(help=ABOUT)(_everywhere)
    for name, verb in VERBS.items():
        part = next((word for word in words if not word.startswith("-")), "") if name == wanted else ""
        if verb.parts:
            app.add_typer(_family(name, verb, part), name=name)
        elif verb.by_platform:
            app.add_typer(_platforms(name, verb, words[0] if words and name == wanted else ""), name=name)
        elif name == wanted:
            app.command(name, cls=HelpPage)(_function(verb.function))
        else:
            app.command(name, help=verb.help)(_not_imported)
    return app


def _family(name: str, verb: Verb, wanted: str) -> typer.Typer:
    """The commands of a family; only the requested one is imported."""
    app = typer.Typer(cls=FamilyPage, **FAMILY_SETTINGS)
    app.callback(help=verb.page(f"Each command has its own options: see `fleetrig {name} COMMAND --help`."))(
        _not_imported
    )
    for part, command in verb.parts.items():
        if part == wanted:
            app.command(part, cls=HelpPage)(_function(command.function))
        else:
            app.command(part, help=command.help)(_not_imported)
    return app


def _platforms(name: str, verb: Verb, wanted: str) -> typer.Typer:
    """A command for each platform; only the requested one is imported."""
    app = typer.Typer(cls=FamilyPage, subcommand_metavar="PLATFORM ...", **FAMILY_SETTINGS)
    app.callback(help=verb.page(f"Each platform has its own options: see `fleetrig {name} PLATFORM --help`."))(
        _not_imported
    )
    for platform in PLATFORMS:
        if platform == wanted:
            app.command(platform, cls=HelpPage)(load(platform, verb.function))
        else:
            app.command(platform, help=description_of(platform).summary)(_not_imported)
    return app


def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _not_imported() -> None:
    """Stands for a command that was not called."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"fleetrig {VERSION}")
        raise typer.Exit


def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """The options of the command as a whole. `--debug` was taken out before, since it counts after a verb too."""


def _report(error: BaseException, *, is_stopped: bool) -> int:
    """One sentence on stderr, and the exit code. A stop can have become any error on its way through libraries."""
    match error:
        case KeyboardInterrupt() | typer.Abort():
            return _say("interrupted", Exit.INTERRUPTED)
        case SystemExit():
            return error.code if isinstance(error.code, int) else Exit.BUG
        case BrokenPipeError():
            # Nobody reads any more: be quiet, also when the interpreter flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.BROKEN
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EROFS | errno.EIO):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in it cannot be written
            return _say(f"cannot write{_to(error)}: {system_said(error)}", Exit.BROKEN)
        case FleetrigError():
            from fleetrig.harness.servers.no_answer import looked_closer  # sockets and TLS are for who has no answer

            return _say(looked_closer(error), error.exit_code)
        case OSError():
            return _say(str(broken_environment(error)), Exit.BROKEN)
        case typer.TyperException() if type(error).__name__ == "NoArgsIsHelpError":
            print(error.message)  # to do nothing is no success: a script that runs `fleetrig $WORDS` is to notice
            return Exit.WRONG_USAGE
        case typer.TyperException():
            return _say(usage_sentence(error), Exit.WRONG_USAGE)
        case _ if is_stopped:
            return _say("interrupted", Exit.INTERRUPTED)
        case _:
            what = f"{type(error).__name__}: {error}"
            return _say(f"this is a bug in fleetrig ({what}); --debug shows where, please report it", Exit.BUG)


def _to(error: OSError) -> str:
    return f" {error.filename}" if error.filename is not None else " the output"


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
