"""The word `deploy`: what is made on the server, for whom, how urgent, when it may be installed, who is asked first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from fleetrig.harness.scenario_file.action_words import ActionWord, describe_devices
from fleetrig.harness.scenario_file.values import (
    Duration,
    Flag,
    Glob,
    ImageSize,
    Model,
    Text,
    readable_size,
    written_as,
)
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.units import duration_text

MOST_FILES: Final = 50
"""Of one module: more is over the quota of an ordinary server."""
MOST_MODULES: Final = 50
IMAGES_BYTES: Final = Bound(
    1 << 30, "bytes", "all files of an update are made for the run", "1GiB in all files together"
)

FILE_NAME: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,256}")
FILES: Final = (
    f"expected a number of files from 1 to {MOST_FILES}, or a list of up to {MOST_FILES} names that differ from each "
    "other, without / and \\"
)


def _files(value: Any) -> int | tuple[str, ...]:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_FILES:
        return value
    if isinstance(value, list | tuple) and 1 <= len(value) <= MOST_FILES:
        names = tuple(str(name) for name in value if isinstance(name, str) and FILE_NAME.fullmatch(name))
        if len(set(names)) == len(value):
            return names
    raise ValueError(FILES)


Files = Annotated[
    int | tuple[str, ...],
    PlainValidator(_files),
    PlainSerializer(lambda files: files if isinstance(files, int) else list(files), when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MOST_FILES},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_FILES},
            ]
        }
    ),
]
QuartzCron = Annotated[
    str, written_as(r"\s*\S+(\s+\S+){5,6}\s*", "a Quartz cron of 6 or 7 fields, such as 0 0 2 * * ?")
]


class DeployedModule(Model):
    """A software module of an update, with its files."""

    type: Literal["os", "application"] = "os"
    """Its software module type."""
    files: Files = 1
    """How many files, or their names (a device's own image keeps its ending). Real servers do not answer the link of a
    file whose name holds a blank or a `%`."""
    size_bytes: ImageSize | None = Field(None, alias="size")
    """Of each file; that of the update when not given."""

    def describe(self, usual_bytes: int) -> str:
        size = readable_size(self.size_bytes or usual_bytes)
        return f"{self.type}: {self.count} file{'s' * (self.count > 1)} of {size}"

    @property
    def count(self) -> int:
        return self.files if isinstance(self.files, int) else len(self.files)


class MaintenanceWindow(Model):
    """When an update may be installed: at the times of a schedule, or once, some time from now."""

    schedule: QuartzCron | None = None
    """Quartz cron: second, minute, hour, day, month, weekday, and perhaps year."""
    opens_after_s: Duration | None = Field(None, alias="opens_after")
    """In place of a schedule: it opens once, so long after the assignment."""
    duration: Annotated[str, written_as(r"\d{1,2}:[0-5]?\d(:[0-5]?\d)?", "a duration such as 01:00:00")] = "01:00:00"
    """How long it stays open."""
    timezone: Annotated[str, written_as(r"[-+]\d{1,2}:\d{2}", "an offset such as +00:00 or -03:30")] = "+00:00"
    """The schedule's offset from UTC."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if (self.schedule is None) == (self.opens_after_s is None):
            raise ValueError("expected schedule (a Quartz cron) or opens_after (a time), one of them")
        if self.opens_after_s is not None and "timezone" in self.model_fields_set:
            raise ValueError("opens_after counts from now: leave timezone away")
        return self

    def describe(self) -> str:
        if self.opens_after_s is not None:
            return (
                f"installed only in a window that opens {duration_text(self.opens_after_s)} later for {self.duration}"
            )
        return f"installed only in windows of {self.duration} at {self.schedule} ({self.timezone})"


class Deploy(Model, ActionWord):
    """Makes an update of this version on the server and assigns it to the devices."""

    version: Text
    """The version of the update: devices report it, and `registry` compares it."""
    size_bytes: ImageSize = Field(64 * 1024, alias="size")
    """Of each file."""
    modules: Annotated[tuple[DeployedModule, ...], Field(min_length=1, max_length=MOST_MODULES)] = (DeployedModule(),)
    """What it consists of; one module of type os with one file when not given."""
    type: Literal["forced", "soft", "timeforced", "downloadonly"] = "forced"
    """How urgent: the platform's own word."""
    force_after_s: Duration | None = Field(None, alias="force_after")
    """With `timeforced`: forced from then on."""
    window: MaintenanceWindow | None = None
    """A maintenance window; without one it may be installed at once."""
    confirmation_required: Flag | None = None
    """Whether the devices are asked first; the tenant's setting decides when not given, and must be on."""
    to: Glob = "*"
    """Which devices, as a glob over their serials."""
    before_contact: bool = False
    """Assign at once. Otherwise this waits until the server has heard of each of the devices."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.type == "timeforced") != (self.force_after_s is not None):
            raise ValueError("type: timeforced and force_after belong together")
        if sum(module.type == "os" for module in self.modules) > 1:
            raise ValueError("expected one module of type os at most: a distribution set has one")
        IMAGES_BYTES.check(sum(module.count * (module.size_bytes or self.size_bytes) for module in self.modules))
        return self

    def describe(self) -> str:
        asked = {None: "", True: ", which are asked first", False: ", which are not asked"}[self.confirmation_required]
        when = "at once" if self.before_contact else "once each of them has called"
        whom = describe_devices(self.to) + asked
        what = f"create version {self.version} ({self._content()}) and assign it to {whom} ({self._urgency()}), {when}"
        return what if self.window is None else f"{what}; {self.window.describe()}"

    def globs(self) -> Iterator[str]:
        yield self.to

    def _content(self) -> str:
        if self.modules == (DeployedModule(),):
            return f"an image of {readable_size(self.size_bytes)}"
        return ", ".join(one.describe(self.size_bytes) for one in self.modules)

    def _urgency(self) -> str:
        return self.type if self.force_after_s is None else f"forced after {duration_text(self.force_after_s)}"
