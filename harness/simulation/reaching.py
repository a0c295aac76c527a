"""Whether anybody is there: the probe of a server, the wait for it, and the sentence for one that gives no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.simulator.contract.http import HttpRequest, split_url
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Ask, NoReply, Pause

PROBE_WITHIN_S: Final = 5.0
PROBE_EVERY_S: Final = 1.0
WORTH_WAITING: Final = frozenset({"refused", "timeout", "unreachable"})
"""Words of `NoReply` for a server that may be there in a while."""

A_BAD_MOMENT: Final = frozenset({"reset", "closed", "timeout"})
"""Words of `NoReply` that a server may have caused which was there a moment ago."""


def wait_for(url: str, probe: Ask, say: Callable[[str], None]) -> Director[None]:
    """Until the server answers; any answer will do."""
    said = ""
    while isinstance(answer := (yield probe), NoReply):
        if said != answer.why:
            said = answer.why
            say(f"waiting for {url} ({said})")
        yield Pause(PROBE_EVERY_S, PROBE_EVERY_S, "wait for the server")


def http_probe(url: str) -> Ask:
    """The probe of a server that speaks HTTP."""
    origin, path = split_url(url)
    return Ask("probe", HttpRequest("GET", origin, path, (("Accept", "application/json"),)), PROBE_WITHIN_S)


def unreachable(url: str, why: str) -> NoAnswer:
    """For a server that gave the first device no answer; `why` is a word of `NoReply`."""
    return NoAnswer.at(url, why, " --wait waits for it" if why in WORTH_WAITING else "")
