"""The `server` of a scenario file: which platform, how it is set up, and how much it can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from fleetrig.harness.scenario_file.exchange_names import request_line
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.values import Duration, FleetShare, Model, Scalar, share_of_fleet
from fleetrig.simulator.contract import fault_values
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.units import duration_text


class Capacity(Model):
    """How much the server can do. Our own one does no more; a server that is not ours has its own."""

    requests_per_s: Annotated[
        float,
        BeforeValidator(fault_values.requests_per_s),
        BeforeValidator(share_of_fleet, json_schema_input_type=float | FleetShare),
    ]
    """How many are answered in a second, one after the other; the others queue. A number, or a share of the devices
    (`0.5%`): with that a scenario fits fleets of any size."""
    waiting_s: Duration | None = Field(None, alias="waiting")
    """Who would queue longer is turned away: 503, 5.03, a refused or ended session. Without it the queue has no end."""
    retry_after_s: Duration | None = Field(None, alias="retry_after")
    """What those are told (`Retry-After`), in whole seconds."""
    sheds_after_s: Duration | None = Field(None, alias="sheds_after")
    """Who has queued longer is dropped when its turn comes, without work and without an answer: so that nothing is done
    for those who have given up."""
    hits: Annotated[str, AfterValidator(fault_values.hits), AfterValidator(request_line)] = "*"
    """What counts: a glob over the line of what came in, for instance `* */controller/*`."""

    def describe(self) -> str:
        """`40 requests a second, who would wait longer than 2s is turned away (* */controller/*)`."""
        queue = "the others wait" if self.waiting_s is None else (
            f"who would wait longer than {duration_text(self.waiting_s)} is turned away"
        )  # fmt: skip
        if self.sheds_after_s is not None:
            queue += f", who has waited longer than {duration_text(self.sheds_after_s)} is dropped"
        return f"{self.requests_per_s:g} requests a second, {queue}" + ("" if self.hits == "*" else f" ({self.hits})")

    @model_validator(mode="after")
    def _sheds_somebody(self) -> Self:
        if why := fault_values.why_never_shed(self.waiting_s, self.sheds_after_s):
            raise ValueError(why)
        return self

    def to_fault(self) -> Fault:
        """As our own server takes it: the fault `capacity`, from the beginning to the end."""
        given = {
            "requests_per_s": self.requests_per_s,
            "waiting_s": self.waiting_s,
            "retry_after_s": self.retry_after_s,
            "sheds_after_s": self.sheds_after_s,
        }
        parameters = {name: value for name, value in given.items() if value is not None}
        return Fault(FaultKind.CAPACITY, self.hits, parameters=parameters)


class ServerBlock(Model):
    """The server that the scenario wants."""

    platform: str | None = None
    """The flow's own when not given."""
    settings: Settings = Settings()
    """Settings of the tenant that are in force when the run begins."""
    properties: Mapping[str, Scalar] = {}
    """Start-up properties: only a reference server can take them."""
    capacity: Capacity | None = None
    """So that a run in virtual time foretells what a server of this capacity does."""
