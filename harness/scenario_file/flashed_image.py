"""What is written to a board: a file, or an image that is made for the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from fleetrig.harness.scenario_file.named_files import named_file
from fleetrig.harness.scenario_file.values import ImageSize, Model, Text, readable_size, written_as

Sha256 = Annotated[str, written_as("[0-9a-fA-F]{64}", "64 hexadecimal digits")]
ImagePath = Annotated[
    Path, PlainValidator(named_file), PlainSerializer(str, when_used="json"), WithJsonSchema({"type": "string"})
]


class FlashedImage(Model):
    """What is written: a file, or an image that is made for the run."""

    file: ImagePath | None = None
    """Relative to the scenario's file."""
    size_bytes: Annotated[ImageSize, Field(ge=1)] | None = Field(None, alias="size")
    """So many bytes, other ones in each run."""
    gateway: Text | None = None
    """The firmware of the emulated gateway, with this build id."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected the path of a file, or one of size (so many bytes) and gateway (a build id)")
        return self

    def describe(self) -> str:
        if self.size_bytes is not None:
            return f"an image of {readable_size(self.size_bytes)}"
        return self.file.name if self.file is not None else f"the gateway's firmware {self.gateway}"


def _image(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


ImageEntry = Annotated[FlashedImage, BeforeValidator(_image, json_schema_input_type=FlashedImage | str)]
