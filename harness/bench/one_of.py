"""A part of a board is a word (`emulated: uboot`), or one with settings (`flasher: {uboot_xmodem: {storage: mmc}}`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from fleetrig.harness.scenario_file.values import Model
from fleetrig.hil.board import MadeOf


def word_alone(value: Any) -> Any:
    """`uboot` is short for `{uboot: {}}`."""
    if isinstance(value, Mapping):
        return {key: {} if inner is None else inner for key, inner in value.items()}
    return {value: {}} if isinstance(value, str) else value


class OneOf(Model):
    """Exactly one of the fields is given: the part's kind."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"expected one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def made_of(self) -> MadeOf:
        """The kind with its settings; those that were not given have their defaults."""
        (kind,) = self.model_fields_set
        part: Model = getattr(self, kind)
        return MadeOf(kind, {name: value for name, value in part.model_dump().items() if value is not None})
