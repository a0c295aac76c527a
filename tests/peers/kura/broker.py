"""A real mosquitto as the broker of the Kura namespace, on a port of its own."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from tests.peers.programs import Program, need_program, until

SERVER_USER = "server"
"""Who may read and write everything; devices have what is theirs."""
RIGHTS = f"""
user {SERVER_USER}
topic readwrite #
topic readwrite $EDC/#
pattern readwrite $EDC/+/%c/#
pattern readwrite +/%c/#
pattern write $EDC/+/+/+/REPLY/#
"""


class Mosquitto(Program):
    """`has_rights`: the rights of a device user hold; otherwise everybody may do everything."""

    def __init__(self, folder: Path, *, has_rights: bool) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        rules, config = folder / "rights", folder / "mosquitto.conf"
        rules.write_text(RIGHTS)
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true", "user root"]
        if has_rights:
            lines.append(f"acl_file {rules}")
        config.write_text("\n".join([*lines, ""]))
        command = [need_program("mosquitto", "mosquitto"), "-c", str(config)]
        super().__init__("mosquitto", command, folder / "mosquitto.log", dict(os.environ))
        until("mosquitto listens", self._listens, self)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False
