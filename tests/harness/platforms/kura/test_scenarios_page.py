"""The page about scenarios names every word that Kura adds, and says of each profile what holds in it."""

from __future__ import annotations

import re

import pytest

from fleetrig.harness.platforms.kura.device_words import (
    DEVICE_FIELDS,
    CloudServiceWords,
    DataServiceWords,
    ProvisioningWords,
    TransportWords,
)
from fleetrig.harness.platforms.kura.request_terms import RequestTerms
from fleetrig.harness.platforms.kura.vocabulary import VOCABULARY
from fleetrig.harness.scenario_file.values import Model
from tests.harness.command import PROJECT

PAGE = (PROJECT / "docs" / "kura_scenarios.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"[\w.-]+", " ".join(re.findall(r"`([^`]+)`", PAGE))))


def keys_of(*models: type[Model]) -> tuple[str, ...]:
    """As scenario files write them."""
    return tuple(field.alias or name for model in models for name, field in model.model_fields.items())


@pytest.mark.parametrize(
    "words",
    [VOCABULARY.credentials, tuple(DEVICE_FIELDS), tuple(VOCABULARY.words), tuple(VOCABULARY.record_fields),
     tuple(VOCABULARY.settings), VOCABULARY.secrets, VOCABULARY.states, VOCABULARY.server_steps, VOCABULARY.exchanges,
     keys_of(ProvisioningWords, DataServiceWords, TransportWords, CloudServiceWords), keys_of(RequestTerms)],
    ids=["credentials", "devices", "do", "registry", "settings", "rotate", "in_state", "steps", "exchanges", "services",
         "terms"],
)  # fmt: skip
def test_every_word_is_there(words: tuple[str, ...]) -> None:
    assert words
    assert [word for word in words if word not in NAMED] == []


def test_the_table_of_profiles_is_true() -> None:
    said: dict[str, set[str]] = {profile: set() for profile in VOCABULARY.profiles}
    for words, *cells in re.findall(r"^\| (`kura[^|]*?) \|(.*)\|(.*)\|.*\|$", PAGE, re.MULTILINE):
        for profile, cell in zip(VOCABULARY.profiles, cells, strict=True):
            if cell.strip() == "yes":
                said[profile] |= {word for word in re.findall(r"`(kura[^`]*)`", words) if " " not in word}
    in_all = set(VOCABULARY.can)
    assert {profile: words & in_all for profile, words in said.items()} == dict.fromkeys(said, in_all)
    assert {profile: words - in_all for profile, words in said.items()} == {
        profile: set(words) for profile, words in VOCABULARY.profile_can.items()
    }
