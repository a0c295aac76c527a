"""The type of the fixtures `<platform>_server_factory`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from fleetrig.harness.running_server.server import RunningServer


class ServerFactory(Protocol):
    """Starts servers that end with the test."""

    def __call__(
        self,
        *,
        profile: str = ...,
        properties: Mapping[str, str] | None = ...,
        store: str | Path = ...,
        addresses: Mapping[str, str] | None = ...,
    ) -> RunningServer:
        """`profile`: the version of the real server to play, the newest if empty; `properties`: its start-up
        properties; `store`: a file in which it keeps everything, in memory if not given; `addresses`: where it
        listens, `{"https": "127.0.0.1:0"}` (port 0 is any free one).

        Raises UsageError for a profile, property or listener that it has not.
        """
