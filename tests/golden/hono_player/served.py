"""Our Hono on real sockets, its control interface included."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final, TypeVar

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.hono.platform import HonoPlatform
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from tests.golden.served import Served, serving

LISTENERS: Final = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps")
LIMIT_S: Final = 20.0

T = TypeVar("T")


@dataclass
class HonoServed:
    """What the player needs of a server."""

    served: Served
    lets_through: bool = True
    """Messages reach applications."""

    @property
    def now_us(self) -> int:
        return self.served.now_us

    def port(self, listener: str) -> int:
        return self.served.port(listener)

    def answered(self, ask: Callable[[], T]) -> T:
        return self.served.answered(ask)

    def settle(self) -> None:
        """All that has come is answered, and all that is due has happened."""
        self.served.settle()
        self.served.do_what_is_due()
        self.served.settle()

    def wait(self, for_s: float) -> None:
        self.served.wait(for_s)

    def events(self, tenant: str) -> list[Any]:
        """What applications have got as events of the tenant, as Kafka shows them."""
        messages = self._control("GET", f"/northbound?limit=1000&tenant={tenant}")["messages"]
        return [
            {"key": one["key"], "properties": one["properties"], "value": one["payload"]}
            for one in messages
            if one["topic"] == f"hono.event.{tenant}"
        ]

    def records(self) -> dict[str, int]:
        """Kind of record -> how many the store has."""
        found: dict[str, int] = self._control("GET", "/")["records"]
        return found

    def let_through(self, are_let: bool) -> None:
        """Whether messages reach applications."""
        if are_let is not self.lets_through:
            self.lets_through = are_let
            if are_let:
                self._control("DELETE", "/faults")
            else:
                self._control("POST", "/faults", {"fault": "northbound_down"})

    def _control(self, method: str, path: str, body: object = None) -> Any:
        address = self.served.server.control_address
        assert address is not None
        connection = HTTPConnection("127.0.0.1", address.port, timeout=LIMIT_S)
        headers = {"Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, text
        return json.loads(text)


@contextmanager
def served(profile: Profile = Profile.CURRENT, store: str = "memory:") -> Iterator[HonoServed]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> HonoPlatform:
        return HonoPlatform(store, blobs, entropy, Settings(profile=profile))

    listeners = dict.fromkeys(LISTENERS, ANY_LOOPBACK_PORT)
    platform = PlatformOptions("hono", build, listeners, ClientAuth.ANY)
    with serving(ServerOptions((platform,), store=store, control=ANY_LOOPBACK_PORT)) as one:
        yield HonoServed(one)
