"""One message of a device in provisioning, and the way back to it."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import REPLY, topic_of


@dataclass(frozen=True, slots=True)
class ProvisionExchange:
    """`stage`: request or confirm, as the audit names it."""

    live: LiveClient
    app_id: str
    request_id: str
    stage: str
    now_us: int

    @property
    def application_topic(self) -> str:
        return f"{self.app_id}/{REPLY}/{self.request_id}"

    @property
    def reply_topic(self) -> str:
        return topic_of(self.live.account.name, self.live.client_id, self.application_topic)
