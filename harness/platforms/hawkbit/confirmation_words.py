"""What devices say when they are asked before an update, in scenario files: `devices.confirmation`, `set_confirmation`.

The words are hawkBit's own: `confirmed`, `denied`, `autoConfirm`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from fleetrig.harness.scenario_file.action_words import ActionWord, DeviceSelector, describe_devices
from fleetrig.harness.scenario_file.values import Duration, Model, Text, Whole
from fleetrig.simulator.contract.units import duration_text

ConfirmationAnswer = Literal["confirmed", "denied", "none"]


class ConfirmationWords(Model):
    """What devices say when the server asks them before an update. `confirmation: denied` is short for its answer."""

    answer: ConfirmationAnswer = "confirmed"
    """`none`: they leave it to an operator."""
    after_s: Duration = Field(0.0, alias="after")
    """So long somebody at the device thinks about it. The device polls meanwhile."""
    code: Annotated[Whole, Field(ge=-(1 << 31), lt=1 << 31)] | None = None
    """A number that the server adds to the action's messages."""
    details: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """Messages for the operator."""
    auto_confirm: Literal["activate", "deactivate"] | None = None
    """Tell the server to confirm by itself from now on, or no longer; left as it is when not given."""

    def say(self) -> str:
        """A part of a sentence about devices."""
        if self.auto_confirm == "activate":
            return "tell the server to confirm updates by itself"
        when = f" after {duration_text(self.after_s)}" if self.after_s else ""
        what = {
            "confirmed": f"confirm updates{when}",
            "denied": f"deny updates{when}",
            "none": "leave updates unanswered",
        }
        told = "tell the server to confirm nothing by itself, and " if self.auto_confirm == "deactivate" else ""
        return told + what[self.answer]


def _spelt_out(value: Any) -> Any:
    return {"answer": str(value)} if isinstance(value, str) else value


DeviceConfirmation = Annotated[
    ConfirmationWords,
    BeforeValidator(_spelt_out, json_schema_input_type=ConfirmationAnswer | ConfirmationWords),
]


class SetConfirmation(DeviceSelector, ConfirmationWords, ActionWord):
    """What devices say from now on when they are asked before an update."""

    needs_arguments = True

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"only"}:
            raise ValueError("expected what they say: answer: confirmed, denied or none, or auto_confirm")
        return self

    def describe(self) -> str:
        return f"let {describe_devices(self.only)} {self.say()}; running devices restart"

    def globs(self) -> Iterator[str]:
        yield self.only

    def needs_device_access(self) -> str:
        return "set_confirmation changes a device's inner life"
