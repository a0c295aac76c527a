"""What `registry` can compare in hawkBit's records of devices, beside what all platforms have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from fleetrig.harness.scenario_file.values import Count, Text

ActionStatus = Literal[
    "scheduled", "running", "retrieved", "download", "downloaded", "warning", "finished", "error", "canceling",
    "canceled", "cancel_rejected", "wait_for_confirmation",
]  # fmt: skip

RECORD_FIELDS: Final[Mapping[str, Any]] = {
    "created_by": Annotated[
        Text, Field(description="Who made the record: an account of an operator, or a kind of device credentials.")
    ],
    "name": Annotated[Text, Field(description="The record's name; `{serial}` stands for the serial.")],
    "type": Annotated[Text, Field(description="The name of its target type.")],
    "installed": Annotated[Text, Field(description="The version that it has installed.")],
    "assigned": Annotated[Text, Field(description="The version that is assigned to it.")],
    "action": Annotated[ActionStatus, Field(description="The state of its newest action.")],
    "open_actions": Annotated[Count, Field(description="How many of its actions are not finished.")],
}
"""Key -> the form of its value."""
