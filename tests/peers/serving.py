"""`fleetrig serve` as a program among others: started by its command, known by its ready file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fleetrig.harness.servers.serve_process import read_ready, serve_command
from tests.peers.mgmt import Mgmt
from tests.peers.programs import Program, until

FLEETRIG = Path(sys.executable).with_name("fleetrig")
GATEWAY_KEY = "gateway-key-of-the-line"
FAST_POLLING = "hawkbit.controller.minPollingTime=00:00:01"


class ServedFleetrig(Program):
    """The reference server with its store in a file below `folder`; `host_port` is where it listens."""

    def __init__(self, folder: Path, http: str = "127.0.0.1:0") -> None:
        ready = folder / "ready.json"
        store = f"sqlite:///{folder / 'fleet.db'}"
        options = ["--platform", "hawkbit", "--http", http, "--store", store, "--set", FAST_POLLING]
        command = serve_command(ready, options)
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

    def _listens_at(self, ready_file: Path) -> str | None:
        """None until this process has said so."""
        ready = read_ready(ready_file, self.pid)
        return None if ready is None else str(ready["http"])
