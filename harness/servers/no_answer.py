"""A server that gave no answer that could be read: why, in one sentence, for every command and protocol."""

from __future__ import annotations

from typing import Final, Self
from urllib.parse import urlsplit

from fleetrig.harness.servers.spoken_at import spoken_at
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError

SENTENCES: Final = {
    "refused": "nobody listens at {url} (connection refused): is it running, and is the port right?",
    "timeout": "{url} does not answer: is the address right?",
    "tls": "{url} shows a certificate that nobody here trusts, or speaks no TLS: --ca FILE names its authority",
    "unreachable": "{url} cannot be reached: is the name right and the network up?",
    "malformed": "{url} sent nothing in {protocol} that could be read, or an answer of more than 4 MiB: "
    "are scheme and port right?",
}
"""For the words of `NoReply`."""
OTHERWISE: Final = "whatever listens at {url} does not answer {protocol} ({why}): are scheme and port right?"
UNTRUSTED: Final = "{url} shows a certificate that nobody here trusts: --ca FILE names its authority"
NOBODY: Final = frozenset({"refused", "unreachable"})
"""There is nothing to look at."""
PORTS: Final = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}


class NoAnswer(BrokenBench):
    """The server is unreachable or does not speak the protocol: further requests are pointless."""

    url: str = ""
    why: str = ""

    @classmethod
    def at(cls, url: str, why: str, more: str = "") -> Self:
        """`why`: a word of `NoReply`; `more`: what else can be done about it."""
        return cls.saying(sentence(url, why) + more, url, why)

    @classmethod
    def saying(cls, text: str, url: str, why: str) -> Self:
        error = cls(text)
        error.url, error.why = url, why
        return error


def sentence(url: str, why: str) -> str:
    protocol = url.partition("://")[0].upper().removesuffix("S")
    return SENTENCES.get(why, OTHERWISE).format(url=url, protocol=protocol, why=why)


def looked_closer(error: FleetrigError) -> str:
    """What the error says; where nothing readable came, what really speaks at that port, which is tried once more."""
    if not isinstance(error, NoAnswer) or not error.url or error.why in NOBODY:
        return str(error)
    place = urlsplit(error.url)
    port = place.port or PORTS.get(place.scheme)
    if port is None or place.hostname is None:
        return str(error)
    return explained(error, spoken_at(place.hostname, port))


def explained(error: NoAnswer, spoken: str) -> str:
    """The sentence, when it is known what speaks there: `TLS`, `HTTP`, `MQTT`; empty when it is none of these."""
    scheme, _, rest = error.url.partition("://")
    plain = scheme.removesuffix("s") if scheme in PORTS else scheme
    is_secure = scheme != plain
    match spoken:
        case "TLS" if is_secure:
            return UNTRUSTED.format(url=error.url) if error.why == "tls" else str(error)
        case "TLS":
            return f"{error.url} was asked without TLS, and that port speaks TLS: write {plain}s://{rest}"
        case _ if spoken.lower() == plain and is_secure:
            return f"{error.url} was asked over TLS, and that port speaks plain {spoken}: write {plain}://{rest}"
        case "HTTP" | "MQTT" if spoken.lower() != plain:
            return f"{error.url} was asked in {plain.upper()}, and that port speaks {spoken}: is the port right?"
        case _:
            return str(error)
