"""What a hawkBit device is made of: how its make behaves, and what one power cycle knows of its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.backoff import Backoff
from simulator.contract.identity import Credential, DeviceIdentity
from simulator.effects import NoReply, Reply

DEFAULT_INTERVAL_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class HawkbitSettings:
    """How a device of this make behaves; shared by a whole fleet."""

    server_url: str
    """`http://127.0.0.1:8080`, with a path where a proxy demands one."""
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    attributes_mode: str | None = "merge"
    backoff: Backoff = field(default_factory=Backoff)
    timeout_s: float = 10.0
    default_interval_s: float = DEFAULT_INTERVAL_S
    """Used until a server has named one, and when what it names is unusable."""
    poll_jitter: float = 0.0
    """Each pause is drawn from interval … interval·(1 + jitter): never faster than told."""
    install_s: float = 5.0
    install_slice_s: float = 1.0
    install_fails: bool = False


@dataclass(slots=True)
class Contact:
    """What one power cycle knows of its server; gone after a power cut."""

    settings: HawkbitSettings
    credential: Credential | None
    device: DeviceIdentity
    interval_s: float
    enrolled: bool
    failures: int = 0
    previous_delay_s: float | None = None


def why_of(answer: Reply | NoReply) -> str:
    """A failed answer in two words, for traces and feedback."""
    return answer.why if isinstance(answer, NoReply) else f"HTTP {answer.envelope.status}"
