"""A topic of the Kura namespace, read into its parts (spec 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CONTROL: Final = "$EDC"
METHODS: Final = ("GET", "PUT", "POST", "DEL", "EXEC")
WELL_KNOWN: Final = (
    "CONF-V1", "DEPLOY-V2", "KEYS-V1", "KEYS-V2", "CMD-V1", "INVENTORY-V1", "ASSET-V1", "CERT-V1", "PROV-V1", "PROV-V2",
    "PROV-V3", "PROV-SIM1", "VPNCLIENT-V1", "VPNCLIENT-V2",
)  # fmt: skip
"""Application ids that are known to exist (spec 1.6, 3.1); PROV-SIM1 is this project's open profile."""
LIFECYCLE: Final = "MQTT"
"""The application of BIRTH, APPS, DC and LWT."""


class Role(StrEnum):
    """What a message is for."""

    REQUEST = "a request"
    REPLY = "a reply"
    NOTIFICATION = "a notification"
    LIFECYCLE = "a message about the gateway itself"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class ControlTopic:
    """`{prefix}/{account}/{client id}/{application}/{method}/{resource}`; empty where the topic is too short."""

    is_control: bool
    account: str = ""
    client_id: str = ""
    application: str = ""
    method: str = ""
    resource: tuple[str, ...] = ()

    @property
    def role(self) -> Role:
        match self:
            case ControlTopic(is_control=False):
                return Role.DATA
            case ControlTopic(application=application) if application == LIFECYCLE:
                return Role.LIFECYCLE
            case ControlTopic(method="REPLY"):
                return Role.REPLY
            case ControlTopic(method="NOTIFY"):
                return Role.NOTIFICATION
            case _:
                return Role.REQUEST

    @property
    def request(self) -> str:
        """`CONF-V1/PUT/configurations`: what a signature covers."""
        return "/".join([self.application, self.method, *self.resource])


def read_topic(topic: str) -> ControlTopic:
    """Never raises."""
    segments = topic.split("/")
    is_control = segments[0].startswith(CONTROL)
    account, client_id, application, method, *resource = [*segments[is_control:], "", "", "", ""]
    many = len(segments) - is_control - 4
    return ControlTopic(is_control, account, client_id, application, method, tuple(resource[: max(many, 0)]))
