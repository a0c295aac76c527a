"""What `registry` can compare in Kura's records of devices, beside what all platforms have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from fleetrig.harness.scenario_file.values import Count, Flag, Text

JobStatus = Literal[
    "none", "CREATED", "STARTED", "RUNNING", "CONF_UPDATING", "CONF_UPDATED", "APPS_INSTALLING", "APPS_INSTALLED",
    "COMPLETED", "FAILED", "ABANDONED", "SKIPPED", "STOPPING", "STOPPED",
]  # fmt: skip
"""Of the job of the newest provision request (spec 1.5); `none` without a request."""

ConnectionStatus = Literal["none", "CONNECTED", "DISCONNECTED", "MISSING"]

RequestStatus = Literal["none", "ENABLED", "DISABLED"]

RECORD_FIELDS: Final[Mapping[str, Any]] = {
    "account": Annotated[Text, Field(description="The account where it is connected, or was last.")],
    "connection": Annotated[ConnectionStatus, Field(description="Its connection in that account.")],
    "connections": Annotated[Mapping[Text, ConnectionStatus], Field(description="Account -> its connection there.")],
    "request": Annotated[
        RequestStatus, Field(description="The state of its newest provision request; `none` without one.")
    ],
    "job": Annotated[JobStatus, Field(description="The state of the job of its newest request; `none` without one.")],
    "job_retries": Annotated[Count, Field(description="How often that job was tried again.")],
    "has_activation_key": Annotated[Flag, Field(description="Whether its newest request has an activation key.")],
    "events": Annotated[
        tuple[Text, ...], Field(description="Which kinds of events the device has had, in alphabetical order.")
    ],
    "last_event": Annotated[Text, Field(description="The kind of its newest event.")],
    "births": Annotated[Count, Field(description="How many BIRTHs it has sent.")],
    "client_id": Annotated[Text, Field(description="Its client id; `{serial}` stands for the serial.")],
    "user_name": Annotated[Text, Field(description="The user of its connection.")],
    "is_locked": Annotated[
        Flag, Field(description="Whether its credentials are locked after too many wrong passwords.")
    ],
    "coupling": Annotated[
        Literal["INHERITED", "LOOSE", "STRICT"], Field(description="How its connection is coupled to a user.")
    ],
    "allow_user_change": Annotated[Flag, Field(description="Whether another user may come once.")],
    "serial_number": Annotated[Text, Field(description="As its BIRTH says.")],
    "display_name": Annotated[Text, Field(description="As its BIRTH says.")],
    "application_ids": Annotated[Text, Field(description="As its BIRTH says, with commas.")],
    "account_devices": Annotated[Count, Field(description="How many devices the whole account has.")],
}
"""Key -> the form of its value."""
