"""Waits for something to happen at a running server, on the stream of its trace; whoever waits in vain is told why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.harness.running_server.control_client import ControlClient
from fleetrig.harness.running_server.events import ANY, EventQuery, ServerEvent, event_in

__tracebackhide__ = True

UNKNOWN: Final = "somebody unknown"
SHOWN: Final = 12
"""Of what came instead, the latest."""


class NothingCame(AssertionError):
    """What a test waited for did not happen; `str()` says what did."""


def await_event(
    client: ControlClient,
    query: EventQuery,
    since: int,
    within_s: float,
    counts: Callable[[ServerEvent], bool],
    all_since: Callable[[], Sequence[ServerEvent]],
) -> ServerEvent:
    """The first event after number `since` that fits, which may have come already. Raises NothingCame.

    `counts`: whether an event is among those that may fit; it hears of all. `all_since`: what devices have done since
    then, for the sentence.
    """
    with closing(client.follow({**query.parameters(), "since": str(since)}, within_s)) as lines:
        for line in lines:
            event = event_in(line)
            if isinstance(event, ServerEvent) and counts(event) and query.fits(event):
                return event
    raise NothingCame(f"no {query} within {within_s:g} s\n{what_came(query, all_since())}")


def what_came(query: EventQuery, events: Sequence[ServerEvent]) -> str:
    """What a reader wants to know who has waited for this. `events` are of devices."""
    of_it = [event for event in events if fnmatchcase(event.device, query.device)]
    if of_it:
        whose = "" if query.device == ANY else f" of {query.device}"
        shown = of_it[-SHOWN:]
        which = f"the last {len(shown)} of {len(of_it)} events" if len(shown) < len(of_it) else "what came"
        return "\n".join([f"{which}{whose}:", *(f"  {event}" for event in shown)])
    others = Counter(event.device or UNKNOWN for event in events)
    if not others:
        return "no device has come to the server at all: does it use the server's address?"
    near = get_close_matches(query.device, list(others), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = ", ".join(f"{device} ({count} events)" for device, count in others.most_common(SHOWN))
    return f"nothing came of {query.device}, but of {listed}{hint}"
