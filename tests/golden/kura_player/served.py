"""Our Kura server on real sockets: an account with a device's user, a requester's and its administrator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any, Final

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.settings import ADMIN_USER, WELL_KNOWN_PASSWORD, Account, Settings
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.mqtt import MqttConnect
from tests.golden.kura_player.codecs import SERVER
from tests.golden.kura_player.contents import Content
from tests.golden.kura_player.packets import ACCOUNT
from tests.golden.kura_player.peer import Peer
from tests.golden.served import Served, serving

PASSWORD: Final = "Open-Sesame-1!"
ADMIN: Final = "acct-admin"
LIMIT_S: Final = 20.0
PASSWORDS: Final = {"device": PASSWORD, "requester": PASSWORD, "watcher": WELL_KNOWN_PASSWORD}
CONNECTS: Final = ("broker", "connect")
RIGHTS: Final = {"device": (CONNECTS,), "requester": (CONNECTS, ("device_management", "write")), "watcher": ()}
USERS: Final = {"device": "dev", "requester": "srv", "watcher": ADMIN_USER}


@dataclass
class KuraServed:
    """What transcripts are played on: a `Broker`."""

    served: Served
    token: str = ""
    scope_id: str = ""

    def connect(self, who: str, hello: MqttConnect) -> Peer:
        """The recorded password is too short for this server, and one recording has no user at all."""
        peer = Peer(self.served.port("mqtt"))
        peer.say(replace(hello, user_name=USERS[who], password=PASSWORDS[who].encode()))
        return peer

    def encode(self, content: Content) -> bytes:
        return SERVER.encode(content)

    def decode(self, data: bytes) -> Content:
        return SERVER.decode(data)

    # The administrator

    def log_in(self) -> None:
        signed_in = self.ask("POST", "authentication/user", {"username": ADMIN, "password": PASSWORD})
        self.token, self.scope_id = signed_in["tokenId"], signed_in["scopeId"]

    def let_in(self, who: str) -> None:
        """A user with the rights of its kind."""
        user = self.ask("POST", f"{self.scope_id}/users", {"name": USERS[who], "userType": "INTERNAL"})
        secret = {"credentialType": "PASSWORD", "credentialKey": PASSWORD, "credentialStatus": "ENABLED"}
        self.ask("POST", f"{self.scope_id}/credentials", {"userId": user["id"], **secret})
        rights = [
            {"domain": domain, "action": action, "targetScopeId": self.scope_id} for domain, action in RIGHTS[who]
        ]
        self.ask("POST", f"{self.scope_id}/accessinfos", {"userId": user["id"], "permissions": rights})

    def device(self, client_id: str) -> dict[str, Any] | None:
        """What the registry knows of a device."""
        found = self.ask("GET", f"{self.scope_id}/devices?clientId={client_id}")["items"]
        return found[0] if found else None

    def ask(self, method: str, path: str, body: object = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.served.port("http"), timeout=LIMIT_S)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, f"/v1/{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


@contextmanager
def kura_served(store: str = "memory:") -> Iterator[KuraServed]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> KuraPlatform:
        return KuraPlatform(store, blobs, entropy, Settings(accounts=(Account(ACCOUNT, ADMIN, PASSWORD),)))

    platform = PlatformOptions("kura", build, dict.fromkeys(("http", "mqtt"), ANY_LOOPBACK_PORT), ClientAuth.ANY)
    with serving(ServerOptions((platform,), store=store)) as one:
        kura = KuraServed(one)
        kura.log_in()
        for who in ("device", "requester"):
            kura.let_in(who)
        yield kura
