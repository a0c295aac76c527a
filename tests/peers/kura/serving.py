"""`fleetrig serve --platform kura` among other programs, and what its administrator asks."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.servers.serve_process import ServeProcess

ACCOUNT: Final = "acct"
PASSWORD: Final = "Open-Sesame-1!"
ADMIN, ADMIN_PASSWORD = "kapua-sys", "kapua-password"
DEVICE, REQUESTER = "dev", "srv"
CONNECTS: Final = ("broker", "connect")
RIGHTS: Final = {DEVICE: (CONNECTS,), REQUESTER: (CONNECTS, ("device_management", "write"))}
DEVICES: Final = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
LISTENERS: Final = ("http", "mqtt", "mqtts")
WITHIN_S: Final = 60.0


class ServedKura(ServeProcess):
    """REST and MQTT on ports of their own."""

    token = ""

    def __init__(self, folder: Path, *options: str) -> None:
        addresses = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
        super().__init__(folder, "--platform", "kura", *addresses, *options)

    def port(self, listener: str) -> str:
        """As text: it goes into command lines."""
        return str(self.ready[listener]).rpartition(":")[2]

    def prepare(self) -> None:
        """An account with a device's user and a requester's."""
        signed_in = self.ask("POST", "authentication/user", {"username": ADMIN, "password": ADMIN_PASSWORD})
        self.token = signed_in["tokenId"]
        about = {"name": ACCOUNT, "organizationName": "peers", "organizationEmail": "peers@localhost"}
        self.scope = self.ask("POST", f"{signed_in['scopeId']}/accounts", about)["id"]
        property_ = {"name": "infiniteChildEntities", "array": False, "encrypted": False, "type": "Boolean"}
        document = {"id": DEVICES, "properties": {"property": [{**property_, "value": ["true"]}]}}
        self.ask("PUT", f"{self.scope}/serviceConfigurations/{DEVICES}", document)
        for name, rights in RIGHTS.items():
            self.let_in(name, rights)

    def let_in(self, name: str, rights: tuple[tuple[str, str], ...]) -> None:
        user = self.ask("POST", f"{self.scope}/users", {"name": name, "userType": "INTERNAL", "status": "ENABLED"})
        secret = {"credentialType": "PASSWORD", "credentialKey": PASSWORD, "credentialStatus": "ENABLED"}
        self.ask("POST", f"{self.scope}/credentials", {"userId": user["id"], **secret})
        permissions = [{"domain": domain, "action": action, "targetScopeId": self.scope} for domain, action in rights]
        self.ask("POST", f"{self.scope}/accessinfos", {"userId": user["id"], "permissions": permissions})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"http://127.0.0.1:{self.port('http')}/v1/{path}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None
