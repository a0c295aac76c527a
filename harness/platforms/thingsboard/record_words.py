"""What `registry` can compare in ThingsBoard's records of devices, beside what all platforms have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from fleetrig.harness.scenario_file.values import Flag, Text

CredentialsType = Literal["ACCESS_TOKEN", "MQTT_BASIC", "X509_CERTIFICATE", "LWM2M_CREDENTIALS"]

RECORD_FIELDS: Final[Mapping[str, Any]] = {
    "credentials_type": Annotated[CredentialsType, Field(description="Of its credentials on the server.")],
    "profile": Annotated[Text, Field(description="The name of its device profile.")],
    "is_gateway": Annotated[Flag, Field(description="Whether the record says that it is a gateway.")],
    "name": Annotated[Text, Field(description="The record's name; `{serial}` stands for the serial.")],
    "latest": Annotated[Mapping[Text, Text], Field(description="The newest telemetry, as text.")],
}
"""Key -> the form of its value."""
