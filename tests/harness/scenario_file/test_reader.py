"""What the reader refuses, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, RootModel

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.reader import load_mapping, parse
from fleetrig.harness.scenario_file.values import Duration, Model
from fleetrig.simulator.contract.bounds import YAML_BYTES
from fleetrig.simulator.contract.errors import UsageError

EMPTY = "the file is empty; to start from, `fleetrig new PATH` writes a scenario, `fleetrig board scan` a bench file"
REFUSED = {
    "empty": (b"", f"x.yaml:1:1: {EMPTY}"),
    "only a comment": (
        b"# nothing\n",
        f"x.yaml:1:1: {EMPTY}\n    # nothing\n    ^",
    ),
    "not UTF-8": (b"a: 1\nb: \xfcber\n", "x.yaml:2:4: the file is not UTF-8 text (byte 0xfc)"),
    "UTF-16": ("a: 1\n".encode("utf-16"), "x.yaml:1:1: the file is not UTF-8 text (byte 0xff)"),
    "binary": (b"\x7fELF\x02\x01", "x.yaml:1:1: the file is not plain text (character U+007F)"),
    "a NUL": (b"a: 1\nb: x\x00y\n", "x.yaml:2:5: the file is not plain text (character U+0000)"),
    "too large": (
        b"#" * (1024 * 1024 + 1),
        f"x.yaml:1:1: the file is too large: expected {YAML_BYTES}",
    ),
    "two documents": (
        b"a: 1\n---\nb: 2\n",
        "x.yaml:2:1: a second document begins here; a file holds one\n    ---\n    ^",
    ),
    "a directive": (
        b"%YAML 1.1\n---\na: 1\n",
        "x.yaml:1:1: directives (%YAML, %TAG) are not allowed; files are YAML 1.2\n    %YAML 1.1\n    ^",
    ),
    "an anchor": (
        b"a: &x 1\nb: 2\n",
        "x.yaml:1:4: anchors are not allowed (&x): write the value out, or use params\n    a: &x 1\n       ^",
    ),
    "an anchored key": (
        b"&x a: 1\n",
        "x.yaml:1:1: anchors are not allowed (&x): write the value out, or use params\n    &x a: 1\n    ^",
    ),
    "an alias": (
        b"a: 1\nb: *x\n",
        "x.yaml:2:4: aliases are not allowed (*x): write the value out, or use params\n    b: *x\n       ^",
    ),
    "a tag": (
        b"a: !!python/object:os.system x\n",
        (
            "x.yaml:1:4: tags are not allowed (tag:yaml.org,2002:python/object:os.system); put text in quotes\n"
            "    a: !!python/object:os.system x\n       ^"
        ),
    ),
    "a key twice": (
        b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
        "x.yaml:5:3: the key 'c' already stands on line 3\n      c: 3\n      ^",
    ),
    "keys twice in two places": (
        b"a: 1\na: 2\nb: {c: 1, c: 2}\n",
        (
            "x.yaml:2:1: the key 'a' already stands on line 1\n    a: 2\n    ^\n"
            "x.yaml:3:11: the key 'c' already stands on line 3\n    b: {c: 1, c: 2}\n              ^"
        ),
    ),
    "a key that is a list": (b"? [a, b]\n: c\n", "x.yaml:1:3: a key must be plain text\n    ? [a, b]\n      ^"),
    "a list that is never closed": (
        b"a: [1, 2\nb: 3\n",
        (
            'x.yaml:1:4: this is never closed, or something in it needs a comma or quotes ("${name}")\n'
            "    a: [1, 2\n       ^"
        ),
    ),
    "a text that is never closed": (
        b"a: 'x\n",
        (
            'x.yaml:1:4: this is never closed, or something in it needs a comma or quotes ("${name}")\n'
            "    a: 'x\n       ^"
        ),
    ),
    "a colon in text": (
        b"a: wait: long\n",
        (
            "x.yaml:1:8: a colon where no key can stand; put text that holds ': ' in quotes, "
            "and check the indentation\n"
            "    a: wait: long\n           ^"
        ),
    ),
    "a tab": (b"a:\n\t- b\n", "x.yaml:2:1: tabs cannot indent; use spaces\n    \t- b\n    ^"),
    "indentation": (
        b"a:\n  b: 1\n c: 2\n",
        "x.yaml:3:2: the indentation does not fit the lines above\n     c: 2\n     ^",
    ),
    "an end too early": (b"a: [", "x.yaml:1:5: a value is missing here, or a bracket\n    a: [\n        ^"),
    "an at sign": (
        b"a: @x\n",
        "x.yaml:1:4: text that begins with this character must be put in quotes\n    a: @x\n       ^",
    ),
    "an unknown escape": (
        b'a: "\\q"\n',
        "x.yaml:1:6: not valid YAML: found unknown escape character 'q'\n    a: \"\\q\"\n         ^",
    ),
    "a huge number": (
        b"a: 1" + b"0" * 40,
        "x.yaml:1:4: this number is too large; put it in quotes if it is meant as text\n"
        "    a: 1" + "0" * 40 + "\n       ^",
    ),
    "an infinite number": (
        b"a: 1e999",
        "x.yaml:1:4: this number is too large; put it in quotes if it is meant as text\n    a: 1e999\n       ^",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses_what_is_no_plain_yaml(case: str) -> None:
    content, said = REFUSED[case]

    with pytest.raises(FileMistakes) as refused:
        parse(content, Path("x.yaml"))

    assert str(refused.value) == said
    assert refused.value.exit_code == 4


@pytest.mark.parametrize("nested", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_it_refuses_what_is_too_deep_while_reading(nested: str) -> None:
    with pytest.raises(FileMistakes, match="nested too deep: expected at most 50 levels") as refused:
        parse(f"a:\n {nested}".encode(), Path("x.yaml"))

    assert refused.value.problems[0].mark.line >= 2


def test_fifty_levels_are_allowed() -> None:
    assert parse(b"[" * 50 + b"]" * 50, Path("x.yaml")).tree is not None


@pytest.mark.slow
def test_it_refuses_too_many_values() -> None:
    with pytest.raises(FileMistakes, match="too many values in the file: expected at most 50,000 values"):
        parse(b"- a\n" * 50_001, Path("x.yaml"))


def test_values_are_those_of_yaml_1_2() -> None:
    text = b"""
    [no, off, yes, 0o17, 0x1F, 017, 1:30, 12e03, -.5, ~, null, '', "5", 2026-01-01, true, False, .inf, 1_000, -7, <<]
    """

    tree = parse(text, Path("x.yaml")).tree

    assert tree == [
        "no", "off", "yes", 15, 31, 17, "1:30", 12000.0, -0.5, None, None, "", "5", "2026-01-01", True, False, ".inf",
        "1_000", -7, "<<",
    ]  # fmt: skip


def test_keys_are_text_as_written() -> None:
    assert parse(b"{404: a, true: b, 1.50: c, null: d}", Path("x.yaml")).tree == {
        "404": "a",
        "true": "b",
        "1.50": "c",
        "null": "d",
    }


def test_a_byte_order_mark_and_windows_lines_are_fine() -> None:
    with pytest.raises(FileMistakes) as refused:
        parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\na: 3\r\n", Path("x.yaml"))

    assert str(refused.value) == "x.yaml:3:1: the key 'a' already stands on line 1\n    a: 3\n    ^"


class Account(Model):
    user: str
    rights: tuple[str, ...] = ()
    lasts_s: Duration = Field(1.0, alias="lasts")


class Accounts(RootModel[Annotated[tuple[Account, ...], Field(min_length=1)]]):
    """A file that is a list."""


def test_any_model_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text("- {user: ann, rights: [CREATE_TARGET], lasts: 5m}\n- user: bob\n")

    assert [(one.user, one.lasts_s) for one in load_mapping(path, Accounts).root] == [("ann", 300.0), ("bob", 1.0)]


def test_mistakes_of_any_model_have_a_place(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text("- {user: ann, right: [x]}\n- {lasts: 5}\n")

    with pytest.raises(FileMistakes) as refused:
        load_mapping(path, Accounts)

    assert [str(problem).removeprefix(str(path)) for problem in refused.value.problems] == [
        (
            ":1:15: [0]: 'right' is not known here; did you mean 'rights'?\n"
            "    - {user: ann, right: [x]}\n                  ^"
        ),
        ":2:3: [1]: user is missing\n    - {lasts: 5}\n      ^",
        (
            ":2:11: [1].lasts: expected a time with its unit, such as 500ms, 30s, 5m or 1h, got the number 5\n"
            "    - {lasts: 5}\n              ^"
        ),
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*nope\.yaml: there is no such file"):
        load_mapping(tmp_path / "nope.yaml", Accounts)
    with pytest.raises(UsageError, match="it is a folder"):
        load_mapping(tmp_path, Accounts)
