"""A word of the scenario language, as the reference tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Topic(StrEnum):
    """What a word is; the value is a part of a sentence about it."""

    FILE = "key of a scenario file"
    DEVICES = "key of `devices`"
    COHORT = "key of `devices.cohorts`"
    BACKOFF = "key of `devices.backoff`"
    BOARD = "key of `boards`"
    SERVER = "key of `server`"
    CAPACITY = "key of `server.capacity`"
    PHASE = "key of a phase"
    ACTION = "word of `do`"
    CHECK = "word of `expect`"
    BESIDE_CHECK = "key beside a word of `expect`"
    FAULT_KEY = "key of a fault"
    FAULT = "fault"
    NEED = "word of `needs`"
    STAGE = "stage"
    SHAPE = "shape of `power_on`"
    POLICY = "policy of `backoff`"
    CLIENT = "client of `backoff`"
    LINE_FAULT = "fault of `line_faults`"
    SHOWN_CERTIFICATE = "certificate of the fault `server_certificate`"
    ENDING = "value of `shows_as`"
    FRAMING = "value of `framed`"
    CREDENTIAL = "value of `devices.credential`"
    ATTRIBUTES_MODE = "value of `devices.attributes_mode`"
    SETTING = "key of `server.settings`"
    RECORD = "key of `registry`"
    STATE = "value of `in_state`"
    SECRET = "value of `rotate.what`"
    EXCHANGE = "name of an exchange"
    PROGRAM_EXCHANGE = "name of an exchange of programs"
    MOMENT = "moment of `cut_at`"
    STEP = "step of the server"


@dataclass(frozen=True, slots=True)
class KeyWord:
    """A key of a mapping; those of mappings below it follow it, their names with dots (`window.schedule`)."""

    name: str
    form: str
    text: str
    default: str = ""
    """As a file writes it; empty when there is none."""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class LanguageWord:
    """A word with all that it takes."""

    name: str
    topic: Topic
    text: str
    platform: str = ""
    """Empty for words of all platforms."""
    form: str = ""
    """What stands after it; empty for words that stand as values, and for those with keys."""
    default: str = ""
    is_required: bool = False
    keys: tuple[KeyWord, ...] = ()

    def places(self) -> Iterator[str]:
        """Where it stands in files, and where its keys stand, as `word_places` calls them."""
        here = place_of(self.topic, self.name)
        yield here
        yield from (f"{here}.{key.name}" for key in self.keys)


PLACES: Final = {
    Topic.FILE: "{}",
    Topic.DEVICES: "devices.{}",
    Topic.COHORT: "devices.cohorts.{}",
    Topic.BACKOFF: "devices.backoff.{}",
    Topic.BOARD: "boards.{}",
    Topic.SERVER: "server.{}",
    Topic.CAPACITY: "server.capacity.{}",
    Topic.PHASE: "phases.{}",
    Topic.ACTION: "do.{}",
    Topic.CHECK: "expect.{}",
    Topic.BESIDE_CHECK: "expect.{}",
    Topic.FAULT_KEY: "faults.{}",
    Topic.FAULT: "faults.fault={}",
    Topic.NEED: "needs={}",
    Topic.STAGE: "expect.reaches.stage={}",
    Topic.SHAPE: "do.power_on.shape={}",
    Topic.POLICY: "devices.backoff.policy={}",
    Topic.CLIENT: "devices.backoff.client={}",
    Topic.LINE_FAULT: "do.line_faults.faults.fault={}",
    Topic.SHOWN_CERTIFICATE: "faults.certificate={}",
    Topic.ENDING: "faults.shows_as={}",
    Topic.FRAMING: "faults.framed={}",
    Topic.CREDENTIAL: "devices.credential={}",
    Topic.ATTRIBUTES_MODE: "devices.attributes_mode={}",
    Topic.SETTING: "server.settings.{}",
    Topic.RECORD: "expect.registry.{}",
    Topic.STATE: "expect.registry.in_state={}",
    Topic.SECRET: "do.rotate.what={}",
    Topic.EXCHANGE: "expect.sends.name={}",
    Topic.PROGRAM_EXCHANGE: "expect.sends.name={}",
    Topic.MOMENT: "do.power_on.cut_at={}",
    Topic.STEP: "expect.steps.in_order={}",
}


def place_of(topic: Topic, name: str) -> str:
    """Where a word stands: `devices.backoff.cap`, `faults.fault=outage`."""
    return PLACES[topic].format(name)
