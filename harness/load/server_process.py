"""Our own reference server for a load run, in a process of its own, with what the scenario says about it.

Run as a program: the order comes as a line on standard input, where it listens goes out as a line, and it ends with its
input. So a load generator and a server never share a processor's turn, nor an event loop.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Final

from fleetrig.harness.load.order import LoadOrder, OwnAddresses, expanded_for, options_for
from fleetrig.harness.run.open_files import raise_soft_limit
from fleetrig.harness.run.scenario_run import ScenarioRun
from fleetrig.harness.servers.own_server import serving
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError
from fleetrig.simulator.contract.trace import Trace

CERTIFICATES: Final = (
    "load starts the reference server as a process of its own, and that cannot be told which certificates a run makes: "
    "use a credential that is no certificate, or name a server with --against SERVER.yaml"
)


def main() -> int:
    """Serves until the input ends."""
    order = LoadOrder.from_json(sys.stdin.readline())
    try:
        asyncio.run(serve(order))
    except FleetrigError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


async def serve(order: LoadOrder) -> None:
    """Raises BrokenBench for what such a server cannot do, or when it has failed."""
    raise_soft_limit()
    expanded = expanded_for(order)
    run = ScenarioRun(expanded, options_for(order, expanded))
    build, proxied = run.build_own_server()
    asks = run.platform.own_server.proxied
    if proxied is not None and (asks is None or not asks.judges_itself):
        raise BrokenBench(CERTIFICATES)
    async with serving(run.platform, build, run.profile, Trace(), run.secrets, proxied) as server:
        assert server.control is not None
        ca = "" if server.ca is None else str(server.ca)
        addresses = OwnAddresses(dict(server.listeners), server.control.url, ca)
        sys.stdout.write(json.dumps(asdict(addresses)) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    sys.exit(main())
