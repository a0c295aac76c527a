"""What a server still knows of its trace."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fleetrig.harness.running_server.control_client import ControlClient
from fleetrig.harness.running_server.events import EventQuery, ServerEvent, event_in

__tracebackhide__ = True

PAGE: Final = 1000


class EventsDropped(UserWarning):
    """The server has forgotten some of a test's events: it keeps the last 10,000."""


def events_since(client: ControlClient, query: EventQuery, since: int) -> list[ServerEvent]:
    """Those after number `since` that the server can choose by the query, the oldest first."""
    found: list[ServerEvent] = []
    while True:
        path = path_of("/trace", {**query.parameters(), "since": str(since), "limit": str(PAGE)})
        events = [event_in(line) for line in client.answer("GET", path).text.splitlines() if line]
        _warn_of(sum(one for one in events if isinstance(one, int)))
        page = [one for one in events if isinstance(one, ServerEvent)]
        found += page
        if len(page) < PAGE:
            return found
        since = page[-1].number


def path_of(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}"


def _warn_of(dropped: int) -> None:
    if dropped:
        warnings.warn(
            EventsDropped(f"{dropped} events of this test are forgotten: the server keeps the last 10,000"),
            stacklevel=4,
        )
