"""A platform's words in the models of a file: two platforms that share words, and that differ."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms import PLATFORMS, load
from fleetrig.harness.scenario_file import platform_models
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete
from fleetrig.harness.scenario_file.platform_models import FileModels, any_models, models_for, models_of
from fleetrig.harness.scenario_file.values import Flag, Model, Text
from fleetrig.harness.scenario_file.vocabulary import Vocabulary, merged, vocabulary_of
from fleetrig.simulator.contract.errors import UsageError

pytestmark = pytest.mark.slow


class Deploy(Model, ActionWord):
    """Another platform's deploy."""

    title: Text

    def describe(self) -> str:
        return self.title


OTHER = replace(
    vocabulary_of("hawkbit"),
    transports=("mqtt", "http"),
    credentials=("access_token", "none"),
    attribute_modes=("shared",),
    states=("known",),
    record_fields={"profile": Text},
    words={"deploy": Deploy, "delete": Delete},
    settings={"provisioning.enabled": Flag, "pollingTime": Flag},
)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileModels]:
    """A second platform in the table, as its line there would make it."""
    both = {**{name: vocabulary_of(name) for name in PLATFORMS}, "other": OTHER}
    monkeypatch.setitem(PLATFORMS, "other", "nowhere")
    monkeypatch.setattr(platform_models, "vocabulary_of", both.__getitem__)
    platform_models._models_for.cache_clear()
    yield models_for("other")
    platform_models._models_for.cache_clear()


def scenario(models: FileModels, flow: str, **more: Any) -> Any:
    tree = {"scenario": "x", "devices": {"flow": flow}, "phases": [{"name": "a", "for": "1s"}], **more}
    return models.scenario.model_validate(tree)


def test_the_first_of_several_words_is_the_default(other: FileModels) -> None:
    devices = scenario(other, "other").devices
    assert (devices.over, devices.credential, devices.attributes_mode) == ("mqtt", "access_token", "shared")


def test_the_same_word_means_what_its_platform_says(other: FileModels) -> None:
    entry = other.action.model_validate({"deploy": {"title": "fw"}})
    assert isinstance(entry.arguments, Deploy)
    with pytest.raises(ValidationError, match="version"):
        models_for("hawkbit").action.model_validate({"deploy": {"title": "fw"}})


def test_words_of_another_platform_are_mistakes(other: FileModels) -> None:
    with pytest.raises(ValidationError, match="rotate"):
        other.action.model_validate({"rotate": {"what": "gateway_token"}})
    with pytest.raises(ValidationError, match="installed"):
        other.check.model_validate({"registry": {"installed": "1.0"}})
    assert other.check.model_validate({"registry": {"profile": "p"}}).word == "registry"


def test_the_server_may_be_of_another_platform_than_the_devices(other: FileModels) -> None:
    tree = {"devices": {"flow": "hawkbit"}, "server": {"platform": "other", "settings": {"provisioning.enabled": True}}}
    mixed = scenario(models_of(tree), flow="hawkbit", server=tree["server"])
    assert mixed.platform == "other"
    assert mixed.devices.over == "http"
    assert mixed.server.settings.values == {"provisioning.enabled": True}


def test_a_file_of_no_known_platform_may_use_the_words_of_any(other: FileModels) -> None:
    for tree in ({"deploy": {"title": "fw"}}, {"deploy": {"version": "1.0"}}, {"rotate": {"what": "gateway_token"}}):
        assert any_models().action.model_validate(tree).word in tree
    assert set(merged([vocabulary_of("hawkbit"), OTHER]).credentials) == {
        *vocabulary_of("hawkbit").credentials,
        "access_token",
    }


def test_settings_keep_the_order_of_the_file() -> None:
    settings = {"pollingTime": "00:00:05", "authentication.targettoken.enabled": True}
    given = scenario(models_for("hawkbit"), "hawkbit", server={"settings": settings}).server.settings
    assert list(given.values) == list(settings)
    assert list(given.model_dump()) == list(settings)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_vocabulary_is_whole(name: str) -> None:
    vocabulary = vocabulary_of(name)
    empty = [one.name for one in fields(Vocabulary) if not getattr(vocabulary, one.name)]
    assert set(empty) <= {
        "notes", "operator_knows", "secrets", "line_can", "reference_can", "token_settings", "profile_can",
        "device_rules", "device_listeners", "children_are_silent", "program_certificates", "server_steps",
        "certificate_credentials", "board_values", "serve_options",
    }  # fmt: skip
    assert set(vocabulary.accepted_states) <= set(vocabulary.states)
    assert platform_of(name).name == name
    assert platform_of(name).vocabulary is vocabulary


def test_a_name_that_no_platform_has_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no platform 'hawkbitt'; did you mean 'hawkbit'"):
        platform_of("hawkbitt")
    with pytest.raises(UsageError, match="there is no platform 'moon'; there is hawkbit"):
        load("moon", "vocabulary:VOCABULARY")


def test_check_and_schema_import_no_engine() -> None:
    """Files are read, and the schema is made, by words alone; start-up properties are tried with our own server."""
    folder = Path(__file__).parents[3]
    code = (
        "import sys; from fleetrig.harness.scenario_file.schema import scenario_schema; scenario_schema();"
        "from fleetrig.harness.commands.scenario_commands import check; from pathlib import Path;"
        f"check(['hawkbit'], Path({str(folder / 'scenarios')!r}));"
        "engines = ('fleetrig.reference_server', 'fleetrig.simulator.flows', 'fleetrig.simulator.drivers', "
        "'fleetrig.harness.run.', 'fleetrig.harness.platforms.hawkbit.platform');"
        "print([m for m in sys.modules if m.startswith(engines) and m != 'fleetrig.harness.run.interrupts'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.splitlines()[-1] == "[]"
