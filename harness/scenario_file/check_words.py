"""The words that `expect` can expect, each a model of its arguments. An editor shows the docstring for the word.

Those that measure stand in `measure_words`. A new word is a model with units in its names and a default for whatever
has an obvious one, a line in `words.CHECK_WORDS`, and a line in a table of `checks.evaluators`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from fleetrig.harness.scenario_file.action_words import DeviceSelector, describe_devices
from fleetrig.harness.scenario_file.entry import OneWord, WordModel
from fleetrig.harness.scenario_file.exchange_names import AnswerLine, ExchangeName, HttpMethodName, RequestLine
from fleetrig.harness.scenario_file.values import (
    AT_LEAST_ONCE,
    AllOrCount,
    AttributeText,
    Count,
    Glob,
    HowOften,
    HttpStatus,
    Model,
    Text,
    Word,
)
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.stages import Stage

STAGES_ARE_INSIDE: Final = "it is about a stage of a device"

FieldName = Literal["client_id", "user_name", "password", "clean_start", "keep_alive_s", "version", "topic", "qos",
                    "retain", "dup", "observe", "confirmable"]  # fmt: skip
"""As `simulator/contract/{mqtt,coap}` name them."""


class CheckWord(WordModel):
    """A word of `expect`."""

    def describe(self) -> str:
        """Describes what is expected; empty if the fold describes it."""
        return ""

    def waits(self) -> bool:
        """True when it waits for something; False when it holds until something happens that must not."""
        return True


class Counted(DeviceSelector, CheckWord):
    """Checks that count events of the device lane."""

    times: HowOften = AT_LEAST_ONCE
    """How often, for each device: an exact number, or bounds."""

    def waits(self) -> bool:
        return self.times.at_least > 0


class Sends(Counted):
    """Devices send requests like this. All given fields must match."""

    name: ExchangeName | None = None
    """What the device calls it: poll, configData, deploymentBase, download, feedback-closed, … (glob)."""
    method: HttpMethodName | None = None
    """HTTP's method, in capitals."""
    path: Glob | None = None
    """Glob over the raw path, without the query."""
    line: RequestLine | None = None
    """Glob over its one line, whatever the protocol: `PUT /a`, `PUBLISH v1/devices/me/*`."""
    header: Mapping[str, Glob] = {}
    """Header names (in any case) and a glob for the value of each."""
    fields: Mapping[FieldName, Glob | None] = {}
    """Fields of a message of MQTT or CoAP (`user_name`, `password`, `qos`), and a glob for the value of each; null
    means that it must be empty or absent."""
    body_has: Mapping[str, Any] = {}
    """Dotted paths into the JSON body (`status.execution`, `chunks.0.part`) and the value of each. Text is a glob; null
    means that the path must be absent."""


class Receives(Counted):
    """Devices receive answers like this. All given fields must match."""

    name: ExchangeName | None = None
    """What the device calls the request that was answered (glob)."""
    status: HttpStatus | None = None
    """HTTP's status."""
    line: AnswerLine | None = None
    """Glob over its one line, whatever the protocol: `200`, `CONNACK 0`, `2.05`."""
    header: Mapping[str, Glob] = {}
    """As for `sends`."""
    body_has: Mapping[str, Any] = {}
    """As for `sends`."""


class NoReplies(Counted):
    """Devices get no usable answer: refused, reset, silence, or an answer that is cut."""

    name: ExchangeName | None = None
    """What the device calls the request (glob)."""


class Reaches(DeviceSelector, CheckWord):
    """Devices reach this stage (and may leave it again)."""

    stage: Stage
    """A stage of a device's life."""
    devices: AllOrCount = "all"
    """Minimum number of devices."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.devices == 0:
            raise ValueError("devices: 0 always holds: expected all, or at least 1 (`never: {reaches: …}` is for none)")
        return self

    def needs_device_access(self) -> str:
        return STAGES_ARE_INSIDE


SeenWord = Sends | Receives | NoReplies | Reaches


class Seen(OneWord):
    """An event in `order` or `never`."""

    sends: Sends | None = None
    receives: Receives | None = None
    no_reply: NoReplies | None = None
    reaches: Reaches | None = None

    @model_validator(mode="after")
    def _uncounted(self) -> Self:
        given = (getattr(self, word).model_fields_set for word in self.model_fields_set)
        if any({"times", "devices"} & names for names in given):
            raise ValueError("inside order and never nothing is counted: give times or devices in a check of its own")
        return self

    @property
    def arguments(self) -> SeenWord:
        found: SeenWord = getattr(self, self.word)
        return found


class Order(CheckWord, RootModel[tuple[Seen, ...]]):
    """For each device these happen in this order; other things may happen in between.

    Each step is the first fitting event after the step before.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _two_or_more(self) -> Self:
        if len(self.root) < 2:
            raise ValueError("expected at least two steps, since one has no order")
        return self

    @property
    def steps(self) -> tuple[Seen, ...]:
        return self.root

    def globs(self) -> Iterator[str]:
        yield from (step.arguments.only for step in self.steps)

    def needs_device_access(self) -> str:
        return next(filter(None, (step.arguments.needs_device_access() for step in self.steps)), "")


class Never(CheckWord, RootModel[Seen]):
    """No device ever does this."""

    model_config = ConfigDict(frozen=True)

    @property
    def what(self) -> Seen:
        return self.root

    def globs(self) -> Iterator[str]:
        yield self.what.arguments.only

    def needs_device_access(self) -> str:
        return self.what.arguments.needs_device_access()

    def waits(self) -> bool:
        return False


