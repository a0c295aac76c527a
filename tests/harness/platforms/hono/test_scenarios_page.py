"""The page about scenarios names every word that Hono adds, and says of each generation what holds in it."""

from __future__ import annotations

import re

import pytest

from fleetrig.harness.platforms.hono.device_words import DEVICE_FIELDS
from fleetrig.harness.platforms.hono.vocabulary import VOCABULARY
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from tests.harness.command import PROJECT

PAGE = (PROJECT / "docs" / "hono_scenarios.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"[\w.-]+", " ".join(re.findall(r"`([^`]+)`", PAGE))))


@pytest.mark.parametrize(
    "words",
    [VOCABULARY.credentials, tuple(DEVICE_FIELDS), tuple(VOCABULARY.words), tuple(VOCABULARY.record_fields),
     tuple(VOCABULARY.settings), VOCABULARY.secrets, VOCABULARY.states, VOCABULARY.server_steps],
    ids=["credentials", "devices", "do", "registry", "settings", "rotate", "in_state", "steps"],
)  # fmt: skip
def test_every_word_is_there(words: tuple[str, ...]) -> None:
    assert [word for word in words if word not in NAMED] == []


def test_the_steps_are_those_of_the_server() -> None:
    assert VOCABULARY.server_steps == tuple(Step)


def test_the_table_of_generations_is_true() -> None:
    said: dict[str, set[str]] = {profile: set() for profile in VOCABULARY.profiles}
    for words, *cells in re.findall(r"^\| (`hono[^|]*?) \|(.*)\|(.*)\|(.*)\|(.*)\|.*\|$", PAGE, re.MULTILINE):
        for profile, cell in zip(VOCABULARY.profiles, cells, strict=True):
            if cell.strip() == "yes":
                said[profile] |= {word for word in re.findall(r"`([^`:]+)`", words) if " " not in word}
    assert said == {profile: set(words) for profile, words in VOCABULARY.profile_can.items()}
