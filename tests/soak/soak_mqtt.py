"""Ten minutes with 5,000 MQTT connections held, some of which say something, while others come and go: memory stays.

`SOAK_S` makes it shorter or longer.
"""

from __future__ import annotations

import asyncio
import os
import time

from tests.benchmarks.bench_mqtt import HELD, all_trips, idle
from tests.benchmarks.measure import show
from tests.benchmarks.mqtt_servers import our_server, raise_file_limit

LASTS_S = float(os.environ.get("SOAK_S", "600"))
WARM_ROUNDS = 5
ROUND_S = 2.0
SPEAKERS = 20
MAY_GROW_KIB = 4 * 1024
"""Of some 40 MiB: the allocator's own unrest."""


def soak_held_connections() -> None:
    raise_file_limit()
    with our_server() as side, idle(side, HELD) as sockets:
        began_s, rounds, before_kib = time.monotonic(), 0, 0.0
        while time.monotonic() - began_s < LASTS_S:
            for sock in sockets[rounds % SPEAKERS :: SPEAKERS]:
                sock.sendall(b"\xc0\x00")
                assert sock.recv(2) == b"\xd0\x00"
            asyncio.run(all_trips(side))
            rounds += 1
            if rounds == WARM_ROUNDS:
                before_kib = side.resident_kib()
            time.sleep(ROUND_S)
        grown_kib = side.resident_kib() - before_kib
    show(f"{HELD:,} connections held for {LASTS_S:.0f} s, {rounds:,} rounds: growth", f"{grown_kib:,.0f} KiB",
         f"{MAY_GROW_KIB:,} KiB")  # fmt: skip
    assert rounds > WARM_ROUNDS
    assert grown_kib < MAY_GROW_KIB