class Registry(DeviceSelector, CheckWord):
    """Each of the server's records of the devices is like this."""

    is_about_records = True

    devices: Count | None = None
    """The exact number of records that the server has of these devices."""
    in_state: Text | None = None
    """The device's state in the server's registry, in the platform's words."""
    attributes: Mapping[str, AttributeText] = {}
    """Attributes that are there with exactly this value."""
    attribute_keys: tuple[Text, ...] | None = None
    """Exactly these attributes are there, whatever their values."""
    absent: bool = False
    """There is no record at all."""
    tokens_differ: bool = False
    """No two records hold the same token."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = self.model_fields_set - {"only"}
        if not given:
            raise ValueError("expected something to compare, such as in_state or attributes")
        if self.absent and len(given) > 1:
            raise ValueError("a record that is absent has nothing else to compare")
        if self.devices == 0 and len(given) > 1:
            raise ValueError("of 0 records there is nothing else to compare")
        if self.attributes == {} and given <= {"attributes"}:
            raise ValueError("attributes: {} says nothing: name some, or say attribute_keys: [] for none at all")
        return self

    def fields(self, serial: str) -> dict[str, Any]:
        """The expected values of the platform's own keys, for one device."""
        given = {key: getattr(self, key) for key in type(self).model_fields if key not in Registry.model_fields}
        return {key: value.replace("{serial}", serial) if isinstance(value, str) else value
                for key, value in given.items() if value is not None}  # fmt: skip

    def describe(self) -> str:
        """What the server's records must say."""
        whom = describe_devices(self.only)
        if self.absent:
            return f"the server has no record of {'any device' if self.only == '*' else whom}"
        parts = [f"{self.devices} record{'s' * (self.devices != 1)}"] if self.devices is not None else []
        parts += [f"in_state {self.in_state!r}"] if self.in_state is not None else []
        parts += [f"{key} {wanted!r}" for key, wanted in self.fields("{serial}").items()]
        parts += [f"attribute {key} = {wanted!r}" for key, wanted in self.attributes.items()]
        if self.attribute_keys is not None:
            parts.append(f"exactly the attributes {', '.join(self.attribute_keys) or 'none'}")
        if self.tokens_differ:
            parts.append("all tokens distinct")
        return f"the server's records of {whom}: {'; '.join(parts)}"


class KeepsRunning(DeviceSelector, CheckWord):
    """No device program exits by itself. For external devices this is checked in every phase."""

    def waits(self) -> bool:
        return False


class ProgramsKeepRunning(KeepsRunning):
    """The same as every phase expects it of external devices, also while none of them is on."""


class KeepsSecrets(DeviceSelector, CheckWord):
    """No token stands in what the programs of the devices write."""

    def describe(self) -> str:
        return f"no token stands in what the programs of {describe_devices(self.only)} write"

    def waits(self) -> bool:
        return False


class OneAddress(Model, CheckWord):
    """Each id comes from one address. Two addresses that take turns are two devices with one id."""

    def waits(self) -> bool:
        return False


class Refused(DeviceSelector, CheckWord):
    """The server refused a device, and knows why. All devices are counted together."""

    reason_has: Text | None = None
    """A part of the reason."""
    times: HowOften = AT_LEAST_ONCE
    """How often, for all devices together: an exact number, or bounds."""

    def waits(self) -> bool:
        return self.times.at_least > 0


class StepsTaken(DeviceSelector, CheckWord):
    """The server takes these steps on its way to an answer, in this order, each time in one session.

    Other steps may lie between. Only our own server tells its steps: such a scenario needs `reference.reasons`.
    """

    in_order: Annotated[tuple[Word, ...], Field(min_length=1)]
    """Names of steps, as the server lane of the trace has them."""
    times: HowOften = AT_LEAST_ONCE
    """How often, for all devices together: an exact number, or bounds."""

    def waits(self) -> bool:
        return self.times.at_least > 0


class FaultBit(Model, CheckWord):
    """A fault was triggered. Without this check a scenario can pass because nothing went wrong."""

    kind: FaultKind
    """Which one, as `faults` calls it."""
    times: HowOften = AT_LEAST_ONCE
    """How often, for all devices together: an exact number, or bounds."""

    def waits(self) -> bool:
        return self.times.at_least > 0


class FollowsModel(DeviceSelector, CheckWord):
    """All that the server has seen of the devices since the run began is what their model permits.

    The model is our own device of the platform, with the settings of the `devices` block. The first message that it
    does not permit is the finding.
    """

    tolerance: Literal["messages", "tolerant", "strict"] = "tolerant"
    """`messages`: which messages in which order. `tolerant`: also the fields that matter, and times, with slack.
    `strict`: all of each message, and nothing left out, repeated or added."""

    def waits(self) -> bool:
        return False


class ManufacturingRecord(Model, CheckWord):
    """Writes the manufacturing record, as CSV and JSON: serial, id on the server, fingerprint and verdict of each unit.

    A unit has passed when it knows that it was accepted, and the server knows the unit.
    """

    file: Word = "manufacturing-record"
    """The name of both files, without ending, in the folder of the run's results."""
    passed: AllOrCount = "all"
    """How many units must have passed."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.passed == 0:
            raise ValueError("passed: 0 always holds: expected all, or at least 1")
        return self

    def describe(self) -> str:
        return f"the manufacturing record {self.file}.csv and .json is written, and {self.passed} units passed"

    def needs_device_access(self) -> str:
        return STAGES_ARE_INSIDE
