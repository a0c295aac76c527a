"""What all endpoints of a front share: rules, time to come, chance, and what is remembered within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.coap_messages.agenda import Agenda
from fleetrig.reference_server.coap_messages.expiring import Expiring
from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.told_garbage import ToldGarbage
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.coap import CoapOptions

EXCHANGE_LIFETIME_US: Final = 247 * US_PER_S
NON_LIFETIME_US: Final = 145 * US_PER_S
"""How long a message id stands for one message (RFC 7252 §4.8.2)."""

MOST_EXCHANGES: Final = 50_000
MOST_TRANSFERS: Final = 10_000
MOST_TRANSFER_BYTES: Final = 64 * 1024 * 1024
"""Of unfinished uploads, and of bodies that are fetched block by block; each."""

ResourceKey = tuple[int, int, int]
"""Session, code, and a hash of those options that make two requests mean the same (RFC 7959 §2.4, §2.5): 60 KiB of
options would be kept with every transfer and observation otherwise. Who finds two with one hash cheats itself alone."""


class Exchange:
    """A request that has come, remembered by its message id, and the datagram that answers it again and again."""

    __slots__ = ("datagram", "expires_us", "withheld")

    def __init__(self, expires_us: int) -> None:
        self.expires_us = expires_us
        self.datagram = b""
        """Empty until there is one."""
        self.withheld = 0
        """So many more of its datagrams get lost (a fault)."""


@dataclass(frozen=True, slots=True)
class Served:
    """A body that is fetched block by block."""

    code: int
    options: CoapOptions
    payload: bytes


@dataclass(slots=True)
class BlockUpload:
    """What has come of a body in blocks. `content_format` and `most_bytes` count where rules are not strict."""

    body: bytearray
    content_format: bytes | None = None
    most_bytes: int = 0


class Layer:
    """Single-threaded. The times of all calls are of one clock that never goes back (us)."""

    def __init__(self, rules: CoapRules, uniform: Callable[[float, float], float], agenda: Agenda) -> None:
        """`uniform` draws a number from its first argument on, below its second."""
        self.rules = rules
        self.uniform = uniform
        self.agenda = agenda
        self.exchanges: Expiring[int, Exchange] = Expiring(EXCHANGE_LIFETIME_US, MOST_EXCHANGES, 1)
        """By session and message id, see `exchange_key`."""
        self.uploads: Expiring[ResourceKey, BlockUpload] = Expiring(
            EXCHANGE_LIFETIME_US, MOST_TRANSFERS, MOST_TRANSFER_BYTES
        )
        self.bodies: Expiring[ResourceKey, Served] = Expiring(EXCHANGE_LIFETIME_US, MOST_TRANSFERS, MOST_TRANSFER_BYTES)
        self.garbage = ToldGarbage()

    def first_message_id(self) -> int:
        return int(self.uniform(0, 1 << 16)) & 0xFFFF

    def ack_timeout_us(self) -> int:
        """Until the first retransmission (RFC 7252 §4.2)."""
        rules = self.rules
        return int(rules.ack_timeout_us * self.uniform(1.0, rules.ack_random_factor))

    def expire(self, now_us: int) -> None:
        """Call it now and then."""
        self.exchanges.expire(now_us)
        self.uploads.expire(now_us)
        self.bodies.expire(now_us)


def exchange_key(session: int, message_id: int) -> int:
    return session << 16 | message_id
