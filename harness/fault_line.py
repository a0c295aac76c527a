"""A fault as a scenario file writes it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.values import Duration, Glob, HttpStatus, Model, PositiveCount, Size
from simulator.contract.faults import BELONGS_TO, Fault, FaultKind
from simulator.contract.wire import Ending


class FaultLine(Model):
    """Something that goes wrong between the devices and the server."""

    fault: FaultKind
    hits: Glob = "*"
    """Whom: a glob over `METHOD path`, for instance `POST */feedback`."""
    at_s: Duration = Field(0.0, alias="at")
    """When it begins, counted from the beginning of the run, or of the phase it stands in."""
    for_s: Duration | None = Field(None, alias="for")
    """How long it lasts; without it, to the end."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The probability that it bites a request that it could."""
    times: PositiveCount | None = None
    """It ends after so many bites."""
    shows_as: Literal[Ending.REFUSED, Ending.RESET, Ending.SILENCE, Ending.CLOSED] | None = None
    """outage, lost_reply: what the device sees."""
    status: HttpStatus | None = None
    """overload: 503 when not given."""
    retry_after_s: Duration | None = Field(None, alias="retry_after")
    """overload: the `Retry-After` header, in whole seconds."""
    delay_s: Duration | None = Field(None, alias="delay")
    """latency: how late answers come."""
    after_bytes: Size | None = Field(None, alias="after")
    """truncated_body: how much of the body comes through."""

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        for field in sorted(BELONGS_TO.keys() & self.model_fields_set):
            if self.fault not in BELONGS_TO[field]:
                name = type(self).model_fields[field].alias or field
                owners = " or ".join(sorted(BELONGS_TO[field]))
                raise ValueError(f"{name} is a parameter of the fault {owners}, not of {self.fault}")
        if self.fault is FaultKind.LATENCY and self.delay_s is None:
            raise ValueError("latency needs a delay")
        return self

    def to_fault(self) -> Fault:
        """The same as the fault plan takes it."""
        given = {name: getattr(self, name) for name in ("status", "retry_after_s", "delay_s", "after_bytes")}
        return Fault(
            self.fault,
            self.hits,
            self.at_s,
            self.for_s,
            self.share,
            self.times,
            self.shows_as,
            {name: value for name, value in given.items() if value is not None},
        )
