"""What `registry` can compare in Hono's records of devices, beside what all platforms have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from fleetrig.harness.scenario_file.values import Count, Flag, Text

CredentialsType = Literal["x509-cert", "hashed-password", "psk", "rpk", "none"]

RECORD_FIELDS: Final[Mapping[str, Any]] = {
    "device_id": Annotated[Text, Field(description="Its device-id; `{serial}` stands for the serial.")],
    "auth_id": Annotated[Text, Field(description="The auth-id of its credentials; `{serial}` stands for the serial.")],
    "credentials_type": Annotated[
        CredentialsType, Field(description="Of its credentials on the server; `none` without any.")
    ],
    "credentials_enabled": Annotated[Flag, Field(description="Whether its credentials count.")],
    "auto_provisioned": Annotated[
        Flag, Field(description="Whether the registry says that it was made at its first contact.")
    ],
    "notification_sent": Annotated[
        Flag, Field(description="Whether the registry says that applications were told of that.")
    ],
    "via": Annotated[Text, Field(description="The gateways that may act for it, with commas.")],
    "may_provision": Annotated[Flag, Field(description="Whether it may make devices behind it.")],
    "tenant_devices": Annotated[
        Count,
        Field(description="How many devices the whole tenant has, so that none is left over that belongs to nobody."),
    ],
    "notifications": Annotated[
        Count,
        Field(
            description="How often applications were told of it; only our own server tells (`needs: "
            "[reference.reasons]`)."
        ),
    ],
}
"""Key -> the form of its value."""
