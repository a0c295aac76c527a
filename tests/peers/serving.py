"""`fleetrig serve` as a program among others: started by its command, known by its ready file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.peers.mgmt import Mgmt
from tests.peers.programs import Program, until

FLEETRIG = Path(sys.executable).with_name("fleetrig")
GATEWAY_KEY = "gateway-key-of-the-line"
FAST_POLLING = "hawkbit.controller.minPollingTime=00:00:01"


class ServedFleetrig(Program):
    """The reference server with its store in a file below `folder`; `host_port` is where it listens."""

    def __init__(self, folder: Path, http: str = "127.0.0.1:0") -> None:
        ready = folder / "ready.json"
        command = [str(FLEETRIG), "serve", "--platform", "hawkbit", "--http", http, "--ready-file", str(ready)]
        command += ["--store", f"sqlite:///{folder / 'fleet.db'}", "--set", FAST_POLLING]
        super().__init__("fleetrig serve", command, folder / "serve.log", dict(os.environ))
        try:
            self.host_port = until("the server is ready", lambda: self._listens_at(ready), self)
        except BaseException:  # pytest's own failure is no Exception
            self.kill()
            raise

    @property
    def url(self) -> str:
        return f"http://{self.host_port}"

    @property
    def mgmt(self) -> Mgmt:
        return Mgmt(self.host_port)

    def accept_tokens(self) -> None:
        """Polls every second; target tokens and the gateway token are accepted."""
        self.mgmt.configure(
            pollingTime="00:00:01",
            authentication__targettoken__enabled=True,
            authentication__gatewaytoken__enabled=True,
            authentication__gatewaytoken__key=GATEWAY_KEY,
        )

    def _listens_at(self, ready: Path) -> str | None:
        """None until this process has said so: a killed predecessor leaves its file behind."""
        if not ready.exists():
            return None
        said = json.loads(ready.read_text(encoding="utf-8"))
        return said["http"] if said["pid"] == self.pid else None
