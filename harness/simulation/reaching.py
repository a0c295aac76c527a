"""Whether anybody is there: the probe of a server, the wait for it, and the sentence for one that gives no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fleetrig.simulator.contract.http import HttpRequest, split_url
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Ask, NoReply, Pause

PROBE_WITHIN_S: Final = 5.0
PROBE_EVERY_S: Final = 1.0


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


def unreachable(url: str, why: str) -> str:
    """One sentence for a server that gave no answer; `why` is a word of `NoReply`."""
    protocol = url.partition("://")[0].upper().removesuffix("S")
    match why:
        case "refused":
            return f"nobody listens at {url} (connection refused): start the server, or give --wait to wait for it"
        case "timeout":
            return f"{url} does not answer: is the address right? --wait waits for it"
        case "tls":
            return f"{url} does not speak TLS, or with a certificate nobody trusts: --ca FILE, or --insecure"
        case "unreachable":
            return f"{url} cannot be reached: is the name right and the network up? --wait waits for it"
        case _:
            return f"whatever listens at {url} does not answer {protocol} ({why}): are scheme and port right?"
