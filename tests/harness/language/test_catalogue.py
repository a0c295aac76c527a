"""Every word of the models and of the vocabularies is in the catalogue, with a sentence that says what it means."""

from __future__ import annotations

import pytest

from fleetrig.harness.language.catalogue import words_about, words_of_language
from fleetrig.harness.language.forms import form_of
from fleetrig.harness.language.language_word import LanguageWord, Topic
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.attribute_docs import value_docs
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.vocabulary import NEUTRAL_NEEDS, vocabulary_of
from fleetrig.harness.scenario_file.word_notes import NEUTRAL_NEED_NOTES, notes_of
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.stages import Stage


def names(topic: Topic, platform: str = "") -> set[str]:
    return {word.name for word in words_about(topic, platform)}


def test_every_word_and_every_key_has_a_sentence() -> None:
    told: list[tuple[LanguageWord, str, str]] = []
    for word in words_of_language():
        told += [(word, word.name, word.text), *((word, key.name, key.text) for key in word.keys)]
    silent = [f"{word.platform} {word.topic.name} {name}" for word, name, text in told if not text.rstrip("`) ")]
    assert silent == [], "write it under the attribute, or into the platform's word_notes.py"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_notes_of_a_platform_are_about_its_words(platform: str) -> None:
    vocabulary, notes = vocabulary_of(platform), notes_of(platform)
    stages = {f"enter-{stage}" for stage in Stage}
    assert list(notes.credentials) == list(vocabulary.credentials)
    assert list(notes.attribute_modes) == list(vocabulary.attribute_modes)
    assert list(notes.states) == list(vocabulary.states)
    assert set(notes.exchanges) == set(vocabulary.exchanges)
    assert set(notes.program_exchanges) == set(vocabulary.program_exchanges)
    assert set(notes.moments) == set(vocabulary.moments) - stages
    assert set(notes.secrets) == set(vocabulary.secrets)
    assert set(notes.server_steps) == set(vocabulary.server_steps)
    assert set(notes.needs) == vocabulary.needs - set(NEUTRAL_NEED_NOTES)
    assert set(vocabulary.notes) >= set(vocabulary.settings)
    assert set(NEUTRAL_NEED_NOTES) >= NEUTRAL_NEEDS


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_word_that_a_file_can_say_is_there(platform: str) -> None:
    models = models_for(platform)
    assert set(models.action.model_fields) == names(Topic.ACTION) | names(Topic.ACTION, platform)
    assert set(models.check.model_fields) == names(Topic.CHECK) | names(Topic.BESIDE_CHECK)
    devices = models.scenario.model_fields["devices"].annotation
    assert devices is not None
    keys = {field.alias or name for name, field in devices.model_fields.items()}
    assert keys == {name for name in names(Topic.DEVICES) | names(Topic.DEVICES, platform) if "." not in name}
    top = {field.alias or name for name, field in Scenario.model_fields.items()}
    assert top == names(Topic.FILE)


def test_values_have_the_sentences_of_their_enumerations() -> None:
    assert names(Topic.FAULT) == set(FaultKind)
    assert names(Topic.STAGE) == set(Stage)
    assert value_docs(FaultKind)["outage"].startswith("Requests do not get through")
    assert set(value_docs(FaultKind)) == set(FaultKind)


def test_defaults_and_forms_are_as_a_file_writes_them() -> None:
    devices = {word.name: word for word in words_about(Topic.DEVICES)}
    backoff = {word.name: word for word in words_about(Topic.BACKOFF)}
    assert (devices["timeout"].form, devices["timeout"].default) == ("time", "10s")
    assert (devices["credential"].default, devices["credential"].is_required) == ("its first", False)
    assert (devices["flow"].form, devices["flow"].is_required) == (
        "`hawkbit`, `thingsboard`, `hono` or `kura`", True,
    )  # fmt: skip
    assert (backoff["budget.share"].form, backoff["budget.share"].default) == ("share", "10%")


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "integer"}, "whole number"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "whole number"),
        ({"anyOf": [{"const": "all"}, {"type": "integer"}]}, "`all` or whole number"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"enum": list("abcdefghi")}, "a word"),
        ({"type": "array", "items": {"type": "boolean"}}, "list of true or false"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}, "two of: number"),
        ({"type": ["string", "number"]}, "single value"),
        ({"$ref": "#/$defs/Inner"}, "mapping"),
        ({"$ref": "#/$defs/Times"}, "bounds"),
        ({}, "anything"),
    ],
)
def test_a_form_is_told_in_a_few_words(schema: dict[str, object], form: str) -> None:
    assert form_of(schema, {"Inner": {"type": "object"}}) == form
