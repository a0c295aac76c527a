"""Who is connected to the broker: what was found out at CONNECT, until the connection and its will are over."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.reference_server.mqtt_sessions.client_state import ClientKey, ClientState
from fleetrig.reference_server.mqtt_sessions.topic_filters import fits, levels_of
from fleetrig.reference_server.platforms.kura.broker.access_rules import AccessList
from fleetrig.reference_server.platforms.kura.state.device_records import DeviceConnection
from fleetrig.reference_server.platforms.kura.state.events import Peer
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, User


@dataclass(slots=True, eq=False)
class LiveClient:
    """A client that was accepted. `request_id`: of the provision request that it has signed in for; empty: of none."""

    session: int
    account: AccountRecord
    client_id: str
    user: User
    access: AccessList
    remote_address: str
    connected_us: int
    connection: DeviceConnection | None = None
    """What the registry keeps of it; bootstrap connections are no device's."""
    request_id: str = ""
    born_us: int | None = None
    """When its BIRTH came on this connection."""
    was_lost: bool = False
    """Its last will or its own LWT has said that it is gone without a farewell."""
    was_replaced: bool = False
    """A later connection of the same client id has ended this one: its will says nothing about the client (5.2)."""
    client: ClientState | None = field(default=None, repr=False)
    """From its first packet after the CONNACK on."""

    @property
    def scope_id(self) -> str:
        return self.account.id

    @property
    def key(self) -> ClientKey:
        return self.account.id, self.client_id

    @property
    def peer(self) -> Peer:
        """For the audit."""
        return Peer(self.client_id, self.user.name, self.remote_address, self.account.id)

    def hears(self, topic: str) -> bool:
        """It has subscribed to what the topic fits."""
        if self.client is None:
            return False
        levels = levels_of(topic)
        return any(fits(levels_of(one), levels) for one in self.client.subscriptions)


class LiveClients:
    """By account and client id, of which there is one connection at a time, and by session."""

    def __init__(self) -> None:
        self._by_key: dict[ClientKey, LiveClient] = {}
        self._by_session: dict[int, LiveClient] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def begin(self, live: LiveClient) -> None:
        """In place of an earlier connection of the client, which may have yet to end."""
        self._by_key[live.key] = live
        self._by_session[live.session] = live

    def get(self, scope_id: str, client_id: str) -> LiveClient | None:
        return self._by_key.get((scope_id, client_id))

    def of_session(self, session: int | None) -> LiveClient | None:
        return None if session is None else self._by_session.get(session)

    def end(self, session: int) -> LiveClient | None:
        """None for one that was never accepted, or has ended already."""
        live = self._by_session.pop(session, None)
        if live is not None and self._by_key.get(live.key) is live:
            del self._by_key[live.key]
        return live
