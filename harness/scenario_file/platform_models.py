"""The models of a file with a platform's words filled in, by its vocabulary.

`devices.flow` says whose devices they are, `server.platform` whose server, if that is another one. So a word of another
platform is a mistake like a misspelt one, with its line and the nearest word. Made when a platform is first named.

Names of exchanges and of points to cut power at are the devices' own; validators get them as `FileModels.known`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, Field, create_model
from pydantic.fields import FieldInfo

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.action_words import BENCH_WORDS
from fleetrig.harness.scenario_file.board_words import BOARD_WORDS
from fleetrig.harness.scenario_file.check_words import Registry, StepsTaken
from fleetrig.harness.scenario_file.entry import as_list
from fleetrig.harness.scenario_file.exchange_names import KnownNames
from fleetrig.harness.scenario_file.scenario import Devices, Phase, Scenario
from fleetrig.harness.scenario_file.server_block import ServerBlock
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.vocabulary import Vocabulary, merged, vocabulary_of
from fleetrig.harness.scenario_file.words import CHECK_WORDS, Action, Check, with_words

Part = TypeVar("Part", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FileModels:
    """What a file and its parts must look like."""

    scenario: type[Scenario]
    phase: type[Phase]
    action: type[Action]
    check: type[Check]
    known: KnownNames
    """The names that the devices know."""


def models_for(flow: str, platform: str = "", *, external: bool = False) -> FileModels:
    """For devices of a flow, and the flow's own platform or another one. A name that is not known stands for any.

    `external`: the devices are programs, and may do what simulated ones do not.
    """
    return _models_for(flow if flow in PLATFORMS else "", platform if platform in PLATFORMS else flow, external)


def models_of(tree: Any) -> FileModels:
    """For a file, as it was read."""
    external = _at(tree, "devices", "external") not in (None, False)
    return models_for(_text_at(tree, "devices", "flow"), _text_at(tree, "server", "platform"), external=external)


def any_models() -> FileModels:
    """With the words of all platforms."""
    return models_for("")


@cache
def _models_for(flow: str, platform: str, external: bool) -> FileModels:
    devices, server = _vocabulary(flow), _vocabulary(platform)
    action = with_words(Action, {**BENCH_WORDS, **BOARD_WORDS, **server.words})
    check = with_words(Check, {**CHECK_WORDS, "registry": _registry(server), "steps": _steps(server)})
    phase = _narrowed(Phase, {"do": _entries(action), "expect": _several(check)})
    wanted = _server(server)
    parts = {
        "needs": _several(_one_of(_needs(server))),
        "devices": _devices(devices),
        "server": wanted,
        "phases": Annotated[_several(phase), Field(min_length=1)],
    }
    scenario = _narrowed(Scenario, parts, {"server": wanted()})
    return FileModels(scenario, phase, action, check, _known_names(devices, external=external))


def _vocabulary(name: str) -> Vocabulary:
    return vocabulary_of(name) if name in PLATFORMS else merged(map(vocabulary_of, PLATFORMS))


def _known_names(devices: Vocabulary, *, external: bool) -> KnownNames:
    speaks_http = devices.transports == ("http",)
    if external:
        return KnownNames((*devices.exchanges, *devices.program_exchanges), (), devices.moments, speaks_http)
    return KnownNames(devices.exchanges, devices.program_exchanges, devices.moments, speaks_http)


def _devices(vocabulary: Vocabulary) -> type[Devices]:
    """Of alternatives the first is the default."""
    alternatives = {
        "over": vocabulary.transports,
        "credential": vocabulary.credentials,
        "attributes_mode": vocabulary.attribute_modes,
    }
    forms = {name: _one_of(words) for name, words in alternatives.items()}
    defaults = {name: words[0] for name, words in alternatives.items()}
    narrowed = _narrowed(Devices, {"flow": _one_of(PLATFORMS), **forms}, defaults)
    more: dict[str, Any] = {name: _left_away(form) for name, form in vocabulary.device_fields.items()}
    model = cast(type[Devices], create_model("Devices", __base__=narrowed, __doc__=Devices.__doc__, **more))
    model.certificates, model.rules = vocabulary.certificate_credentials, vocabulary.device_rules
    model.children_are_silent = vocabulary.children_are_silent
    model.program_certificates = vocabulary.program_certificates
    return model


def _server(vocabulary: Vocabulary) -> type[ServerBlock]:
    class TenantSettings(Settings, forms=vocabulary.settings, notes=vocabulary.notes):
        """Settings of the tenant, under the names that the platform's management interface gives them."""

    return _narrowed(ServerBlock, {"platform": _one_of(PLATFORMS) | None, "settings": TenantSettings},
                     {"settings": TenantSettings()})  # fmt: skip


def _registry(vocabulary: Vocabulary) -> type[Registry]:
    """The check with the platform's states, and with the further fields of its records."""
    more: dict[str, Any] = {name: _left_away(form) for name, form in vocabulary.record_fields.items()}
    narrowed = _narrowed(Registry, {"in_state": _one_of(vocabulary.states) | None})
    return create_model("Registry", __base__=narrowed, __doc__=Registry.__doc__, **more)


def _steps(vocabulary: Vocabulary) -> type[StepsTaken]:
    """The check with the platform's steps; of a platform that tells none, any name is taken and none ever seen."""
    if not vocabulary.server_steps:
        return StepsTaken
    in_order: Any = Annotated[_several(_one_of(vocabulary.server_steps)), Field(min_length=1)]
    return _narrowed(StepsTaken, {"in_order": in_order})


def _needs(vocabulary: Vocabulary) -> list[str]:
    """Words of `needs`: a listener is one too, with TLS or without."""
    listeners = {f"{transport}{tls}" for transport in vocabulary.transports for tls in ("", "s")}
    return sorted(vocabulary.needs | listeners)


def _entries(action: type[Action]) -> Any:
    return Annotated[_several(action), BeforeValidator(as_list, json_schema_input_type=action | _several(action))]


def _left_away(form: Any) -> tuple[Any, Any]:
    """A field that can be left away, with the sentence of its form: inside a union a schema would lose it."""
    about = (one.description for one in getattr(form, "__metadata__", ()) if isinstance(one, FieldInfo))
    return form | None, Field(None, description=next(filter(None, about), None))


def _several(form: Any) -> Any:
    return tuple[form, ...]


def _narrowed(part: type[Part], forms: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> type[Part]:
    """The same model with narrower forms of some of its fields; defaults and help stay unless said otherwise."""
    fields: dict[str, Any] = {}
    for name, form in forms.items():
        field = part.model_fields[name]
        usual = ... if field.is_required() else field.default
        fields[name] = (form, Field((defaults or {}).get(name, usual), description=field.description))
    return create_model(part.__name__, __base__=part, __doc__=part.__doc__, **fields)


def _one_of(words: Iterable[str]) -> Any:
    return Literal[tuple(words)]


def _text_at(tree: Any, *keys: str) -> str:
    found = _at(tree, *keys)
    return found if isinstance(found, str) else ""


def _at(tree: Any, *keys: str) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
