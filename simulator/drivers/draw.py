"""Chance by counting: the n-th number of a device depends on seed, serial and n alone.

No generator object per device (`random.Random` costs over 2 KiB each), no shared stream whose order would matter, and
the same seed gives the same run in every driver.
"""

from __future__ import annotations

import math
from hashlib import blake2b, shake_256

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.effects import Await, DrawnToken, DrawToken, Pause


def draw(seed: int, serial: str, n: int) -> float:
    """Uniform in [0, 1)."""
    digest = blake2b(f"{seed}/{n}/{serial}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds; more would round up to 1.0.
    return (int.from_bytes(digest) >> 11) / 2.0**53


def draw_pause(seed: int, agent: Agent, wanted: Pause | Await) -> float:
    """How long this device waits, in seconds; a range that is a point uses no number up."""
    at_least_s, at_most_s, capped_at_s = wanted.at_least_s, wanted.at_most_s, wanted.capped_at_s
    if at_most_s <= at_least_s:
        return min(at_least_s, capped_at_s)
    number = draw(seed, agent.identity.serial, agent.draws)
    agent.draws += 1
    drawn_s = at_least_s + (at_most_s - at_least_s) * number
    if isinstance(wanted, Pause) and wanted.whole_s:
        drawn_s = max(at_least_s, float(math.floor(drawn_s)))
    return min(drawn_s, capped_at_s)


def drawn_token(seed: int, agent: Agent, wanted: DrawToken) -> DrawnToken:
    """What nobody can guess who does not know the seed; it uses one number up, however long it is."""
    counted = f"{seed}/{agent.draws}/{agent.identity.serial}".encode()
    agent.draws += 1
    return DrawnToken(shake_256(b"token/" + counted).hexdigest(wanted.random_bytes))
