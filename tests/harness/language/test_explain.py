"""`fleetrig explain`: a word with its sentence, its keys and an example, in a folder that has no documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.examples import examples_of
from fleetrig.harness.language.explanation import explained, overview
from fleetrig.harness.language.language_word import Topic
from fleetrig.harness.language.lookup import meanings_of
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import fleetrig

WIDTH = 80


def said(word: str) -> str:
    return "\n".join(explained(meanings_of(word), WIDTH))


def test_a_capability_is_explained_where_nobody_has_the_documentation(tmp_path: Path) -> None:
    done = fleetrig("explain", "fast_polling", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("hawkbit.fast_polling: word of `needs`, hawkBit\n  The polling interval may be a few")
    assert "can: [hawkbit.fast_polling]" in " ".join(done.stdout.split())
    assert "    needs: [hawkbit.fast_polling]\n" in done.stdout


def test_a_word_has_its_keys_in_a_column_and_an_example() -> None:
    assert said("gap").startswith(
        "gap: word of `expect`\n"
        "  The time between one such request of a device and its next, every time.\n"
        "\n"
        "  only      glob; * when not given. Which devices, as a glob over their serials.\n"
        "  between   text; poll when not given. What the device calls the request.\n"
        "  at_least  time. No gap is shorter.\n"
        "  at_most   time. No gap is longer; a device that falls silent breaks it too.\n"
        "\n"
        "  in hawkbit/"
    )
    assert '- gap: {between: poll, only: "GW-000[123]", at_least: 5s, at_most: 5500ms}' in said("gap")


@pytest.mark.parametrize(
    ("asked", "heads"),
    [
        ("backoff.cap", ["cap: key of `devices.backoff`"]),
        ("devices.backoff.cap", ["cap: key of `devices.backoff`"]),
        ("sends.body_has", ["body_has: key of `sends`"]),
        ("poll#1:sent", ["poll: name of an exchange, hawkBit"]),
        ("outage", ["outage: fault"]),
        ("reference.faults", ["reference.faults: word of `needs`"]),
        (
            "wrong_password",
            [
                "wrong_password: value of `devices.credential`, Hono",
                "wrong_password: value of `devices.credential`, Kura",
            ],
        ),
        (
            "share",
            ["share: key of `devices.cohorts`", "budget.share: key of `devices.backoff`", "share: key of a fault"],
        ),
        ("only", ["only: key of `power_on`, `power_cut`, `power_cycle`, `sends` and 55 more"]),
        ("at_most_s", []),
    ],
)
def test_what_can_be_asked_for(asked: str, heads: list[str]) -> None:
    if not heads:
        with pytest.raises(UsageError, match="is no word of scenario files"):
            said(asked)
        return
    assert [line for line in said(asked).splitlines() if line[:1].strip()] == heads


def test_a_key_that_is_also_one_of_words_is_told_as_both() -> None:
    heads = [line for line in said("times").splitlines() if line[:1].strip()]
    assert heads[0] == "times: key of a fault"
    assert "times: key of `sends`, `receives`, `no_reply`" in heads


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("fast_poling", "did you mean fast_polling?"),
        ("recieves", "did you mean receives?"),
        ("qqqqqq", "`fleetrig explain` without a word names all of them"),
    ],
)
def test_a_word_that_is_none_has_the_nearest_one(asked: str, hint: str, tmp_path: Path) -> None:
    done = fleetrig("explain", asked, cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith(f"'{asked}' is no word of scenario files; {hint}")


def test_several_words_are_told_one_after_the_other(tmp_path: Path) -> None:
    done = fleetrig("explain", "wait", "outage", cwd=tmp_path)
    assert [line for line in done.stdout.splitlines() if line[:1].strip()] == ["wait: word of `do`", "outage: fault"]


def test_the_overview_names_every_word(tmp_path: Path) -> None:
    text = fleetrig("explain", cwd=tmp_path).stdout
    names = {name.strip(" ,") for name in text.replace("\n", " ").split()}
    missing = [word.name for word in words_of_language()
               if word.topic is not Topic.PROGRAM_EXCHANGE and word.name not in names]  # fmt: skip
    assert missing == []
    assert text.splitlines() == list(overview(WIDTH))


@pytest.mark.parametrize("width", [80, 120])
def test_sentences_are_wrapped_to_the_width(width: int) -> None:
    for asked in ("deploy", "fast_polling", "follows_model", "swupdate", "server_certificate"):
        shown = {
            f"    {line}" for one in meanings_of(asked) for example in examples_of(one.word) for line in example.lines
        }
        lines = [line for line in explained(meanings_of(asked), width) if line not in shown]
        assert max(map(len, lines)) <= width
        assert len(lines) > 2
