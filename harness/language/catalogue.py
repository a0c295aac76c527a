"""All words of the scenario language, those of all platforms and those of each, made from models and vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from fleetrig.harness.language.language_word import LanguageWord, Topic
from fleetrig.harness.language.model_keys import form_of_root, keys_of, sentence_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.action_words import BENCH_WORDS
from fleetrig.harness.scenario_file.attribute_docs import value_docs
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.board_words import BOARD_WORDS
from fleetrig.harness.scenario_file.boards_block import BoardRole
from fleetrig.harness.scenario_file.check_words import Registry
from fleetrig.harness.scenario_file.cohort_lines import CohortLine
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.platform_models import any_models, models_for
from fleetrig.harness.scenario_file.scenario import Devices, Phase, Scenario
from fleetrig.harness.scenario_file.server_block import Capacity, ServerBlock
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.scenario_file.word_notes import NEUTRAL_NEED_NOTES, Notes, notes_of
from fleetrig.harness.scenario_file.words import CHECK_WORDS, Check
from fleetrig.hil.ports.line_faults import LineFaultKind
from fleetrig.simulator.arrivals_shape import Shape
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.client_policies import CLIENT_POLICIES
from fleetrig.simulator.contract.delivery import Ending, Framing
from fleetrig.simulator.contract.faults import CAN_BE_FRAMED, CAN_BE_SHOWN, CAN_SHOW_AS, FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate
from fleetrig.simulator.stages import Stage

BLOCKS: Final[Mapping[Topic, type[BaseModel]]] = {
    Topic.FILE: Scenario,
    Topic.COHORT: CohortLine,
    Topic.BACKOFF: BackoffLine,
    Topic.BOARD: BoardRole,
    Topic.SERVER: ServerBlock,
    Topic.CAPACITY: Capacity,
    Topic.PHASE: Phase,
    Topic.BESIDE_CHECK: Check,
    Topic.FAULT_KEY: FaultLine,
}
"""Mappings whose keys are words."""
WORDS: Final[Mapping[Topic, Mapping[str, type[BaseModel]]]] = {
    Topic.ACTION: {**BENCH_WORDS, **BOARD_WORDS},
    Topic.CHECK: CHECK_WORDS,
}
"""Words with keys of their own."""
VALUES: Final[tuple[tuple[Topic, type[StrEnum], Collection[str]], ...]] = (
    (Topic.FAULT, FaultKind, tuple(FaultKind)),
    (Topic.STAGE, Stage, tuple(Stage)),
    (Topic.SHAPE, Shape, tuple(Shape)),
    (Topic.POLICY, Policy, tuple(Policy)),
    (Topic.LINE_FAULT, LineFaultKind, tuple(LineFaultKind)),
    (Topic.SHOWN_CERTIFICATE, ShownCertificate, CAN_BE_SHOWN),
    (Topic.ENDING, Ending, CAN_SHOW_AS),
    (Topic.FRAMING, Framing, CAN_BE_FRAMED),
)
"""Words that stand as values, each with those of its kind that a file may say."""
WORDS_OF_PLATFORMS: Final = frozenset({"over", "credential", "attributes_mode"})
"""Keys of `devices` that each platform has words for."""
FIRST: Final = "its first"
ENTER: Final = "enter-"
"""Moments: the device comes to a stage."""


@cache
def words_of_language() -> tuple[LanguageWord, ...]:
    """All of them: first those of all platforms, then those of each."""
    return (*_neutral(), *(word for platform in PLATFORMS for word in _of_platform(platform)))


def words_about(topic: Topic, platform: str = "") -> tuple[LanguageWord, ...]:
    """The words of a topic, of all platforms or of one."""
    return tuple(word for word in words_of_language() if (word.topic, word.platform) == (topic, platform))


def _neutral() -> Iterator[LanguageWord]:
    for topic, model in BLOCKS.items():
        yield from _keys_as_words(topic, model)
    yield from _devices()
    for topic, models in WORDS.items():
        yield from _words(topic, models)
    for topic, kind, values in VALUES:
        yield from _values(topic, {value: value_docs(kind).get(value, "") for value in values})
    yield from _values(Topic.CLIENT, {name: policy.source for name, policy in CLIENT_POLICIES.items()})
    yield from _values(Topic.NEED, NEUTRAL_NEED_NOTES)


def _of_platform(platform: str) -> Iterator[LanguageWord]:
    vocabulary, notes = vocabulary_of(platform), notes_of(platform)
    scenario = models_for(platform).scenario
    devices, server = (scenario.model_fields[name].annotation for name in ("devices", "server"))
    settings, registry = _model(server, "settings"), _model(models_for(platform).check, "registry")
    yield from _keys_as_words(Topic.DEVICES, devices, platform, leave=_keys_in(Devices))
    yield from _keys_as_words(Topic.SETTING, settings, platform)
    yield from _words(Topic.ACTION, vocabulary.words, platform)
    yield from _keys_as_words(Topic.RECORD, registry, platform, leave=_keys_in(Registry))
    values: dict[Topic, Notes] = {
        Topic.CREDENTIAL: notes.credentials,
        Topic.ATTRIBUTES_MODE: notes.attribute_modes,
        Topic.STATE: notes.states,
        Topic.NEED: notes.needs,
        Topic.SECRET: notes.secrets,
        Topic.EXCHANGE: notes.exchanges,
        Topic.PROGRAM_EXCHANGE: notes.program_exchanges,
        Topic.MOMENT: {**notes.moments, **dict(_entered(vocabulary.moments))},
        Topic.STEP: notes.server_steps,
    }
    for topic, about in values.items():
        yield from _values(topic, about, platform)


def _devices() -> Iterator[LanguageWord]:
    """Keys of all platforms, some of them with words of each."""
    every = any_models().scenario.model_fields["devices"].annotation
    for word in _keys_as_words(Topic.DEVICES, every):
        if word.name in WORDS_OF_PLATFORMS:
            yield replace(word, form="a word of the platform", default=FIRST)
        elif word.name in _keys_in(Devices):
            yield word


def _entered(moments: Iterable[str]) -> Iterator[tuple[str, str]]:
    for moment in moments:
        if moment.startswith(ENTER):
            yield moment, f"It comes to the stage `{moment.removeprefix(ENTER)}`."


def _keys_as_words(topic: Topic, model: Any, platform: str = "", leave: Collection[str] = ()) -> Iterator[LanguageWord]:
    for key in keys_of(model, leave):
        yield LanguageWord(key.name, topic, key.text, platform, key.form, key.default, key.is_required)


def _words(topic: Topic, models: Mapping[str, type[BaseModel]], platform: str = "") -> Iterator[LanguageWord]:
    for name, model in models.items():
        keys = () if issubclass(model, Settings) else keys_of(model)
        yield LanguageWord(name, topic, sentence_of(model), platform, form_of_root(model), keys=keys)


def _values(topic: Topic, notes: Notes, platform: str = "") -> Iterator[LanguageWord]:
    return (LanguageWord(str(name), topic, text, platform) for name, text in notes.items())


def _keys_in(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _model(model: Any, field: str) -> Any:
    """The model of one of its fields, which may be left away."""
    annotation = model.model_fields[field].annotation
    is_model: Callable[[Any], bool] = lambda one: isinstance(one, type) and issubclass(one, BaseModel)  # noqa: E731
    return annotation if is_model(annotation) else next(filter(is_model, annotation.__args__))
