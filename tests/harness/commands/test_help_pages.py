"""Every page of help, as a person reads it at 80 columns: sentences, bounds in words, examples that work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any, Final

import pytest

from fleetrig.harness import cli
from fleetrig.harness.cli import TASKS, VERBS, main
from fleetrig.harness.commands.help_page import FEW_OPTIONS, HelpPage, in_words
from fleetrig.harness.commands.option_groups import SECTIONS
from fleetrig.harness.platforms import PLATFORMS

WIDTH: Final = 80
NOISE: Final = re.compile(
    r"<\w|/ --no-|\bx *[<>]=?|[<>]=? *x\b|Show this message|list\[|\.\.\.$|Optional|None\b|\[required\].*\[",
    re.MULTILINE,
)
"""Types, pairs of flags, mathematics, words of libraries, and what was cut off."""
MOST_IN_A_SECTION: Final = 14


def pages() -> list[tuple[str, ...]]:
    """The words of each page of help."""
    found: list[tuple[str, ...]] = [()]
    for name, verb in VERBS.items():
        found.append((name,))
        found.extend((name, part) for part in (PLATFORMS if verb.by_platform else verb.parts))
    return found


def command_of(words: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that words call, as typer has it, and the words after its name."""
    given = list(words)
    command = cli._prepared(given)
    while hasattr(command, "commands") and given:
        command = command.commands[given.pop(0)]
    return command, given


ALL: Final = pages()
COMMANDS: Final = [words for words in ALL if isinstance(command_of(words)[0], HelpPage)]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_a_page_has_no_noise_and_fits(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "-h"]) == 0
    page = capsys.readouterr().out
    assert [line for line in page.splitlines() if len(line) > WIDTH] == []
    assert NOISE.findall(page.partition("\n\n")[2]) == []
    assert page.count("\n  -h, --help ") == 1
    first = re.split(r"\n\s*\n", page)[1]
    assert first.rstrip().endswith("."), first
    assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out == page


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_option_and_argument_has_a_sentence(words: tuple[str, ...]) -> None:
    command, _ = command_of(words)
    with command.make_context(" ".join(words), [], resilient_parsing=True) as context:
        said = {one.name: one.help for one in command.get_params(context) if not getattr(one, "hidden", False)}
    assert {name: text for name, text in said.items() if not is_a_sentence(text)} == {}


def is_a_sentence(text: str | None) -> bool:
    """It begins with a capital, a sign or a word that is written small, and ends with a full stop, defaults aside."""
    sentence = re.sub(r"  \[default: .*\]$", "", text or "")
    return sentence.endswith((".", ". …")) and len(sentence.split()) > 1


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_examples_of_a_page_are_understood(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """As far as a command line can be without running it: names of options and arguments, and forms of values."""
    assert main([*words, "--help"]) == 0
    found = re.search(r"^Examples:\n((?:  .*\n)+)", capsys.readouterr().out, re.MULTILINE)
    assert found is not None, "a page has examples"
    lines = found[1].replace("\\\n", " ").splitlines()
    own = [line for line in lines if line.split()[1 : len(words) + 1] == list(words)]
    assert own, lines
    for line in lines:
        program, *typed = shlex.split(line, comments=True)
        if program == "fleetrig":
            command, rest = command_of([word for word in typed if word not in ("&", ">")])
            rest = rest[: typed.index(">") - len(typed)] if ">" in typed else rest
            with command.make_context(line, rest):
                pass


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_many_options_stand_in_sections(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--help"]) == 0
    page = capsys.readouterr().out
    entries = {title: re.findall(r"^  (-\S+)", body, re.MULTILINE)
               for title, body in re.findall(r"^(\w[^\n]*):\n((?:  .*\n)+)", page, re.MULTILINE)
               if title not in ("Arguments", "Examples")}  # fmt: skip
    assert all(entries.values())
    assert max(map(len, entries.values())) <= MOST_IN_A_SECTION
    if sum(map(len, entries.values())) <= FEW_OPTIONS:
        assert list(entries) == ["Options"]
    else:
        assert len(entries) > 2
        assert len(entries["Other options"]) <= 4, "a section of harness/commands/option_groups.py names it"


def test_sections_name_options_that_there_are() -> None:
    known = {" ".join(words): {name for one in command_of(words)[0].params for name in one.opts} for words in COMMANDS}
    for command, sections in SECTIONS.items():
        there = set[str]().union(*(names for path, names in known.items() if f"{path} ".startswith(f"{command} ")))
        named = [name for names in sections.values() for name in names]
        assert there, command
        assert len(named) == len(set(named)), command
        if command not in {verb for verb in VERBS if VERBS[verb].by_platform} | {"run", "load", "study"}:
            assert set(named) <= there, command


def test_the_first_page_names_each_verb_once_below_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert {verb.task for verb in VERBS.values()} == set(TASKS)
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(len(re.findall(rf"^  {name} +[A-Z]", page, re.MULTILINE)) == 1 for name in VERBS)
    assert all(f"\n{task}:\n" in page for task in TASKS)


@pytest.mark.parametrize("words", [[], ["ca"], ["board"], ["doctor"], ["conform"], ["simulate"]], ids=" ".join)
def test_a_command_that_is_none_shows_its_page_and_is_no_success(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    page = capsys.readouterr().out
    assert main(words) == 4
    assert capsys.readouterr() == (page, "")


@pytest.mark.parametrize("words", [["run"], ["ca", "new"], ["doctor", "hono"], ["doctor"], []], ids=" ".join)
def test_help_is_a_word_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--help"]) == 0
    page = capsys.readouterr().out
    assert main(["help", *words]) == 0
    assert capsys.readouterr().out == page


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("x>=1", "at least 1"),
        ("x<=9", "at most 9"),
        ("0.1<=x<=120.0", "0.1 to 120"),
        ("default: 30.0", "default: 30"),
        ("default: 127.0.0.1:5557", "default: 127.0.0.1:5557"),
    ],
)
def test_bounds_in_words(note: str, words: str) -> None:
    assert in_words(note) == words
