"""Topics of the Kura namespace (spec 2.1): `$EDC/account/client-id/app-id/…` for control, without `$EDC` for data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.simulator.contract.bounds import Bound

CONTROL_PREFIX: Final = "$EDC"
MQTT_APP: Final = "MQTT"
"""The application id of lifecycle messages."""
REPLY: Final = "REPLY"
NOTIFY: Final = "NOTIFY"
REQUESTER: Final = "fleetrig-server"
"""What the server calls itself as a requester; no device may connect under it."""
FORBIDDEN: Final = ("/", "::", "+", "#")
"""What no client id may hold. The real broker refuses the first two, and pastes the others into its rules (5.3)."""
CLIENT_ID_CHARS: Final = Bound(255, "characters of a client id", "the registry keeps no more")


class Lifecycle(StrEnum):
    """The messages of 2.2, by the last level of their topic."""

    BIRTH = "BIRTH"
    APPS = "APPS"
    DC = "DC"
    LWT = "LWT"


LIFECYCLES: Final = {one.value: one for one in Lifecycle}


@dataclass(frozen=True, slots=True)
class ControlTopic:
    """A topic below `$EDC`. `levels`: what follows the application id; for a reply or a notification from that on."""

    account: str
    client_id: str
    app_id: str
    levels: tuple[str, ...]

    @property
    def lifecycle(self) -> Lifecycle | None:
        """What the message tells of its client's life, by the last level alone (5.1)."""
        return LIFECYCLES.get(self.levels[-1]) if self.app_id == MQTT_APP and self.levels else None

    @property
    def is_reply(self) -> bool:
        return bool(self.levels) and self.levels[0] == REPLY

    @property
    def is_notification(self) -> bool:
        return bool(self.levels) and self.levels[0] == NOTIFY

    @property
    def application_topic(self) -> str:
        """`CONF-V1/GET/configurations`: what a signature covers (3.6)."""
        return "/".join((self.app_id, *self.levels))


def control_topic(topic: str) -> ControlTopic | None:
    """None for data, and for what has no application id."""
    prefix, *levels = topic.split("/")
    if prefix != CONTROL_PREFIX or len(levels) < 3:  # account, client id, application id
        return None
    account, client_id, app_id, *rest = levels
    return ControlTopic(account, client_id, app_id, tuple(rest))


def topic_of(account: str, client_id: str, application_topic: str) -> str:
    """`application_topic`: `CONF-V1/GET/configurations`."""
    return f"{CONTROL_PREFIX}/{account}/{client_id}/{application_topic}"


def client_id_flaw(client_id: str) -> str:
    """Why nobody may be called so; empty when somebody may."""
    found = [one for one in FORBIDDEN if one in client_id]
    if found:
        return f"a client id holds none of {_quoted(FORBIDDEN)}, and this one holds {_quoted(found)}: choose another"
    if len(client_id) > CLIENT_ID_CHARS.most:
        return f"the client id is too long: {CLIENT_ID_CHARS}"
    if client_id == REQUESTER:
        return f"{REQUESTER} is the server's own name as a requester: choose another client id"
    return ""


def _quoted(parts: Iterable[str]) -> str:
    return " ".join(repr(part) for part in parts)
