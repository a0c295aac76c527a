"""What a platform adds to the file format: its words as data, so that reading a file needs no engine.

Each platform has one in `harness/platforms/<name>/vocabulary.py`; `platform_models` makes models of a file from it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol, runtime_checkable

from fleetrig.harness.platforms import load
from fleetrig.harness.scenario_file.action_words import ActionWord

Form = Any
"""The form of a value: a type that pydantic can validate, such as those in `values`."""

FRESH: Final = "reference"
"""The word of `needs` for a server of our own that was started for the run and is nobody else's."""
NEUTRAL_NEEDS: Final = frozenset({FRESH, "reference.faults", "reference.reasons"})
"""Capabilities of our own server on every platform."""


CLIENT_CERTIFICATES: Final = "client_certificates"
"""The word of `needs` for a server that asks devices for certificates, which somebody can issue."""


@runtime_checkable
class DeviceWords(Protocol):
    """A value of `device_fields` that can say in a part of a sentence what the devices do."""

    def say(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one platform. Of alternatives the first is the default."""

    transports: tuple[str, ...]
    """`devices.over`: http, mqtt, coap."""
    credentials: tuple[str, ...]
    """`devices.credential`."""
    attribute_modes: tuple[str, ...]
    """`devices.attributes_mode`."""
    states: tuple[str, ...]
    """`registry.in_state`: the states of a device in the server's registry."""
    accepted_states: tuple[str, ...]
    """Those of a device that the server has accepted, for the manufacturing record."""
    record_fields: Mapping[str, Form]
    """Further keys of `registry`."""
    id_name: str
    """What the platform calls the name of a device."""
    words: Mapping[str, type[ActionWord]]
    """The words of `do` that the platform performs, besides those of the bench."""
    settings: Mapping[str, Form]
    """Keys of `server.settings`: what an operator of the tenant can configure."""
    exchanges: tuple[str, ...]
    """Names of the requests and messages of simulated devices, as `sends`, `never` or `rate` use them: all that the
    flow can yield, no globs."""
    can: frozenset[str]
    """Words of `needs` that hold for each server of the platform."""
    reference_can: frozenset[str]
    """Words of `needs` that hold for our own server in addition."""
    operator_knows: frozenset[str]
    """Words of `needs` that cannot be detected: a SERVER.yaml declares them."""
    profiles: tuple[str, ...]
    """Generations of the server, newest first."""
    tenant: str
    """The usual tenant."""
    certificate_credentials: frozenset[str] = frozenset()
    """Those of `credentials` that are certificates: devices show them over TLS."""
    program_certificates: frozenset[str] = frozenset()
    """Those of `certificate_credentials` that devices can hold which are programs: they are given files."""
    profile_can: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Profile -> words of `needs` that hold for our own server in this profile; a word that stands in none of these
    sets holds in all profiles. Of other servers they hold by `can`, or a SERVER.yaml declares them."""
    line_can: frozenset[str] = frozenset()
    """Words of `needs` that hold where the manufacturing line has an account of its own: our own server, or a
    SERVER.yaml with `line`."""
    token_settings: frozenset[str] = frozenset()
    """Settings that hold a token of devices."""
    program_exchanges: tuple[str, ...] = ()
    """Further ones, of devices that are programs: what a server can be asked in a device's name."""
    program_values: tuple[str, ...] = ()
    """Names of what a device that is a program, or a board, is given: credentials, and how to behave."""
    board_values: tuple[str, ...] = ()
    """Those of `program_values` that the emulated bench's board with our own device of this platform is told; empty
    where it has no such board."""
    moments: tuple[str, ...] = ()
    """Names of the other effects that the flow can yield: power can be cut before them."""
    device_fields: Mapping[str, Form] = field(default_factory=dict)
    """Further keys of `devices`; each can be left away, and is then None."""
    device_rules: tuple[Callable[[Any], str], ...] = ()
    """Each looks at a whole block `devices` and says in a sentence what no device could do; empty when nothing."""
    device_listeners: tuple[Callable[[Any], tuple[str, ...]], ...] = ()
    """Each looks at a whole block `devices` and names the listeners that its devices call; without any it is `over`."""
    children_are_silent: bool = False
    """Devices behind a gateway have no connection of their own: the gateway speaks for them, and they are known to the
    server's registry alone."""
    server_steps: tuple[str, ...] = ()
    """What our own server tells of its way to an answer, for `steps`: all names, in their usual order."""
    secrets: tuple[str, ...] = ()
    """What `rotate` can replace."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Setting -> a sentence for editors."""
    serve_options: Mapping[str, str] = field(default_factory=dict)
    """Words of `needs` that hold for our own server where `fleetrig serve` is given these options."""

    @property
    def certificate_can(self) -> frozenset[str]:
        """Words of `needs` that hold where devices can show certificates."""
        return frozenset({CLIENT_CERTIFICATES} if self.certificate_credentials else ())

    @property
    def needs(self) -> frozenset[str]:
        """All words of `needs`."""
        words = self.can | self.reference_can | self.line_can | self.operator_knows | self.profile_words
        return NEUTRAL_NEEDS | self.certificate_can | words

    def listeners_for(self, devices: Any) -> tuple[str, ...]:
        """The listeners that a fleet needs."""
        found = tuple(name for one in self.device_listeners for name in one(devices))
        return tuple(dict.fromkeys(found)) or (devices.over,)

    @property
    def profile_words(self) -> frozenset[str]:
        """Words of `needs` that hold in some profiles of our own server only."""
        return frozenset().union(*self.profile_can.values())

    def of_profile(self, profile: str) -> frozenset[str]:
        """Words of `needs` that hold for our own server in a profile; without one it is the newest."""
        words = self.can | self.reference_can | self.line_can | self.certificate_can
        own = self.profile_can.get(profile or self.profiles[0], frozenset())
        return NEUTRAL_NEEDS | (words - self.profile_words) | own | frozenset(self.transports)

    def of_served(self, profile: str) -> frozenset[str]:
        """Words of `needs` that hold for our own server in a profile where it runs by itself, not for a run.

        Nobody has made an account of the line there, or an authority for devices, and others use it too. It tells
        itself which of `serve_options` it has.
        """
        of_a_run = self.line_can | (self.certificate_can - self.can) | frozenset(self.transports) | {FRESH}
        return self.of_profile(profile) - of_a_run - self.serve_options.keys()

    def profiles_with(self, words: Iterable[str]) -> tuple[str, ...]:
        """The profiles of our own server in which all of these words of `needs` hold."""
        return tuple(profile for profile in self.profiles if self.of_profile(profile) >= set(words))


def vocabulary_of(name: str) -> Vocabulary:
    """What a platform adds to scenario files. Raises UsageError for a name that no platform has."""
    vocabulary: Vocabulary = load(name, "vocabulary:VOCABULARY")
    return vocabulary


def merged(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    """All words of all of them: for files whose platform is not known (yet), and for the JSON Schema."""
    every = list(vocabularies)
    parts = {one.name: _merged([getattr(vocabulary, one.name) for vocabulary in every]) for one in fields(Vocabulary)}
    return Vocabulary(**parts)


def _merged(parts: list[Any]) -> Any:
    match parts[0]:
        case tuple():
            return tuple(dict.fromkeys(word for part in parts for word in part))
        case frozenset():
            return frozenset().union(*parts)
        case bool():
            return any(parts)
        case str():
            return parts[0]
        case _:
            keys = dict.fromkeys(key for part in parts for key in part)
            return {key: _either([part[key] for part in parts if key in part]) for key in keys}


def _either(forms: list[Form]) -> Form:
    """One form, or any of several."""
    different = [form for at, form in enumerate(forms) if form not in forms[:at]]
    return (
        different[0]
        if len(different) == 1 or isinstance(different[0], str)
        else functools.reduce(operator.or_, different)
    )
